import { type Level, MILLION, millionths, type Slice } from './level.ts'
import { slicesIn } from './window.ts'

/** Whole slices (updates for completeness). `left` falls below 0 when more was lost than allowed. */
export type Budget = { total: number; used: number; left: number }

/**
 * What the window may lose: of the slices evaluated and those still to come in a young product's first window. In a full window `left` is negative
 * exactly when the share of good ones is below the target.
 */
export function budgetOf(level: Level, slices: readonly Slice[]): Budget {
  const count = (outcome: Slice['outcome']) => slices.filter((slice) => slice.outcome === outcome).length
  const evaluated = count('good') + count('bad')
  const toCome = level.kind === 'completeness' ? 0 : Math.max(0, slicesIn(level.windowMs) - slices.length)
  const total = Math.floor(((evaluated + toCome) * (MILLION - millionths(level.target))) / MILLION)
  const used = count('bad')
  return { total, used, left: total - used }
}
