import { sql } from 'kysely'
import { findProduct, type ProductRow } from './catalog/products.ts'
import { serviceSubject } from './core/address.ts'
import { asHeddleError } from './core/fail.ts'
import { startRefresh } from './lifecycle/deploy.ts'
import type { LifecycleDeps } from './lifecycle/deps.ts'
import { DAY_MS, sliceStart } from './slo/window.ts'

/** A source whose past is shown day by day, and the product that loads it. */
export type Replay = {
  domain: string
  product: string
  environment: string
  /** days of the source that follow the first load, oldest first: `2013-12-07` */
  days: readonly string[]
  /** from now on the source holds everything through this day, and nothing after it; doing it again changes nothing */
  arrive(day: string): Promise<void>
}
/** `problem`: why it does not go on, and what helps */
export type ReplayProgress = { done: number; total: number; problem: string | null }
export type ReplayDeps = Pick<LifecycleDeps, 'control' | 'log'>

const POLL_MS = 200
const AGAIN_MS = 5_000
/** What follows from a day should have read it before the next one comes; a product that cannot must not hold up the others for ever. */
const FOLLOWERS_MS = 60_000
const ENDED = new Set(['succeeded', 'failed', 'cancelled', 'superseded', 'denied'])
/** With these there is nothing left to replay into. */
const OVER = new Set(['PRODUCT_RETIRED', 'PRODUCT_RETIRING', 'DEPLOY_NOTHING_THERE'])

/**
 * Lets one day of the source after the other arrive and loads each with a refresh in the background, as if the last one had come when the product was
 * first published and the others on the days before. What was done is read from the runs, so a replay that was interrupted goes on, and no day comes twice.
 * @returns how far it came: all days, unless it was stopped or the product is gone
 */
export async function replayDays(
  deps: ReplayDeps,
  replay: Replay,
  { signal, tell }: { signal: AbortSignal; tell(progress: ReplayProgress): void },
): Promise<ReplayProgress> {
  const total = replay.days.length
  const loaded = await countLoaded(deps, replay)
  if (loaded === total) return { done: total, total, problem: null }
  // the newest one is looked at again: what follows from it may have been interrupted
  let done = Math.max(0, loaded - 1)
  const say = (problem: string | null = null): ReplayProgress => {
    const progress = { done, total, problem }
    tell(progress)
    return progress
  }
  while (done < total && !signal.aborted) {
    try {
      const product = await findProduct(deps.control.db, replay)
      if (!product || product.state === 'retired') return say(`${replay.domain}/${replay.product} is not there`)
      say()
      const broken = await replayDay(deps, { ...replay, row: product, day: done }, signal)
      if (broken === null) done++
      else if (!signal.aborted) {
        say(broken)
        await pause(AGAIN_MS, signal)
      }
    } catch (thrown) {
      if (signal.aborted) break
      const error = asHeddleError(thrown)
      if (OVER.has(error.code)) return say(error.message)
      deps.log(`replay of ${replay.domain}/${replay.product}, ${replay.days[done]}: ${error.code} ${error.message}`)
      await pause(AGAIN_MS, signal)
    }
  }
  return say()
}

/** Days that are loaded since an earlier start: all before the newest one that is. */
async function countLoaded({ control }: ReplayDeps, { domain, product, environment, days }: Replay): Promise<number> {
  const { rows } = await sql<{ day: string }>`
    select max(r.detail ->> 'sourceDay') as day from run r join product p on p.id = r.product
    where p.domain = ${domain} and p.name = ${product} and r.environment = ${environment} and r.state = 'succeeded'`.execute(
    control.db,
  )
  return days.filter((day) => day <= (rows[0]!.day ?? '')).length
}

type Day = Replay & { row: ProductRow; day: number }

/** @returns null when the day has been loaded, else why not */
async function replayDay(deps: ReplayDeps, at: Day, signal: AbortSignal): Promise<string | null> {
  const sourceDay = at.days[at.day]!
  let run = await readRun(deps, at, sourceDay)
  if (!run || run.state === 'superseded') {
    await at.arrive(sourceDay)
    await deps.control.db.transaction().execute(async (queries) =>
      startRefresh(queries, {
        product: at.row,
        environment: at.environment,
        by: serviceSubject({ domain: at.domain, product: at.product }),
        because: `${sourceDay} of the source, day ${at.day + 1} of ${at.days.length}, replayed`,
        replayed: { sourceDay, logicalDate: (await logicalDate(deps, at)).toISOString() },
      }),
    )
    run = await readRun(deps, at, sourceDay)
  }
  while (run && !ENDED.has(run.state) && !signal.aborted) {
    await pause(POLL_MS, signal)
    run = await readRun(deps, at, sourceDay)
  }
  if (run?.state === 'succeeded') {
    await followers(deps, run.id, signal)
    return null
  }
  if (!run || run.state === 'superseded' || !ENDED.has(run.state)) return 'it begins this day again'
  // What has been loaded since then holds this day too.
  return run.overtaken
    ? null
    : `run ${run.number} ${run.state === 'failed' ? 'failed' : `is ${run.state}`}: heddle retry ${run.number}`
}

/**
 * The last day is shown as arriving in the hour in which the product was first published, each earlier one a day before the next: what is replayed never lies
 * over what was measured.
 */
async function logicalDate({ control }: ReplayDeps, { row, environment, day, days }: Day): Promise<Date> {
  const first = await control.db
    .selectFrom('publication')
    .select(({ fn }) => fn.min('at').as('at'))
    .where('product', '=', row.id)
    .where('environment', '=', environment)
    .executeTakeFirstOrThrow()
  return new Date(sliceStart((first.at ?? new Date()).getTime()) - (days.length - 1 - day) * DAY_MS)
}

type DayRun = { id: string; number: number; state: string; overtaken: boolean }

async function readRun({ control }: ReplayDeps, { row, environment }: Day, sourceDay: string): Promise<DayRun | null> {
  const { rows } = await sql<DayRun>`
    select r.id, r.number, r.state, exists (select from run n where n.product = r.product and n.environment = r.environment and n.number > r.number
      and n.kind in ('deploy', 'refresh') and n.state = 'succeeded') as overtaken
    from run r where r.product = ${row.id} and r.environment = ${environment} and r.detail ->> 'sourceDay' = ${sourceDay}
    order by r.number desc limit 1`.execute(control.db)
  return rows[0] ?? null
}

/** Waits until the publication of a run is known, and whoever waits for it has read it. */
async function followers({ control }: ReplayDeps, run: string, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + FOLLOWERS_MS; performance.now() < end && !signal.aborted; await pause(POLL_MS, signal)) {
    const { rows } = await sql<{ known: boolean; busy: boolean }>`
      select exists (select from publication where payload ->> 'run' = ${run}) as known,
        exists (select from run where priority < 0 and state in ('queued', 'running'))
        or exists (select from publication e
          join published_port p on p.product = e.product and e.environment = p.environment and p.at = e.at
          join trigger_source s on s.upstream = p.product and s.environment = p.environment and s.port = p.port and s.major = p.major and s.seen < p.publication
          join trigger t on t.product = s.product and t.environment = s.environment and t.component = s.component
          where e.payload ->> 'run' = ${run} and t.definition -> 'events' -> 'inputs' ? s.input) as busy`.execute(control.db)
    if (rows[0]!.known && !rows[0]!.busy) return
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
