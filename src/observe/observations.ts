import { sql } from 'kysely'
import type { Level, Outcome, Slice } from '../slo/level.ts'
import { HOUR_MS, sliceStart } from '../slo/window.ts'
import type { Queries } from '../store/control.ts'

export type Observed = {
  monitor: string
  sliceStart: Date
  outcome: Outcome
  value: number | null
  observedAt: Date | null
  run: string | null
  replayed: boolean
  problem: string | null
}

/**
 * Writes what was measured, once for each monitor and slice; a slice that was missing or in error may still get its outcome. The levels it belongs to are
 * evaluated next.
 * @returns how many rows are new or changed
 */
export async function recordObservations(queries: Queries, observed: readonly Observed[], now: Date): Promise<number> {
  if (observed.length === 0) return 0
  const rows = await queries
    .insertInto('observation')
    .values(
      observed.map((each) => ({
        monitor: each.monitor,
        slice_start: each.sliceStart,
        outcome: each.outcome,
        value: each.value,
        observed_at: each.observedAt,
        run: each.run,
        replayed: each.replayed,
        problem: each.problem,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['monitor', 'slice_start'])
        .doUpdateSet((set) => ({
          outcome: set.ref('excluded.outcome'),
          value: set.ref('excluded.value'),
          observed_at: set.ref('excluded.observed_at'),
          recorded_at: sql<Date>`clock_timestamp()`,
          run: set.ref('excluded.run'),
          replayed: set.ref('excluded.replayed'),
          problem: set.ref('excluded.problem'),
        }))
        .where('observation.outcome', 'in', ['missing', 'error'])
        .where(sql<boolean>`excluded.outcome in ('good', 'bad')`),
    )
    .returning('monitor')
    .execute()
  if (rows.length > 0) await touch(queries, [...new Set(rows.map((row) => row.monitor))], now)
  return rows.length
}

/** The verdicts of these monitors are looked at again at the next tick. */
export async function touch(queries: Queries, monitors: readonly string[], now: Date): Promise<void> {
  if (monitors.length === 0) return
  await queries
    .updateTable('evaluation')
    .set({ due_at: now })
    .where('monitor', 'in', [...monitors])
    .execute()
}

/** Slices of a window (a day more than it, so that the strip is whole), oldest first. */
export async function readSlices(
  queries: Queries,
  monitors: readonly string[],
  since: Date,
): Promise<Map<string, (Slice & { value: number | null })[]>> {
  const found = new Map<string, (Slice & { value: number | null })[]>(monitors.map((id) => [id, []]))
  if (monitors.length === 0) return found
  const rows = await queries
    .selectFrom('observation')
    .select(['monitor', 'slice_start', 'outcome', 'value', 'replayed'])
    .where('monitor', 'in', [...monitors])
    .where('slice_start', '>', since)
    .orderBy('slice_start')
    .execute()
  for (const { monitor, slice_start, outcome, value, replayed } of rows)
    found.get(monitor)!.push({ start: slice_start.getTime(), outcome, value, ...(replayed && { replayed }) })
  return found
}

/**
 * Hours of sliced monitors that passed without a row: excluded where a planned stop touches them, else missing, and missing is never bad. The hour that
 * runs is left to the prober.
 * @returns how many were filled
 */
export async function fillGaps(queries: Queries, now: Date, windowMs: number): Promise<number> {
  const current = new Date(sliceStart(now.getTime()))
  const oldest = new Date(current.getTime() - windowMs)
  const { rows } = await sql<{ monitor: string }>`
    with last as (
      select m.id, greatest(o.slice_start, ${oldest}::timestamptz) as newest
      from monitor m cross join lateral (
        select slice_start from observation where monitor = m.id and slice_start <= ${current}::timestamptz order by slice_start desc limit 1
      ) o
      where m.kind in ('availability', 'freshness') and o.slice_start < ${new Date(current.getTime() - HOUR_MS)}::timestamptz
    )
    insert into observation (monitor, slice_start, outcome)
    select last.id, hour, case when exists (
        select from planned_stop s where s.began_at < hour + interval '1 hour' and coalesce(s.ended_at, ${now}::timestamptz) > hour
      ) then 'excluded' else 'missing' end
    from last, generate_series(last.newest + interval '1 hour', ${new Date(current.getTime() - HOUR_MS)}::timestamptz, interval '1 hour') hour
    on conflict do nothing
    returning monitor`.execute(queries)
  await touch(queries, [...new Set(rows.map((row) => row.monitor))], now)
  return rows.length
}

export async function beginPlannedStop(queries: Queries, stop: { id: string; at: Date }): Promise<void> {
  await queries.insertInto('planned_stop').values({ id: stop.id, began_at: stop.at, ended_at: null }).execute()
}

export async function endPlannedStop(queries: Queries, at: Date): Promise<void> {
  await queries.updateTable('planned_stop').set({ ended_at: at }).where('ended_at', 'is', null).execute()
}

/** The longest any level looks back. */
export function longestWindow(levels: readonly Level[]): number {
  return Math.max(20 * 24 * HOUR_MS, ...levels.map((level) => level.windowMs))
}
