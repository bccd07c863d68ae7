import type { ServiceLevel } from '../api/types.ts'
import { counted } from '../text/time.ts'

type Day = ServiceLevel['days'][number]

/** Availability and freshness count hours, completeness counts updates. */
export function unitOf({ kind }: Pick<ServiceLevel, 'kind'>): 'hour' | 'update' {
  return kind === 'completeness' ? 'update' : 'hour'
}

/** 9986 → "99.86 %" */
export function formatShare(basisPoints: number): string {
  return `${basisPoints / 100} %`
}

/** Every hour or update of the day that counts was measured by a replay of the source's past. */
export function isReplayed({ good, bad, replayed = 0 }: Day): boolean {
  return replayed > 0 && replayed >= good + bad
}

/** "23 of 24 hours good, 1 not measured, replayed" */
export function dayWords(level: Pick<ServiceLevel, 'kind'>, day: Day): string {
  const unit = unitOf(level)
  const measured = day.good + day.bad
  if (!measured) return day.unevaluated ? `${counted(day.unevaluated, unit)} not measured` : 'no data'
  const replayed = isReplayed(day) ? ', replayed' : day.replayed ? `, ${day.replayed} replayed` : ''
  return `${day.good} of ${counted(measured, unit)} good${day.unevaluated ? `, ${day.unevaluated} not measured` : ''}${replayed}`
}

/** What of the budget is left, 0 to 1; null where there is none to spend. */
export function leftShare({ budget: { total, left } }: Pick<ServiceLevel, 'budget'>): number | null {
  return total === 0 ? null : Math.max(0, left) / total
}

/** "479 of 480 h", "1 of 1 update": short enough for a column. */
export function ofWords(level: Pick<ServiceLevel, 'kind'>, part: number, total: number): string {
  return `${part} of ${unitOf(level) === 'hour' ? `${total} h` : counted(total, 'update')}`
}

/** "1 of 4 h used" */
export function budgetWords(level: Pick<ServiceLevel, 'kind' | 'budget'>): string {
  const { total, used } = level.budget
  if (total === 0) return used ? `${counted(used, unitOf(level))} too many` : 'none to spend'
  return `${ofWords(level, used, total)} used`
}

const WORST: ServiceLevel['state'][] = ['breached', 'not-evaluated', 'at-risk', 'no-data', 'gathering', 'paused', 'met']

/** The level that is told first: the worst state, then the least budget. */
export function worstLevel(levels: readonly ServiceLevel[]): ServiceLevel | null {
  const sorted = levels.toSorted(
    (a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state) || (leftShare(a) ?? 2) - (leftShare(b) ?? 2),
  )
  return sorted[0] ?? null
}

/** One group for each environment and served object, in the order of the API. */
export function groupLevels(levels: readonly ServiceLevel[]): { name: string; environment: string; levels: ServiceLevel[] }[] {
  const groups = new Map<string, { name: string; environment: string; levels: ServiceLevel[] }>()
  for (const level of levels) {
    const name = level.port === level.object ? level.port : `${level.port}.${level.object}`
    const key = `${level.environment} ${name}`
    const group = groups.get(key) ?? { name, environment: level.environment, levels: [] }
    group.levels.push(level)
    groups.set(key, group)
  }
  return [...groups.values()]
}
