/** Is it an IANA zone this runtime knows? */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/** Local hours of the day that a change of the clocks skips or doubles in the zone, found by walking the offsets of one year. */
export function changedHours(timeZone: string, year: number): Set<number> {
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const local = (at: number) => {
    const parts = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, Number(part.value)]))
    return Date.UTC(year, parts.month! - 1, parts.day!, parts.hour!, parts.minute!) - at
  }
  const hours = new Set<number>()
  const HOUR = 3_600_000
  const start = Date.UTC(year, 0, 2)
  let offset = local(start)
  for (let day = start; day < Date.UTC(year, 11, 30); day += 24 * HOUR) {
    if (local(day + 24 * HOUR) === offset) continue
    for (let at = day + HOUR; at <= day + 24 * HOUR; at += HOUR) {
      const next = local(at)
      if (next === offset) continue
      // Forward: the clock jumps from `before` to `after`. Back: the hours between are lived twice.
      const first = Math.min(at + offset, at + next)
      const last = Math.max(at + offset, at + next)
      for (let hour = first; hour < last; hour += HOUR) hours.add(new Date(hour).getUTCHours())
      offset = next
    }
  }
  return hours
}
