/**
 * The one formatter of times, ages and durations. Storage and API speak UTC; people read their own zone, always named.
 */
const locale = 'en-GB'

function part(options: Intl.DateTimeFormatOptions, zone: string | undefined): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, { ...options, ...(zone ? { timeZone: zone } : {}) })
}

/** "CET", "UTC", or "GMT+5:45" where a zone has no short name. */
export function zoneName(at: Date, zone?: string): string {
  return (
    part({ timeZoneName: 'short' }, zone)
      .formatToParts(at)
      .find((found) => found.type === 'timeZoneName')?.value ?? 'UTC'
  )
}

function sameDay(a: Date, b: Date, zone?: string): boolean {
  const day = part({ year: 'numeric', month: '2-digit', day: '2-digit' }, zone)
  return day.format(a) === day.format(b)
}

function dayOf(at: Date, now: Date, zone?: string): string {
  const sameYear = part({ year: 'numeric' }, zone).format(at) === part({ year: 'numeric' }, zone).format(now)
  return part({ day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) }, zone).format(at)
}

/** "13:22 CET" today, "12 Mar, 09:14 CET" otherwise; with seconds on demand. */
export function formatTime(
  iso: string,
  { now = new Date(), zone, seconds = false }: { now?: Date; zone?: string; seconds?: boolean } = {},
): string {
  const at = new Date(iso)
  const clock = part(
    { hour: '2-digit', minute: '2-digit', ...(seconds ? { second: '2-digit' } : {}), hourCycle: 'h23' },
    zone,
  ).format(at)
  return `${sameDay(at, now, zone) ? '' : `${dayOf(at, now, zone)}, `}${clock} ${zoneName(at, zone)}`
}

/** "12 Mar", "12 Mar 2027" */
export function formatDay(iso: string, { now = new Date(), zone }: { now?: Date; zone?: string } = {}): string {
  return dayOf(new Date(iso), now, zone)
}

/** "12 Mar" of a day written as 2026-03-12; a day of a service level is a day in UTC, whatever zone its reader lives in. */
export function formatDate(day: string): string {
  return part({ day: 'numeric', month: 'short' }, 'UTC').format(new Date(`${day}T12:00:00Z`))
}

/** "Wed 18 Mar, 14:05 CET" */
export function formatMoment(at: Date, zone?: string): string {
  const day = part({ weekday: 'short', day: 'numeric', month: 'short' }, zone).format(at).replace(',', '')
  return `${day}, ${part({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, zone).format(at)} ${zoneName(at, zone)}`
}

/** "14:05" for the axis of a chart that names the day and zone elsewhere. */
export function formatClock(at: Date, zone?: string): string {
  return part({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, zone).format(at)
}

/** "Tue" */
export function formatWeekday(at: Date, zone?: string): string {
  return part({ weekday: 'short' }, zone).format(at)
}

/** "13:22:31.118": log lines of one run, whose day and zone its head names. */
export function formatLogTime(iso: string, zone?: string): string {
  const at = new Date(iso)
  const clock = part({ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }, zone).format(at)
  return `${clock}.${String(at.getUTCMilliseconds()).padStart(3, '0')}`
}

/** Full and in UTC, for titles: "2026-03-18 12:22:13 UTC". */
export function formatExact(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** "40 ms", "0.4 s", "18.6 s", "1 min 48 s", "3 h 12 min", "2 d 4 h". Negative durations (clocks that differ) count as nothing. */
export function formatDuration(ms: number): string {
  const left = Math.max(0, ms)
  if (left < 95) return `${Math.round(left)} ms`
  if (left < 59_950) return `${(left / 1000).toFixed(1)} s`
  const seconds = Math.round(left / 1000)
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.floor(minutes / 60)
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

/** An age to the largest unit that matters: "now", "22 min", "3 h", "6 d". */
export function formatAge(ms: number): string {
  const minutes = Math.floor(Math.max(0, ms) / 60_000)
  if (minutes < 1) return 'now'
  if (minutes < 60) return `${minutes} min`
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h`
  return `${Math.floor(minutes / 1440)} d`
}

function two(first: number, firstUnit: string, second: number, secondUnit: string): string {
  return second ? `${first} ${firstUnit} ${second} ${secondUnit}` : `${first} ${firstUnit}`
}

/** "308,641" */
export function formatCount(count: number): string {
  return new Intl.NumberFormat('en').format(count)
}

/** "840 B", "12.4 KB", "1.2 GB" */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${Number((bytes / 1000 ** step).toFixed(step ? 1 : 0))} ${units[step]}`
}

/** "1 run", "3 runs" */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
