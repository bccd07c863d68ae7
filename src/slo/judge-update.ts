import { type Level, MILLION, millionths } from './level.ts'

type Completeness = Extract<Level, { kind: 'completeness' }>
/** `value` in whole rows: the total after the update, or its change. */
export type Update = { at: number; value: number }

/**
 * Is an update complete? Against the mean of the updates in the window before it, or the one before. Fewer than `minimum` of them are no baseline, and
 * the update is not counted. Counted in whole numbers: value ≥ baseline × (1 − within).
 */
export function judgeUpdate(level: Completeness, earlier: readonly Update[], update: Update): 'good' | 'bad' | 'excluded' {
  const before = earlier
    .filter(({ at }) => at < update.at && at >= update.at - level.windowMs)
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => BigInt(value))
  if (before.length < Math.max(1, level.minimum)) return 'excluded'
  const baseline = level.against === 'last' ? before.slice(-1) : before
  const sum = baseline.reduce((total, value) => total + value, 0n)
  const tolerated = (sum < 0n ? -sum : sum) * BigInt(millionths(level.within))
  return BigInt(update.value) * BigInt(baseline.length) * BigInt(MILLION) >= sum * BigInt(MILLION) - tolerated ? 'good' : 'bad'
}
