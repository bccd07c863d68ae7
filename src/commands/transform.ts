import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { keepLineage } from '../catalog/lineage-store.ts'
import { fail } from '../core/fail.ts'
import { productNames } from '../core/names.ts'
import type { IsolationRung, TransformationEvent, TransformationResult } from '../platform/transformation.ts'
import type { PinnedSource } from '../platform/warehouse.ts'
import type { Command, CommandContext } from '../run/command.ts'
import type { CommandDeps, PlaceArgs } from './deps.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'
import type { PinnedInputs } from './pin-inputs.ts'

const THREADS = 2
const PASS_MS = 2 * 3_600_000
const CLOSE_MS = 15_000

type TransformArgs = PlaceArgs & {
  projectDir: string
  select: string
  ports: { object: string; from: string }[]
  sources: { component: string; table: string }[]
  /** input ports of other products; the step pin-inputs has chosen what of them is read */
  inputs: string[]
}

/** What the events of a build add up to; the isolation is kept with the run. */
type Seen = { models: number; tests: number; isolation: IsolationRung | null }

/** dbt builds the commit's project as the product's service login, in the build schema, over sources pinned to sealed batches. */
export function transform(deps: CommandDeps): Command {
  return {
    name: 'transform',
    async run(context, args) {
      const work = args as TransformArgs
      const { environment, place } = work
      const warehouse = await leasedWarehouse(deps, context, environment)
      const effect = effectOf(context)
      const [checkout] = await Promise.all([
        checkoutCommit(deps, context, environment),
        warehouse.pinSources({ place, sources: pinnedSources(context, work), context: effect }),
      ])
      const pass = await warehouse.openService({ place, validMs: PASS_MS, context: effect })
      let result: TransformationResult
      const seen: Seen = { models: 0, tests: 0, isolation: null }
      try {
        result = await deps.transformation.run(
          {
            key: `${context.run.id}-${context.step.attempt}`,
            product: place.id,
            environment,
            command: 'build',
            projectDir: join(checkout, work.projectDir),
            select: work.select,
            threads: THREADS,
            ports: work.ports,
            target: pass,
            vars: { heddle_private: productNames(environment, place.domain, place.product).private },
            timeoutMs: PASS_MS,
          },
          (event) => report(context, event, seen),
          context.signal,
        )
      } finally {
        // Also when the run is cancelled or the platform stops: the login never outlives the job.
        await warehouse.closeService({ place, context: { ...effect, signal: AbortSignal.timeout(CLOSE_MS) } })
      }
      throwIfFailed(result)
      await keep(deps, context, environment, result.lineage)
      return { isolation: seen.isolation, outcome: `${seen.models} models, ${seen.tests} tests passed` }
    },
  }
}

/** What the models read goes to the catalog when this commit is served. A build without it is as good. */
async function keep(
  deps: CommandDeps,
  context: CommandContext,
  environment: string,
  lineage: TransformationResult['lineage'],
): Promise<void> {
  const { run, step } = context
  if (!lineage) return context.log('lineage: none could be read')
  const at = { product: run.product.id, environment, commit: run.commit!, component: step.id, run: run.id }
  await keepLineage(deps.control.db, at, lineage)
  for (const line of lineage.missing) context.log(`lineage: not of ${line}`)
}

/** A constant folder per product and environment, replaced whole: dbt then finds the files it parsed before. */
async function checkoutCommit(deps: CommandDeps, { run, step }: CommandContext, environment: string): Promise<string> {
  const base = join(deps.workDir, run.product.id, environment)
  const fresh = join(base, `checkout-${run.id}-${step.attempt}`)
  const place = join(base, 'project')
  await mkdir(base, { recursive: true })
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh)
  await deps.repository.checkout(run.product.id, run.commit!, fresh)
  await rm(place, { recursive: true, force: true })
  await rename(fresh, place)
  return place
}

function pinnedSources(context: CommandContext, { sources, inputs }: TransformArgs): PinnedSource[] {
  const own = sources.map(({ component, table }) => {
    const { batches } = context.result<{ batches: { table: string; relation: string }[] }>(`ingest-${component}`)
    return { name: table, relation: batches.find((batch) => batch.table === table)!.relation }
  })
  return inputs.length === 0 ? own : [...own, ...context.result<PinnedInputs>('pin-inputs').pinned]
}

function report(context: CommandContext, event: TransformationEvent, seen: Seen): void {
  switch (event.kind) {
    case 'started':
      seen.isolation = event.isolation
      context.event('progress', { isolation: event.isolation })
      context.log(`dbt started, isolation: ${event.isolation}`)
      break
    case 'log':
      context.log(event.text)
      break
    case 'node-started': {
      const { node, name, resource, index, total, at } = event
      context.event('node', { node, name, resource, status: 'running', startedAt: at, index, total })
      break
    }
    case 'node-finished': {
      const { node, name, status, seconds, rows, failures, message, file, at } = event
      if (status === 'success') seen.models++
      if (status === 'pass' || status === 'warn') seen.tests++
      context.event('node', { node, name, status, endedAt: at, seconds, rows, failures, message, file })
      break
    }
    default:
      event satisfies never
  }
}

function throwIfFailed(result: TransformationResult): void {
  if (result.outcome === 'succeeded') return
  const first = result.diagnostics[0]
  if (result.outcome === 'lost') throw fail('TRANSFORM_JOB_LOST', { what: first?.what ?? 'The dbt process ended without a word' })
  if (!first) throw fail('TRANSFORM_BUILD_FAILED', { what: `dbt ended: ${result.outcome}` })
  throw fail(first.code, {
    what: first.what,
    why: first.why ?? 'Nothing was published; consumers still read what they read before.',
    ...(first.fix && { fix: first.fix }),
    ...(first.at && { at: first.at }),
    details: result.diagnostics,
  })
}
