import type { Level, Slice } from './level.ts'

export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** Start of the slice that holds the moment: whole hours of UTC. */
export function sliceStart(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS
}

/** How many slices a window holds, the current one included. */
export function slicesIn(windowMs: number): number {
  return Math.max(1, Math.floor(windowMs / HOUR_MS))
}

/** Slices that count now, oldest first. Windows are open at their old end, so one of 20 days holds 480 hourly slices, never 481. */
export function inWindow<S extends Slice>(level: Level, slices: readonly S[], now: number): S[] {
  const end = level.kind === 'completeness' ? now : sliceStart(now)
  const begin = end - level.windowMs
  return slices.filter(({ start }) => start > begin && start <= end).sort((a, b) => a.start - b.start)
}
