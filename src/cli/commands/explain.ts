import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ERRORS, type ErrorCode, type ErrorRow } from '../../core/errors.ts'
import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderFacts } from '../views/human/facts.ts'
import { paint } from '../views/human/style.ts'
import { requireWorkingTree, SPEC_FILE } from '../working-tree.ts'

/** A code's row of the registry, or the spec with every short form and default written out. Needs no server. */
export async function explain(context: Context): Promise<number> {
  const named = context.args[0]
  if (named !== undefined) return explainCode(context, named.toUpperCase())
  if (!context.has('expanded'))
    throw fail('CLI_USAGE_INVALID', { what: 'Nothing to explain', fix: 'heddle explain CODE, or heddle explain --expanded' })
  return explainExpanded(context)
}

async function explainCode({ print }: Context, code: string): Promise<number> {
  if (!Object.hasOwn(ERRORS, code)) {
    const { nearest } = await import('../../spec/nearest.ts')
    const near = nearest(code, Object.keys(ERRORS))
    throw fail('CLI_USAGE_INVALID', {
      what: `There is no error code ${code.slice(0, 80)}`,
      fix: near === undefined ? 'All of them: docs/errors.md' : `Did you mean ${near}?`,
    })
  }
  const row: ErrorRow = ERRORS[code as ErrorCode]
  const docs = `docs/errors.md#${code.toLowerCase()}`
  print({ code, ...row, docs }, (style) => [
    `${paint(style, 'strong', code)}  ${row.summary}`,
    ...renderFacts(
      [
        ['fix', row.remedy],
        ['rule', row.rule],
        ['docs', docs],
      ],
      style,
    ),
  ])
  return EXIT.ok
}

async function explainExpanded(context: Context): Promise<number> {
  const tree = await requireWorkingTree(context.dir)
  const [{ readYaml }, { expandSpec }, { readContracts }, { stringify }] = await Promise.all([
    import('../../spec/read-yaml.ts'),
    import('../../spec/expand.ts'),
    import('../working-tree.ts'),
    import('yaml'),
  ])
  const { document, diagnostics } = readYaml(SPEC_FILE, await readFile(join(tree, SPEC_FILE)))
  if (document === null)
    throw fail('CLI_USAGE_INVALID', { what: `${SPEC_FILE} cannot be read`, fix: 'heddle validate', details: diagnostics })
  const contracts = new Map(
    Object.entries(await readContracts(tree)).flatMap(([path, text]) => {
      const read = readYaml(path, text).document
      return read ? [[path, read] as const] : []
    }),
  )
  // The domain's owners are the server's to know; offline they stay as a name that says so.
  const expanded = expandSpec(document, contracts, { domainOwners: ['(owners of the domain)'] }).value
  context.print({ spec: expanded }, () => [stringify(expanded).trimEnd()])
  return EXIT.ok
}
