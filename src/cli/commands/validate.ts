import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { DEPLOY_FILE, readAddress, readContracts, requireWorkingTree, SPEC_FILE } from '../working-tree.ts'

/** Checks the working tree without a server; what only the server knows (domains, environments, sources) is checked by plan and push. */
export async function validate(context: Context): Promise<number> {
  const started = performance.now()
  const tree = await requireWorkingTree(context.dir)
  const [{ validateProduct }, { formatDiagnostics, summariseDiagnostics }, address, spec, deploy, contracts] = await Promise.all([
    import('../../spec/validate.ts'),
    import('../../spec/format-diagnostics.ts'),
    readAddress(tree).catch(() => '/'),
    readFile(join(tree, SPEC_FILE), 'utf8'),
    readFile(join(tree, DEPLOY_FILE), 'utf8').catch(() => null),
    readContracts(tree),
  ])
  const [domain = '', product = ''] = address.split('/')
  const { diagnostics } = validateProduct({
    files: {
      spec: { name: SPEC_FILE, text: spec },
      deploy: deploy === null ? null : { name: DEPLOY_FILE, text: deploy },
      contracts,
    },
    context: { domain, product, domainOwners: ['(owners of the domain)'], environments: null, sources: null },
    environment: context.flags.env ?? null,
  })
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length
  const warnings = diagnostics.length - errors
  const files = 1 + (deploy === null ? 0 : 1) + Object.keys(contracts).length
  const ms = Math.round(performance.now() - started)
  const texts = { [SPEC_FILE]: spec, ...(deploy !== null && { [DEPLOY_FILE]: deploy }), ...contracts }
  context.print(
    { type: 'result', valid: errors === 0, product: address === '/' ? null : address, errors, warnings, files, diagnostics },
    (style) => [
      ...(diagnostics.length > 0 ? [formatDiagnostics(diagnostics, texts, { colour: style.colour }).trimEnd()] : []),
      `${summariseDiagnostics(diagnostics, files)} (${ms} ms)`,
    ],
  )
  return errors > 0 ? EXIT.refused : EXIT.ok
}
