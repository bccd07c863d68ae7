import { type RawBuilder, sql } from 'kysely'
import { judgeUpdate } from '../slo/judge-update.ts'
import { DAY_MS, HOUR_MS, sliceStart } from '../slo/window.ts'
import type { ServiceLevel } from '../spec/types.ts'
import type { Control, Queries } from '../store/control.ts'
import { type Observed, readSlices, recordObservations, touch } from './observations.ts'

type Published = {
  id: string
  product: string
  environment: string
  at: Date
  payload: { run?: string; ports?: { port: string; major: number; objects: { name: string; rows: number }[] }[] }
  /** the day of the source that a replayed run carries, in `run.detail.logicalDate` */
  logical: Date | null
  /** earlier rows served again: a publication that is no update */
  rolled_back: boolean
}
type Monitor = { id: string; port: string; object: string; kind: ServiceLevel['kind']; level: ServiceLevel }

/**
 * Judges the rows of each publication once, when its run has ended (the monitors of a first release come after its publication). A replayed run's update
 * counts on the day of its source, and the hours of that day are written with it.
 * @returns publications handled
 */
export async function observeUpdates(control: Control, now: Date): Promise<number> {
  const published = await readUnobserved(control.db)
  for (const publication of published)
    await control.db.transaction().execute(async (queries) => {
      const monitors = await readMonitors(queries, publication)
      const updates: Observed[] = []
      for (const monitor of monitors) updates.push(...(await observeUpdate(queries, monitor, publication)))
      if (publication.logical) updates.push(...replayedHours(monitors, publication, publication.logical, now))
      await recordObservations(queries, updates, now)
      await touch(
        queries,
        monitors.map(({ id }) => id),
        now,
      )
      await queries.updateTable('publication').set({ observed_at: now }).where('id', '=', publication.id).execute()
    })
  return published.length
}

/**
 * When the data that is served now was published first: a roll back serves old rows and makes nothing fresh. An SQL expression over a product and an
 * environment, null before the first publication.
 */
export function servedSince(product: RawBuilder<unknown>, environment: RawBuilder<unknown>): RawBuilder<Date | null> {
  return sql<Date | null>`(
    select min(first.at) from publication first
    where first.product = ${product} and first.environment = ${environment} and first.payload ->> 'revision' = (
      select last.payload ->> 'revision' from publication last
      where last.product = ${product} and last.environment = ${environment} order by last.at desc limit 1))`
}

export async function readServedSince(queries: Queries, product: string, environment: string): Promise<Date | null> {
  return (await readAllServedSince(queries, product))[environment] ?? null
}

/** The same of every environment that has a publication. */
export async function readAllServedSince(queries: Queries, product: string): Promise<Record<string, Date>> {
  return Object.fromEntries((await readServedSinceOf(queries, [product])).map(({ environment, at }) => [environment, at]))
}

/** The same of many products. */
export async function readServedSinceOf(
  queries: Queries,
  products: readonly string[],
): Promise<{ product: string; environment: string; at: Date }[]> {
  const { rows } = await sql<{ product: string; environment: string; at: Date }>`
    select e.product, e.environment, ${servedSince(sql`e.product`, sql`e.environment`)} as at
    from (select distinct product, environment from publication where product = any(${[...products]}::uuid[])) e`.execute(queries)
  return rows
}

async function readUnobserved(queries: Queries): Promise<Published[]> {
  const { rows } = await sql<Published>`
    select p.id, p.product, p.environment, p.at, p.payload, (r.detail ->> 'logicalDate')::timestamptz as logical, coalesce(r.kind = 'rollback', false) as rolled_back
    from publication p left join run r on r.id = (p.payload ->> 'run')::uuid
    where p.observed_at is null and (r.state is null or r.state not in ('waiting', 'queued', 'running'))
    order by p.at limit 200`.execute(queries)
  return rows
}

async function readMonitors(queries: Queries, at: { product: string; environment: string }): Promise<Monitor[]> {
  return queries
    .selectFrom('monitor')
    .select(['id', 'port', 'object', 'kind', 'level'])
    .where('product', '=', at.product)
    .where('environment', '=', at.environment)
    .execute()
}

async function observeUpdate(queries: Queries, monitor: Monitor, publication: Published): Promise<Observed[]> {
  const { level } = monitor
  if (level.kind !== 'completeness' || publication.rolled_back) return []
  const rows = rowsOf(publication.payload, monitor)
  if (rows === null) return []
  const at = publication.logical ?? publication.at
  const slices = (await readSlices(queries, [monitor.id], new Date(at.getTime() - level.windowMs - 1))).get(monitor.id)!
  const earlier = slices.flatMap(({ start, value }) => (value === null ? [] : [{ at: start, value }]))
  const row = {
    monitor: monitor.id,
    sliceStart: at,
    observedAt: publication.at,
    run: publication.payload.run ?? null,
    replayed: publication.logical !== null,
    problem: null,
  }
  let value: number = rows
  if (level.of === 'delta') {
    const before = await rowsBefore(queries, monitor, publication)
    if (before === null) return [{ ...row, outcome: 'excluded', value: null }]
    value = rows - before
  }
  return [{ ...row, value, outcome: judgeUpdate(level, earlier, { at: at.getTime(), value }) }]
}

function rowsOf(payload: Published['payload'], { port, object }: Monitor): number | null {
  const ports = (payload.ports ?? []).filter((each) => each.port === port).sort((a, b) => b.major - a.major)
  for (const { objects } of ports) {
    const found = objects.find((each) => each.name === object)
    if (found) return found.rows
  }
  return null
}

async function rowsBefore(queries: Queries, monitor: Monitor, { product, environment, at }: Published): Promise<number | null> {
  const before = await queries
    .selectFrom('publication')
    .select('payload')
    .where('product', '=', product)
    .where('environment', '=', environment)
    .where('at', '<', at)
    .orderBy('at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return before ? rowsOf(before.payload as Published['payload'], monitor) : null
}

/** The hours that a replayed update was the newest one, up to a day: readable because its run served it, fresh by its own age. */
function replayedHours(monitors: readonly Monitor[], publication: Published, logical: Date, now: Date): Observed[] {
  const first = sliceStart(logical.getTime() + HOUR_MS - 1)
  const end = Math.min(first + DAY_MS, sliceStart(now.getTime()))
  const found: Observed[] = []
  for (const { id, level } of monitors) {
    if (level.kind === 'completeness') continue
    for (let start = first; start < end; start += HOUR_MS) {
      const ageMs = start - logical.getTime()
      found.push({
        monitor: id,
        sliceStart: new Date(start),
        outcome: level.kind === 'availability' || ageMs <= level.thresholdMs ? 'good' : 'bad',
        value: level.kind === 'availability' ? null : Math.floor(ageMs / 1000),
        observedAt: publication.at,
        run: publication.payload.run ?? null,
        replayed: true,
        problem: null,
      })
    }
  }
  return found
}
