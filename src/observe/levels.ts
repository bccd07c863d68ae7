import { sql } from 'kysely'
import { evaluate, type LevelState, type Verdict } from '../slo/evaluate.ts'
import { DAY_MS, HOUR_MS, sliceStart } from '../slo/window.ts'
import type { ServiceLevel } from '../spec/types.ts'
import { json, type Queries } from '../store/control.ts'
import { longestWindow, readSlices } from './observations.ts'

export type LevelRow = {
  id: string
  product: string
  environment: string
  port: string
  object: string
  kind: ServiceLevel['kind']
  level: ServiceLevel
  since: Date
  evaluation: { at: Date; state: LevelState; since: Date; verdict: Verdict } | null
}
export type Judged = { row: LevelRow; verdict: Verdict; dueAt: Date }

/** A verdict older than this says nothing about now: no false "met" while nobody evaluates. */
export const STALE_MS = 15 * 60_000
const LOOK_AGAIN_MS = 5 * 60_000
const BATCH = 1_000

/** Levels whose verdict may have changed, of at most so many that a tick stays short. */
export async function dueLevels(queries: Queries, now: Date): Promise<LevelRow[]> {
  return readLevels(queries, sql`e.monitor is null or e.due_at <= ${now}::timestamptz`, BATCH)
}

export async function levelsOf(queries: Queries, products: readonly string[]): Promise<LevelRow[]> {
  if (products.length === 0) return []
  return readLevels(queries, sql`m.product = any(${[...products]}::uuid[])`, null)
}

async function readLevels(queries: Queries, which: ReturnType<typeof sql>, limit: number | null): Promise<LevelRow[]> {
  const { rows } = await sql<
    Omit<LevelRow, 'evaluation'> & { at: Date | null; state: LevelState; state_since: Date; verdict: Verdict }
  >`
    select m.id, m.product, m.environment, m.port, m.object, m.kind, m.level, m.since, e.at, e.state, e.since as state_since, e.verdict
    from monitor m left join evaluation e on e.monitor = m.id
    where ${which}
    order by m.product, m.environment, m.port, m.object, m.kind limit ${limit}`.execute(queries)
  return rows.map(({ at, state, state_since, verdict, ...row }) => ({
    ...row,
    evaluation: at === null ? null : { at, state, since: state_since, verdict },
  }))
}

/** Verdicts of levels of one product in one environment; `publishedAt` is the first publication of what is served there now. */
export async function judgeLevels(
  queries: Queries,
  rows: readonly LevelRow[],
  { publishedAt, paused, now }: { publishedAt: Date | null; paused: boolean; now: Date },
): Promise<Judged[]> {
  const since = new Date(now.getTime() - longestWindow(rows.map((row) => row.level)) - DAY_MS)
  const slices = await readSlices(
    queries,
    rows.map((row) => row.id),
    since,
  )
  return rows.map((row) => {
    const own = slices.get(row.id)!
    const verdict = evaluate(
      row.level,
      {
        slices: own,
        since: Math.min(row.since.getTime(), own[0]?.start ?? Infinity),
        current: currentOf(row.level, publishedAt, now),
        paused,
      },
      now.getTime(),
    )
    return { row, verdict, dueAt: nextLook(row.level, publishedAt, now) }
  })
}

/** By the clock a publication is late at the minute, not at the next measured hour. */
function currentOf(level: ServiceLevel, publishedAt: Date | null, now: Date): 'good' | 'bad' | null {
  if (level.kind !== 'freshness' || level.element !== null || publishedAt === null) return null
  return now.getTime() - publishedAt.getTime() <= level.thresholdMs ? 'good' : 'bad'
}

function nextLook(level: ServiceLevel, publishedAt: Date | null, now: Date): Date {
  const late = level.kind === 'freshness' && publishedAt ? publishedAt.getTime() + level.thresholdMs + 1 : Infinity
  const moments = [now.getTime() + LOOK_AGAIN_MS, sliceStart(now.getTime()) + HOUR_MS, late].filter((at) => at > now.getTime())
  return new Date(Math.min(...moments))
}

/** The verdicts become what everybody is shown; a state that stays keeps its beginning. */
export async function saveEvaluations(queries: Queries, judged: readonly Judged[], now: Date): Promise<void> {
  if (judged.length === 0) return
  await queries
    .insertInto('evaluation')
    .values(
      judged.map(({ row, verdict, dueAt }) => ({
        monitor: row.id,
        at: now,
        due_at: dueAt,
        state: verdict.state,
        since: row.evaluation?.state === verdict.state ? row.evaluation.since : now,
        verdict: json(verdict),
      })),
    )
    .onConflict((conflict) =>
      conflict.column('monitor').doUpdateSet((set) => ({
        at: set.ref('excluded.at'),
        // what was measured while this was judged is looked at next
        due_at: sql<Date>`case when evaluation.due_at > ${now}::timestamptz then least(evaluation.due_at, excluded.due_at) else excluded.due_at end`,
        state: set.ref('excluded.state'),
        since: set.ref('excluded.since'),
        verdict: set.ref('excluded.verdict'),
      })),
    )
    .execute()
}

/** What a reader is told now: gathering before the first verdict, not-evaluated when the last one is old. */
export function shownState({ evaluation }: Pick<LevelRow, 'evaluation'>, now: Date): LevelState {
  if (!evaluation) return 'gathering'
  return now.getTime() - evaluation.at.getTime() > STALE_MS ? 'not-evaluated' : evaluation.state
}

const WORST: readonly LevelState[] = ['breached', 'not-evaluated', 'at-risk', 'no-data', 'gathering', 'paused', 'met']

/** The state that stands for several; null of none. */
export function worstState(states: readonly LevelState[]): LevelState | null {
  return WORST.find((state) => states.includes(state)) ?? null
}

/** When anything was evaluated last, and whether there is anything to evaluate. */
export async function newestEvaluation(queries: Queries): Promise<{ at: Date | null; oldestMonitor: Date | null }> {
  const { rows } = await sql<{ at: Date | null; oldest: Date | null }>`
    select (select max(at) from evaluation) as at, (select min(since) from monitor) as oldest`.execute(queries)
  return { at: rows[0]!.at, oldestMonitor: rows[0]!.oldest }
}
