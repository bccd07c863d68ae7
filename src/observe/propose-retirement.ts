import type { CountedPort, Coverage } from './usage.ts'

export type ProposalFacts = {
  createdAt: Date
  lastReadAt: Date | null
  ports: readonly CountedPort[]
  coverage: readonly Coverage[]
  /** who holds an active agreement */
  consumers: readonly string[]
}
export type Proposal = { unusedDays: number; because: string; since: Date }

const DAY_MS = 86_400_000
/** Sums that nobody has renewed for so long say nothing about today. */
const STALE_MS = DAY_MS
/** How much of the time may be missing from the counts for "nobody" to be said all the same. */
const MAX_UNCOUNTED = 0.1

/**
 * Proposes a retirement when nobody has read the product for `afterMs`. Not knowing is not the same as nobody: every port, in every environment that serves
 * it, must have been counted all that time.
 */
export function proposeRetirement(facts: ProposalFacts, { afterMs, now }: { afterMs: number; now: Date }): Proposal | null {
  const { createdAt, lastReadAt, ports, consumers } = facts
  const from = now.getTime() - afterMs
  if (ports.length === 0 || createdAt.getTime() > from || (lastReadAt && lastReadAt.getTime() > from)) return null
  for (const { environment, countedSince } of ports) {
    const coverage = facts.coverage.find((each) => each.environment === environment)
    if (!coverage || coverage.obstacle !== null || now.getTime() - coverage.asOf.getTime() > STALE_MS) return null
    if (countedSince === null || countedSince.getTime() > from) return null
    if (uncountedMs(coverage, from, now.getTime()) > afterMs * MAX_UNCOUNTED) return null
  }
  const since = lastReadAt ?? new Date(Math.min(...ports.map(({ countedSince }) => countedSince!.getTime())))
  const unusedDays = Math.floor((now.getTime() - since.getTime()) / DAY_MS)
  const days = `${unusedDays} ${unusedDays === 1 ? 'day' : 'days'}`
  const read = lastReadAt ? `Nobody has read it for ${days}.` : `Nobody has read it in the ${days} since its reads are counted.`
  const held =
    consumers.length === 0
      ? ' Nobody holds an agreement.'
      : ` ${consumers.join(', ')} ${consumers.length === 1 ? 'holds' : 'hold'} an agreement and did not read.`
  return { unusedDays, because: read + held, since }
}

/** Gaps may overlap. */
function uncountedMs({ gaps }: Coverage, from: number, to: number): number {
  let [sum, end] = [0, from]
  const sorted = gaps
    .map((gap) => ({ from: Math.max(Date.parse(gap.from), from), to: Math.min(Date.parse(gap.to), to) }))
    .sort((a, b) => a.from - b.from)
  for (const gap of sorted) {
    const start = Math.max(gap.from, end)
    if (gap.to > start) {
      sum += gap.to - start
      end = gap.to
    }
  }
  return sum
}
