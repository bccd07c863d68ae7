import type { Style } from './style.ts'

/** The one place where the command line writes times. The zone is always named; a day other than today is written out. */
export function showTime(iso: string, style: Style): string {
  const then = partsOf(new Date(iso), style.zone)
  const today = partsOf(style.now, style.zone)
  const clock = `${then.hour}:${then.minute} ${then.zone}`
  return then.day === today.day ? clock : `${then.day} ${clock}`
}

/** With seconds, for log lines and the moment of a switch. */
export function showMoment(iso: string, style: Style): string {
  const then = partsOf(new Date(iso), style.zone)
  return `${then.hour}:${then.minute}:${then.second} ${then.zone}`
}

/** The largest unit alone: `12m`, `5h`, `74d`. */
export function showAge(seconds: number): string {
  if (seconds < 60) return `${Math.max(Math.floor(seconds), 0)}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

export function ageOf(iso: string, style: Style): string {
  return showAge((style.now.getTime() - Date.parse(iso)) / 1_000)
}

/** How long something took: `0.4s`, `41.0s`, `1m48s`, `2h05m`. */
export function showTook(ms: number): string {
  if (ms < 59_950) return `${(Math.max(ms, 0) / 1_000).toFixed(1)}s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`
  const minutes = Math.floor(seconds / 60)
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`
}

function partsOf(at: Date, zone: string) {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  })
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return {
    day: `${parts.year}-${parts.month}-${parts.day}`,
    hour: parts.hour,
    minute: parts.minute,
    second: parts.second,
    zone: parts.timeZoneName,
  }
}
