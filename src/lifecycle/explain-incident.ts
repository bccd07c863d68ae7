import { findProduct, type ProductRow } from '../catalog/products.ts'
import { formatDuration } from '../core/duration.ts'
import { openIncidents } from '../observe/incidents.ts'
import type { Judged } from '../observe/levels.ts'
import { readServedSince } from '../observe/updates.ts'
import { listRuns } from '../run/read-runs.ts'
import type { ProductSpec } from '../spec/types.ts'
import type { Queries } from '../store/control.ts'
import type { Cause } from '../store/schema.ts'

export type Failing = {
  product: ProductRow
  environment: string
  spec: ProductSpec | null
  publishedAt: Date | null
  now: Date
}

/** Why a level fails, as far as the platform can know it, and what to do. First our own failed run, then an input that has nothing newer, then nothing ran. */
export async function explainIncident(queries: Queries, { row, verdict }: Judged, at: Failing): Promise<Cause> {
  const address = `${at.product.domain}/${at.product.name}`
  if (row.level.kind === 'availability')
    return {
      kind: 'unreadable',
      what: `Consumers cannot read ${row.port}.${row.object}.`,
      next: `Look at what is served (heddle show ${address}), then deploy again: heddle deploy ${address}`,
    }
  if (row.level.kind === 'completeness')
    return {
      kind: 'short',
      what: `The last update of ${row.port}.${row.object} brought fewer rows than promised (${percent(row.level.within)} below its baseline at most).`,
      next: `Look at the run that brought it: heddle runs ${address}`,
    }
  return (
    (await failedRun(queries, at, address)) ??
    (await lateUpstream(queries, at)) ?? {
      kind: 'idle',
      what: at.publishedAt
        ? `No run has published since ${at.publishedAt.toISOString().slice(0, 16)}Z; ${formatDuration(row.level.thresholdMs)} was promised.`
        : `Nothing is published${verdict.evaluated > 0 ? ' any more' : ''}.`,
      next: `Refresh it: heddle refresh ${address}`,
    }
  )
}

async function failedRun(
  queries: Queries,
  { product, environment, publishedAt }: Failing,
  address: string,
): Promise<Cause | null> {
  const runs = await listRuns(queries, { product: product.id, limit: 20 })
  const last = runs.find(
    (run) => run.environment === environment && ['deploy', 'promote', 'refresh'].includes(run.kind) && run.ended_at,
  )
  if (last?.state !== 'failed' || (publishedAt && last.ended_at! < publishedAt)) return null
  return {
    kind: 'run',
    what: `Run ${last.number} of ${address} failed${last.step ? ` in ${last.step}` : ''}${last.problem ? `: ${last.problem.code}` : ''}.`,
    next: `Look and go on from there: heddle logs ${last.number} --failed, then heddle retry run ${last.number}`,
    run: last.number,
  }
}

/** An input that fails itself, or has not published since we did: we have everything there is. */
async function lateUpstream(queries: Queries, { spec, environment, publishedAt }: Failing): Promise<Cause | null> {
  const inputs = (spec?.inputs ?? []).filter((input) => input.kind === 'product')
  let oldest: { address: string; at: Date | null; incident: number | null } | null = null
  for (const input of inputs) {
    const upstream = await findProduct(queries, { domain: input.domain, product: input.product })
    if (!upstream) continue
    const at = await readServedSince(queries, upstream.id, environment)
    const incident =
      (await openIncidents(queries, [upstream.id])).find((each) => each.environment === environment)?.number ?? null
    if (incident === null && at !== null && publishedAt !== null && at > publishedAt) continue
    const found = { address: `${upstream.domain}/${upstream.name}`, at, incident }
    const isOlder = oldest === null || (at?.getTime() ?? 0) < (oldest.at?.getTime() ?? 0)
    if (
      oldest === null ||
      (incident !== null && oldest.incident === null) ||
      (isOlder && (incident !== null || oldest.incident === null))
    )
      oldest = found
  }
  if (!oldest) return null
  return {
    kind: 'upstream',
    what: `${oldest.address} has published nothing newer${oldest.at ? ` than ${oldest.at.toISOString().slice(0, 16)}Z` : ''}${oldest.incident ? ` (incident ${oldest.incident})` : ''}.`,
    next: `Its owners are asked to act; look at heddle slo ${oldest.address}`,
    upstream: oldest.address,
    ...(oldest.incident !== null && { incident: oldest.incident }),
  }
}

function percent(share: number): string {
  return `${Math.round(share * 10_000) / 100} %`
}
