import type { ServiceLevel } from '../api/types.ts'

const WORST = ['breached', 'not-evaluated', 'at-risk', 'no-data', 'gathering', 'paused', 'met']
const KINDS = ['availability', 'completeness', 'freshness']

/** Of each kind the level that is worst, where the product is promoted to last: one line a kind, in the order people know. */
export function worstOfEachKind(levels: readonly ServiceLevel[], environment?: string): ServiceLevel[] {
  const here = environment === undefined ? levels : levels.filter((level) => level.environment === environment)
  return KINDS.flatMap((kind) => {
    const own = here
      .filter((level) => level.kind === kind)
      .toSorted((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state) || (a.value ?? 1e9) - (b.value ?? 1e9))
    return own.slice(0, 1)
  })
}
