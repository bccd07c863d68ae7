/** A five-field schedule as sets of numbers; days of month and week combine with "or" when both are limited, as cron does. */
export type Cron = {
  minute: Set<number>
  hour: Set<number>
  day: Set<number>
  month: Set<number>
  weekday: Set<number>
  anyDay: boolean
  anyWeekday: boolean
}

const FIELDS = [
  { name: 'minute', low: 0, high: 59, words: [] as string[] },
  { name: 'hour', low: 0, high: 23, words: [] },
  { name: 'day', low: 1, high: 31, words: [] },
  {
    name: 'month',
    low: 1,
    high: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'weekday', low: 0, high: 7, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
] as const
const LONGEST_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** @returns the schedule, or what is wrong with it */
export function readCron(text: string): Cron | string {
  const parts = text.trim().split(/\s+/)
  if (parts.length === 6) return 'it has six fields: seconds and years are not scheduled'
  if (parts.length !== 5) return `it has ${parts.length} ${parts.length === 1 ? 'field' : 'fields'}, not five`
  const sets: Set<number>[] = []
  for (const [i, field] of FIELDS.entries()) {
    const set = readField(parts[i]!, field)
    if (set === null) return `its ${field.name} "${parts[i]!.slice(0, 40)}" is not ${field.low}-${field.high}`
    sets.push(set)
  }
  const [minute, hour, day, month, weekday] = sets as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>]
  if (weekday.delete(7)) weekday.add(0)
  const cron = { minute, hour, day, month, weekday, anyDay: parts[2]!.startsWith('*'), anyWeekday: parts[4]!.startsWith('*') }
  const fires = !cron.anyWeekday || [...month].some((m) => [...day].some((d) => d <= LONGEST_MONTH[m - 1]!))
  return fires ? cron : 'it never fires: no such month has that day'
}

function readField(
  text: string,
  { low, high, words }: { low: number; high: number; words: readonly string[] },
): Set<number> | null {
  const set = new Set<number>()
  for (const part of text.split(',')) {
    const found = /^(\*|[A-Za-z]{3}|\d{1,2})(?:-([A-Za-z]{3}|\d{1,2}))?(?:\/(\d{1,2}))?$/.exec(part)
    if (!found) return null
    const [, from, to, every] = found
    if (from === '*' && to !== undefined) return null
    const start = from === '*' ? low : numberOf(from!, words, low)
    const end = from === '*' ? high : to !== undefined ? numberOf(to, words, low) : every !== undefined ? high : start
    const step = every === undefined ? 1 : Number(every)
    if (start === null || end === null || start < low || end > high || start > end || step < 1) return null
    for (let value = start; value <= end; value += step) set.add(value)
  }
  return set
}

function numberOf(text: string, words: readonly string[], low: number): number | null {
  if (/^\d+$/.test(text)) return Number(text)
  const index = words.indexOf(text.toLowerCase())
  return index < 0 ? null : index + low
}

/** The shortest time between two firings within a day, in minutes; a day when it fires once. */
export function shortestGapMinutes(cron: Cron): number {
  const minutes = [...cron.hour].flatMap((hour) => [...cron.minute].map((minute) => hour * 60 + minute)).sort((a, b) => a - b)
  let gap = minutes[0]! + 1440 - minutes.at(-1)!
  for (let i = 1; i < minutes.length; i++) gap = Math.min(gap, minutes[i]! - minutes[i - 1]!)
  return gap
}
