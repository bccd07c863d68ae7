import type { InputPort, ProductSpec, Trigger } from '../spec/types.ts'

/** A component's trigger as it is kept: its sources are the data-product input ports it waits for. */
export type TriggerDefinition = {
  component: string
  cron: Trigger['cron']
  events: (Omit<NonNullable<Trigger['events']>, 'sources'> & { inputs: string[] }) | null
  /** nothing but other products is read: without a newer one of them there is nothing to do */
  onlyProducts: boolean
}

/** Publications of one source that no run was started for yet; null = none. */
export type News = { first: Date; last: Date } | null

export type Verdict =
  | { fire: false; lookAgain: Date | null }
  /** `complete`: every source that was asked for has something newer */
  | { fire: true; complete: boolean; by: 'events' | 'clock' }
  /** the clock's time came and nothing was new */
  | { fire: false; skipped: true; lookAgain: null }

export function triggersOf(spec: ProductSpec): TriggerDefinition[] {
  const products = new Set(spec.inputs.filter(isProduct).map((input) => input.name))
  const onlyProducts = products.size > 0 && products.size === spec.inputs.length
  return [...spec.ingestions, ...spec.transformations].flatMap(({ name, trigger }) => {
    if (!trigger) return []
    const inputs = (trigger.events?.sources ?? []).filter((source) => products.has(source))
    const events =
      trigger.events && inputs.length > 0
        ? { match: trigger.events.match, debounceMs: trigger.events.debounceMs, maxWaitMs: trigger.events.maxWaitMs, inputs }
        : null
    return events || trigger.cron ? [{ component: name, cron: trigger.cron, events, onlyProducts }] : []
  })
}

function isProduct(input: InputPort): input is Extract<InputPort, { kind: 'product' }> {
  return input.kind === 'product'
}

/**
 * Does it fire now? Events first: once the sources asked for are newer and have been quiet for the debounce, at the latest `maxWait` after the first news,
 * then also with sources that have nothing newer. Else the clock, any number of missed times as one.
 * @param facts.news of every input that is a product, by the input's name
 */
export function judge(
  definition: Pick<TriggerDefinition, 'events' | 'onlyProducts'>,
  facts: { now: Date; nextDue: Date | null; news: Readonly<Record<string, News>> },
): Verdict {
  const { events, onlyProducts } = definition
  const byEvents: Verdict = events
    ? judgeEvents(
        events,
        events.inputs.map((input) => facts.news[input] ?? null),
        facts.now,
      )
    : { fire: false, lookAgain: null }
  if (byEvents.fire || !facts.nextDue || facts.nextDue > facts.now) return byEvents
  const all = Object.values(facts.news)
  if (onlyProducts && all.every((each) => each === null)) return { fire: false, skipped: true, lookAgain: null }
  return { fire: true, complete: all.every((each) => each !== null), by: 'clock' }
}

function judgeEvents(events: NonNullable<TriggerDefinition['events']>, news: readonly News[], now: Date): Verdict {
  const fresh = news.filter((each) => each !== null)
  if (fresh.length === 0) return { fire: false, lookAgain: null }
  const deadline =
    events.maxWaitMs === null
      ? Number.POSITIVE_INFINITY
      : Math.min(...fresh.map(({ first }) => first.getTime())) + events.maxWaitMs
  const quiet = Math.max(...fresh.map(({ last }) => last.getTime())) + events.debounceMs
  const complete = fresh.length === news.length
  const at = complete || events.match === 'any' ? Math.min(quiet, deadline) : deadline
  if (at <= now.getTime()) return { fire: true, complete, by: 'events' }
  return { fire: false, lookAgain: Number.isFinite(at) ? new Date(at) : null }
}
