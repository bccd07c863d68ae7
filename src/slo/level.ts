/** What was promised, as far as counting needs it. The spec's service levels fit this shape. Shares are within 0 and 1 and exact to a millionth. */
export type Level =
  | { kind: 'availability'; target: number; windowMs: number }
  | { kind: 'freshness'; target: number; windowMs: number; thresholdMs: number }
  | { kind: 'completeness'; target: number; windowMs: number; within: number; against: 'mean' | 'last'; minimum: number }

/** error = the measuring failed; missing = nobody measured; excluded = not to be counted (a planned stop, an update without a baseline). */
export type Outcome = 'good' | 'bad' | 'error' | 'missing' | 'excluded'

/** One measured slice, or one update for completeness; `start` in ms since 1970. At most one for each start. */
export type Slice = { start: number; outcome: Outcome; replayed?: boolean }

export type Series = {
  slices: readonly Slice[]
  /** when measuring began, in ms since 1970 */
  since: number
  /** what holds at this moment where that is known better than by the newest slice */
  current: 'good' | 'bad' | null
  paused: boolean
}

/** Only these two count; everything else is "not evaluated". */
export function isEvaluated(outcome: Outcome): boolean {
  return outcome === 'good' || outcome === 'bad'
}

export const MILLION = 1_000_000

/** A share as whole millionths: 10 × (1 − 0.9) is 0.9999… in floating point. */
export function millionths(share: number): number {
  return Math.round(share * MILLION)
}
