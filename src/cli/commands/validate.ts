import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ValidationRequest } from '../../spec/validate.ts'
import { confirm } from '../ask.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import type { Style } from '../views/human/style.ts'
import {
  DEPLOY_FILE,
  readAddress,
  readContracts,
  readGenerated,
  readModels,
  readOrigin,
  requireWorkingTree,
  SPEC_FILE,
} from '../working-tree.ts'

type Checked = { request: ValidationRequest; texts: Record<string, string>; product: string | null }

/**
 * Checks the working tree without a server; what only the server knows (domains, environments, sources) is checked by plan and push. With `--fix` it makes
 * the repairs that need no thought.
 */
export async function validate(context: Context): Promise<number> {
  const started = performance.now()
  const tree = await requireWorkingTree(context.dir)
  if (context.has('fix')) return fix(context, tree)
  const [{ validateProduct }, checked] = await Promise.all([import('../../spec/validate.ts'), readProduct(context, tree)])
  const { diagnostics } = validateProduct(checked.request)
  const report = await reportOf(checked, diagnostics)
  const ms = Math.round(performance.now() - started)
  context.print({ type: 'result', ...report.value }, (style) => [...report.lines(style), `${report.summary} (${ms} ms)`])
  return report.errors > 0 ? EXIT.refused : EXIT.ok
}

/** Shows what it would write, asks, writes, and says what is left for its author. */
async function fix(context: Context, tree: string): Promise<number> {
  const [{ repairProduct }, { renderDiff }, checked, generated] = await Promise.all([
    import('../../spec/repair.ts'),
    import('../views/human/diff.ts'),
    readProduct(context, tree),
    readGenerated(tree),
  ])
  const { changed, applied, refreshed, validation } = repairProduct(checked.request, generated)
  const before: Record<string, string> = { ...checked.request.context.models, ...generated, ...checked.texts }
  const left = validation.diagnostics
  const { dryRun } = context.flags
  const report = await reportOf({ ...checked, texts: { ...checked.texts, ...changed } }, left)
  const paths = Object.keys(changed)
  if (paths.length > 0) {
    context.note((style) => paths.flatMap((path) => renderDiff(path, before[path] ?? '', changed[path]!, style)))
    if (!dryRun && !(await confirm(context, `Write ${paths.length === 1 ? paths[0] : `these ${paths.length} files`}?`)))
      return EXIT.failed
  }
  if (!dryRun) for (const path of paths) await writeFile(join(tree, path), changed[path]!)
  const total = applied.length + left.length
  const done =
    applied.length > 0
      ? `applied ${applied.length} of ${total}`
      : total > 0
        ? `none of ${total} can be applied`
        : 'nothing to fix'
  const needs = left.length > 0 ? `; ${left.length} ${left.length === 1 ? 'needs' : 'need'} you` : ''
  const renewed = refreshed.length > 0 ? `; refreshed ${refreshed.join(', ')}` : ''
  context.print(
    {
      type: 'result',
      ...(dryRun && { dryRun: true }),
      ...report.value,
      fixed: applied.length,
      changed: paths,
      ...(dryRun && { texts: changed }),
    },
    (style) => [...report.lines(style), `${dryRun ? 'would have ' : ''}${done}${needs}${renewed}`],
  )
  return report.errors > 0 ? EXIT.refused : EXIT.ok
}

async function readProduct(context: Context, tree: string): Promise<Checked> {
  const [origin, spec, deploy, contracts] = await Promise.all([
    readOrigin(tree),
    readFile(join(tree, SPEC_FILE), 'utf8'),
    readFile(join(tree, DEPLOY_FILE), 'utf8').catch(() => null),
    readContracts(tree),
  ])
  const [address, models] = await Promise.all([origin ?? readAddress(tree).catch(() => null), readModels(tree, spec)])
  const [domain = '', product = ''] = address?.split('/') ?? []
  return {
    request: {
      files: {
        spec: { name: SPEC_FILE, text: spec },
        deploy: deploy === null ? null : { name: DEPLOY_FILE, text: deploy },
        contracts,
      },
      context: { domain, product, domainOwners: ['(owners of the domain)'], environments: null, sources: null, models },
      environment: context.flags.env ?? null,
    },
    texts: { [SPEC_FILE]: spec, ...(deploy !== null && { [DEPLOY_FILE]: deploy }), ...contracts },
    product: address,
  }
}

async function reportOf({ texts, product, request }: Checked, diagnostics: readonly Diagnostic[]) {
  const { formatDiagnostics, summariseDiagnostics } = await import('../../spec/format-diagnostics.ts')
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length
  const files = Object.keys(request.files.contracts).length + (request.files.deploy ? 2 : 1)
  return {
    errors,
    value: { valid: errors === 0, product, errors, warnings: diagnostics.length - errors, files, diagnostics },
    summary: summariseDiagnostics(diagnostics, files),
    lines: (style: Style) =>
      diagnostics.length > 0
        ? [formatDiagnostics(diagnostics, { ...request.context.models, ...texts }, { colour: style.colour }).trimEnd()]
        : [],
  }
}
