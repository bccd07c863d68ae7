import { readDuration } from '../core/duration.ts'

const DAY = 86_400_000
const CALENDAR: Record<string, number> = { M: 31 * DAY, Q: 92 * DAY, Y: 366 * DAY }

/** A duration that may also be in months, quarters or years, each taken at its longest: what must be kept is never cut short. */
export function readSpan(text: string): number | undefined {
  const found = /^([1-9][0-9]{0,5})([MQY])$/.exec(text)
  return found ? Number(found[1]) * CALENDAR[found[2]!]! : readDuration(text)
}
