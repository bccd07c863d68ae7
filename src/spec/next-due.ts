import { type Cron, readCron } from './cron.ts'

const MINUTE = 60_000
const DAY = 86_400_000
/** A 29 February that falls on a given weekday comes back within 28 years, or 40 across a century. */
const HORIZON_DAYS = 41 * 366

/**
 * The first time after `after` that a five-field schedule names in a time zone. A local time that the clocks skip fires at the moment they jump over it;
 * one that they show twice fires the first time. @returns null when the schedule cannot be read or never fires
 */
export function nextDue(schedule: string, timeZone: string, after: Date): Date | null {
  const cron = readCron(schedule)
  if (typeof cron === 'string') return null
  const offsetAt = offsetReader(timeZone)
  const start = after.getTime()
  const localStart = start + offsetAt(start)
  // From the day before: clocks that go back bring times of the local day before `after` once more, and a skipped midnight belongs to it.
  const firstDay = Math.floor(localStart / DAY) * DAY - DAY
  for (let day = firstDay; day <= firstDay + HORIZON_DAYS * DAY; day += DAY) {
    if (!matchesDay(cron, new Date(day))) continue
    let best = Number.POSITIVE_INFINITY
    for (const hour of cron.hour)
      for (const minute of cron.minute) {
        const at = instantOf(day + (hour * 60 + minute) * MINUTE, offsetAt)
        if (at > start && at < best) best = at
      }
    if (best !== Number.POSITIVE_INFINITY) return new Date(best)
  }
  return null
}

/** cron's rule: when both days are limited, either is enough. */
function matchesDay(cron: Cron, day: Date): boolean {
  if (!cron.month.has(day.getUTCMonth() + 1)) return false
  const date = cron.day.has(day.getUTCDate())
  const weekday = cron.weekday.has(day.getUTCDay())
  return cron.anyDay || cron.anyWeekday ? date && weekday : date || weekday
}

/** Local wall time (as if it were UTC) → instant: the earlier one of two, the moment of the jump when there is none. */
function instantOf(local: number, offsetAt: (at: number) => number): number {
  const before = offsetAt(local - DAY)
  const after = offsetAt(local + DAY)
  const early = local - Math.max(before, after)
  const late = local - Math.min(before, after)
  if (early + offsetAt(early) === local) return early
  if (late + offsetAt(late) === local) return late
  // Skipped: between the two lies the jump, found to the minute.
  let low = early
  let high = late
  while (high - low > MINUTE) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE
    if (middle + offsetAt(middle) > local) high = middle
    else low = middle
  }
  return high
}

function offsetReader(timeZone: string): (at: number) => number {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const known = new Map<number, number>()
  return (at) => {
    const minute = Math.floor(at / MINUTE) * MINUTE
    const found = known.get(minute)
    if (found !== undefined) return found
    const parts = Object.fromEntries(format.formatToParts(minute).map((part) => [part.type, Number(part.value)]))
    const offset = Date.UTC(parts.year!, parts.month! - 1, parts.day!, parts.hour!, parts.minute!) - minute
    known.set(minute, offset)
    return offset
  }
}
