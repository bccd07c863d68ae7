import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../core/fail.ts'
import { productNames } from '../core/names.ts'
import type { TransformationEvent, TransformationResult } from '../platform/transformation.ts'
import type { Command, CommandContext } from '../run/command.ts'
import type { CommandDeps, PlaceArgs } from './deps.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'

const THREADS = 2
const PASS_MS = 2 * 3_600_000

type TransformArgs = PlaceArgs & {
  projectDir: string
  select: string
  ports: { object: string; from: string }[]
  sources: { component: string; table: string }[]
  upstreams: { component: string; table: string; relation: string }[]
}

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
      const counts = { models: 0, tests: 0 }
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
          (event) => report(context, event, counts),
          context.signal,
        )
      } finally {
        await warehouse.closeService({ place, context: effect })
      }
      throwIfFailed(result)
      return { outcome: `${counts.models} models, ${counts.tests} tests passed` }
    },
  }
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

function pinnedSources(context: CommandContext, { sources, upstreams }: TransformArgs): { name: string; relation: string }[] {
  const own = sources.map(({ component, table }) => {
    const { batches } = context.result<{ batches: { table: string; relation: string }[] }>(`ingest-${component}`)
    return { name: table, relation: batches.find((batch) => batch.table === table)!.relation }
  })
  return [...own, ...upstreams.map(({ table, relation }) => ({ name: table, relation }))]
}

function report(context: CommandContext, event: TransformationEvent, counts: { models: number; tests: number }): void {
  switch (event.kind) {
    case 'started':
      context.event('progress', { isolation: event.isolation })
      return context.log(`dbt started, isolation: ${event.isolation}`)
    case 'log':
      return context.log(event.text)
    case 'node-started':
      return context.event('node', { node: event.node, name: event.name, resource: event.resource, status: 'running', startedAt: event.at, index: event.index, total: event.total })
    case 'node-finished': {
      if (event.status === 'success') counts.models++
      if (event.status === 'pass' || event.status === 'warn') counts.tests++
      const { node, name, status, seconds, rows, failures, message, file, at } = event
      return context.event('node', { node, name, status, endedAt: at, seconds, rows, failures, message, file })
    }
    default:
      return event satisfies never
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
