import { touchFreshness } from '../catalog/make-searchable.ts'
import { productById } from '../catalog/products.ts'
import { serviceSubject } from '../core/address.ts'
import { asHeddleError } from '../core/fail.ts'
import { judge, type TriggerDefinition, triggersOf } from '../plan/triggers.ts'
import type { Warehouse } from '../platform/warehouse.ts'
import { recordPublication } from '../run/publications.ts'
import { currentRelease } from '../run/releases.ts'
import {
  forgetTrigger,
  isCovered,
  lockTrigger,
  readCandidates,
  readNews,
  readReplayedNews,
  type SourceNews,
  settleTrigger,
  type TriggerKey,
} from '../run/triggers.ts'
import { nextDue } from '../spec/next-due.ts'
import type { Queries } from '../store/control.ts'
import { startRefresh } from './deploy.ts'
import type { LifecycleDeps } from './deps.ts'

const POLL_MS = 1_000
/** A trigger whose run cannot be planned is tried again after this, not every second. */
const HOLD_MS = 60_000

/** Takes an environment's publications over as they come and starts what they, or the clock, make due. @returns how to stop it */
export async function watchPublications(deps: LifecycleDeps, warehouse: Warehouse): Promise<() => Promise<void>> {
  const { environment } = warehouse
  const held = new Map<string, number>()
  let isStopped = false
  let isHinted = false
  let wake = () => {}
  const watch = await warehouse.watchOutbox(() => {
    isHinted = true
    wake()
  })
  const done = (async () => {
    while (!isStopped) {
      isHinted = false
      await look(deps, warehouse, held).catch((error: Error) => deps.log(`publications of ${environment}: ${error.message}`))
      if (isHinted || isStopped) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  })()
  return async () => {
    isStopped = true
    wake()
    await watch.close()
    await done
  }
}

async function look(deps: LifecycleDeps, warehouse: Warehouse, held: Map<string, number>): Promise<void> {
  const { environment } = warehouse
  await warehouse.drainOutbox(async (event) => {
    await recordPublication(deps.control.db, { ...event, environment })
    await touchFreshness(deps.control.db, event.product, new Date(event.at))
  })
  const now = deps.clock.now()
  for (const key of await readCandidates(deps.control.db, environment, now)) {
    const name = `${key.product} ${key.component}`
    if ((held.get(name) ?? 0) > now.getTime()) continue
    try {
      await deps.control.db.transaction().execute((queries) => fireTrigger(deps, queries, key))
      held.delete(name)
    } catch (thrown) {
      held.set(name, now.getTime() + HOLD_MS)
      const error = asHeddleError(thrown)
      deps.log(`trigger ${key.component} of product ${key.product} in ${environment}: ${error.code} ${error.message}`)
    }
  }
}

/** Starts the refresh a trigger asks for, once for each set of upstream publications. @returns its number, or null when there is nothing to do now */
export async function fireTrigger(deps: LifecycleDeps, queries: Queries, key: TriggerKey): Promise<number | null> {
  const trigger = await lockTrigger(queries, key)
  if (!trigger) return null
  const product = await productById(queries, key.product)
  const release = await currentRelease(queries, key.product, key.environment)
  const isKept = release && triggersOf(release.spec).some(({ component }) => component === key.component)
  if (product.state === 'retired' || !isKept) {
    // A deploy under way has written rows of the release it will record.
    if (!(await isCovered(queries, key))) await forgetTrigger(queries, key)
    return null
  }
  const { definition } = trigger
  const { cron } = definition
  const now = deps.clock.now()
  const sources = await readNews(queries, key)
  const news = Object.fromEntries(sources.map((source) => [source.input, source.news]))
  const verdict = judge(definition, { now, nextDue: trigger.next_due, news })
  const isClockDue = trigger.next_due !== null && trigger.next_due <= now
  const next = cron && isClockDue ? nextDue(cron.schedule, cron.timeZone, now) : trigger.next_due
  const isBusy = verdict.fire && (await isCovered(queries, key))
  if (!verdict.fire || isBusy) {
    // The clock's time has passed: a run on its way answers it, or nothing was new.
    if (isClockDue) await settleTrigger(queries, key, { nextDue: next, firedAt: null })
    return null
  }
  const because =
    verdict.by === 'clock' ? `schedule "${cron?.schedule}" ${cron?.timeZone}` : describeNews(sources, definition.events!)
  const logical = await readReplayedNews(queries, key, datingInputs(definition, verdict.by, sources))
  const { number } = await startRefresh(queries, {
    product,
    environment: key.environment,
    by: serviceSubject({ domain: product.domain, product: product.name }),
    because,
    replayed: logical && { logicalDate: logical.toISOString() },
  })
  await settleTrigger(queries, key, { nextDue: next, firedAt: now })
  return number
}

/** What a run is dated by: the inputs it waits for. By the clock, all of them; a product that reads files too reads them as they are now, so nothing dates it. */
function datingInputs(
  { events, onlyProducts }: TriggerDefinition,
  by: 'events' | 'clock',
  sources: readonly SourceNews[],
): string[] {
  if (by === 'events') return events!.inputs
  return onlyProducts ? sources.map(({ input }) => input) : []
}

function describeNews(sources: readonly SourceNews[], { inputs, match }: NonNullable<TriggerDefinition['events']>): string {
  const asked = sources.filter(({ input }) => inputs.includes(input))
  const list = (some: readonly SourceNews[]) => some.map(({ domain, name }) => `${domain}/${name}`).join(', ')
  const stale = asked.filter(({ news }) => news === null)
  const fresh = asked.filter(({ news }) => news !== null)
  return match === 'all' && stale.length > 0
    ? `${list(fresh)} published; not waiting longer for ${list(stale)}`
    : `${list(fresh)} published`
}
