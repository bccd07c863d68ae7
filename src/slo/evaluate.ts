import { type Budget, budgetOf } from './budget.ts'
import { isEvaluated, type Level, MILLION, millionths, type Series, type Slice } from './level.ts'
import { DAY_MS, HOUR_MS, inWindow, sliceStart } from './window.ts'

export type LevelState = 'met' | 'at-risk' | 'breached' | 'gathering' | 'no-data' | 'not-evaluated' | 'paused'
/** One bar of the strip; `day` as 2026-03-01, in UTC. */
export type DayBar = {
  day: string
  state: 'met' | 'at-risk' | 'breached' | 'no-data' | 'not-evaluated'
  good: number
  bad: number
  unevaluated: number
  /** of the good and bad ones: measured by a run that replayed the source's past */
  replayed: number
}
export type Verdict = {
  state: LevelState
  /** the promise does not hold at this moment, whatever the window says: what opens and closes an incident */
  failing: boolean
  /** good ÷ evaluated in basis points, rounded down so that 99.999 % is never shown as all; null when nothing was evaluated */
  value: number | null
  good: number
  evaluated: number
  /** slices of the window that nobody could or did measure */
  unevaluated: number
  budget: Budget
  days: DayBar[]
  /** one sentence: what comes next for this level */
  next: string
}

const STRIP_DAYS = 20
/** A share of fewer slices says little: one day of them. */
const ENOUGH_SLICES = 24
/** So many slices without a measurement, and nobody may say that all is well. */
const SILENT_SLICES = 2

/** The service level as it stands. Pure and in whole numbers: the same rows always give the same verdict. */
export function evaluate(level: Level, series: Series, now: number): Verdict {
  const slices = inWindow(level, series.slices, now)
  const good = slices.filter(({ outcome }) => outcome === 'good').length
  const evaluated = slices.filter(({ outcome }) => isEvaluated(outcome)).length
  const unevaluated = slices.filter(({ outcome }) => outcome === 'error' || outcome === 'missing').length
  const budget = budgetOf(level, slices)
  const failing = !series.paused && isFailing(slices, series)
  const state = stateOf(level, series, { now, slices, good, evaluated, budget, failing })
  return {
    state,
    failing,
    value: evaluated === 0 ? null : Math.floor((good * 10_000) / evaluated),
    good,
    evaluated,
    unevaluated,
    budget,
    days: daysOf(level, series.slices, now),
    next: nextOf(level, state, { budget, evaluated, failing, updates: slices.length }),
  }
}

function isFailing(slices: readonly Slice[], { current }: Series): boolean {
  if (current !== null) return current === 'bad'
  return slices.findLast(({ outcome }) => isEvaluated(outcome))?.outcome === 'bad'
}

type Counted = {
  now: number
  slices: readonly Slice[]
  good: number
  evaluated: number
  budget: Budget
  failing: boolean
}

/** The first that holds. What is not known comes before what would look well. */
function stateOf(level: Level, series: Series, { now, slices, good, evaluated, budget, failing }: Counted): LevelState {
  if (series.paused) return 'paused'
  if (level.kind === 'completeness') {
    if (slices.length === 0) return now - series.since < level.windowMs ? 'gathering' : 'no-data'
  } else if (isSilent(slices, series.since, now)) return slices.length === 0 ? 'no-data' : 'not-evaluated'
  if (budget.left < 0) return 'breached'
  if (failing) return 'at-risk'
  if (evaluated < (level.kind === 'completeness' ? 1 : ENOUGH_SLICES)) return 'gathering'
  if (good * MILLION < evaluated * millionths(level.target)) return 'at-risk'
  return budget.used > 0 && budget.used * 3 >= budget.total * 2 ? 'at-risk' : 'met'
}

/** Has nobody measured lately? A planned stop is no silence. */
function isSilent(slices: readonly Slice[], since: number, now: number): boolean {
  const newest = slices.findLast(({ outcome }) => isEvaluated(outcome) || outcome === 'excluded')
  const last = newest ? newest.start : sliceStart(since) - HOUR_MS
  return sliceStart(now) - last >= SILENT_SLICES * HOUR_MS
}

function daysOf(level: Level, slices: readonly Slice[], now: number): DayBar[] {
  const today = Math.floor(now / DAY_MS) * DAY_MS
  return Array.from({ length: STRIP_DAYS }, (_, at) => {
    const begin = today - (STRIP_DAYS - 1 - at) * DAY_MS
    const those = slices.filter(({ start }) => start >= begin && start < begin + DAY_MS && start <= now)
    const good = those.filter(({ outcome }) => outcome === 'good').length
    const bad = those.filter(({ outcome }) => outcome === 'bad').length
    const unevaluated = those.filter(({ outcome }) => outcome === 'error' || outcome === 'missing').length
    return {
      day: new Date(begin).toISOString().slice(0, 10),
      state: dayState(level, good, bad, unevaluated),
      good,
      bad,
      unevaluated,
      replayed: those.filter(({ outcome, replayed }) => replayed === true && isEvaluated(outcome)).length,
    }
  })
}

function dayState(level: Level, good: number, bad: number, unevaluated: number): DayBar['state'] {
  if (good + bad === 0) return unevaluated > 0 ? 'not-evaluated' : 'no-data'
  if (bad === 0) return 'met'
  return good * MILLION >= (good + bad) * millionths(level.target) ? 'at-risk' : 'breached'
}

type Known = { budget: Budget; evaluated: number; failing: boolean; updates: number }

function nextOf(level: Level, state: LevelState, { budget: { left }, evaluated, failing, updates }: Known): string {
  const one = level.kind === 'completeness' ? 'update' : 'hour'
  const bad = { availability: 'unreadable', freshness: 'late', completeness: 'short' }[level.kind]
  const many = (n: number) => `${n} ${one}${n === 1 ? '' : 's'}`
  switch (state) {
    case 'paused':
      return 'Nothing is measured while it is paused.'
    case 'no-data':
      return 'Nothing was measured in the window.'
    case 'not-evaluated':
      return 'The newest hours were not measured; the platform team is told.'
    case 'gathering':
      if (level.kind === 'completeness') {
        const needed = Math.max(1, level.minimum)
        return `It needs ${needed} updates to compare with and has ${Math.min(updates, needed)}; the next after them is judged.`
      }
      return `${many(Math.max(1, ENOUGH_SLICES - evaluated))} more and it is judged.`
    case 'breached':
      return failing
        ? `The budget is spent by ${many(-left)}, and it goes on.`
        : `The budget is spent by ${many(-left)}; it recovers as bad ${one}s leave the window.`
    default:
      return left === 0 ? `One more ${bad} ${one} breaches it.` : `${many(left + 1)} more that are ${bad} would breach it.`
  }
}
