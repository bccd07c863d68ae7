/** One measured quantity over all rounds. `mad` is the median distance from the median. */
export type Figure = { median: number; mad: number; min: number; max: number; n: number; unit: string }
/** A bound the issue or DESIGN sets; `value` is what is held against it. */
export type Limit = { what: string; value: number; limit: number; unit: string; ok: boolean }

export type Outcome = {
  rounds: number
  figures: Record<string, Figure>
  /** ours ÷ the other of the same round, then the median of these */
  ratios: Record<string, Figure>
  limits: Limit[]
  notes: string[]
}

export type Bench = { name: string; about: string; run(say: (line: string) => void): Promise<Outcome> }

export function figure(values: readonly number[], unit: string): Figure {
  if (values.length === 0) throw new Error('a figure needs at least one value')
  const middle = median(values)
  return {
    median: round(middle),
    mad: round(median(values.map((value) => Math.abs(value - middle)))),
    min: round(Math.min(...values)),
    max: round(Math.max(...values)),
    n: values.length,
    unit,
  }
}

/** Pairs of one round: the same index of both lists. */
export function ratio(ours: readonly number[], other: readonly number[]): Figure {
  if (ours.length !== other.length) throw new Error('a ratio needs pairs')
  return figure(
    ours.map((value, index) => value / other[index]!),
    '×',
  )
}

export function atMost(what: string, value: number, limit: number, unit: string): Limit {
  return { what, value: round(value), limit, unit, ok: value <= limit }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** The smallest value that `share` of all values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
}

/** `first second` in even rounds, `second first` in odd ones: what drifts or warms up hits both sides alike. */
export async function inTurns(turn: number, first: () => Promise<void>, second: () => Promise<void>): Promise<void> {
  const order = turn % 2 === 0 ? [first, second] : [second, first]
  for (const act of order) await act()
}

export async function timed<T>(act: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const began = performance.now()
  const value = await act()
  return { ms: performance.now() - began, value }
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
