import { fail } from './fail.ts'

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const DURATION = /^([1-9][0-9]{0,5})([smhdw])$/

/** @returns milliseconds, or undefined when the text is no duration */
export function readDuration(text: string): number | undefined {
  const found = DURATION.exec(text)
  return found ? Number(found[1]) * UNIT_MS[found[2] as keyof typeof UNIT_MS] : undefined
}

/** @throws CORE_DURATION_INVALID */
export function parseDuration(text: string): number {
  const ms = readDuration(text)
  if (ms === undefined) throw fail('CORE_DURATION_INVALID', { what: `"${text.slice(0, 40)}" is not a duration` })
  return ms
}

/** The largest unit that loses nothing: 86400000 → `1d`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const)
    if (ms >= UNIT_MS[unit] && ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]}${unit}`
  return `${Math.round(ms / 100) / 10}s`
}
