import type { CountedPort, Coverage } from './usage.ts'

const WHAT =
  'Counted are reads of served objects by people and by other products, once for each object a statement reads, about every 30 s. ' +
  "The platform's own reads, its proofs, this product's own and EXPLAIN are left out."
const MOST_GAPS = 3

/** What is counted of a product and what cannot be, in words for whoever reads the figures. */
export function explainCoverage(ports: readonly CountedPort[], coverage: readonly Coverage[]): string {
  if (ports.length === 0) return 'Nothing is served yet, so nothing is counted.'
  const sentences = [WHAT]
  const environments = [...new Set(ports.map(({ environment }) => environment))]
  for (const environment of environments) {
    const of = coverage.find((each) => each.environment === environment)
    if (!of) sentences.push(`${environment}: not counted yet.`)
    else if (of.obstacle !== null) sentences.push(`${environment}: not counted: ${of.obstacle}.`)
    else {
      for (const { port, major, countedSince } of ports.filter((each) => each.environment === environment))
        sentences.push(
          countedSince
            ? `${environment}: ${port} v${major} counted since ${minute(countedSince.toISOString())}.`
            : `${environment}: ${port} v${major} is counted from its next publication on.`,
        )
    }
    const gaps = (of?.gaps ?? []).toReversed()
    for (const { from, to, why } of gaps.slice(0, MOST_GAPS))
      sentences.push(`${environment}: reads may be missing from ${second(from)} to ${second(to)}: ${why}.`)
    if (gaps.length > MOST_GAPS) sentences.push(`${environment}: and of ${gaps.length - MOST_GAPS} earlier times.`)
  }
  return sentences.join(' ')
}

function minute(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`
}

function second(at: string): string {
  return `${at.slice(0, 19).replace('T', ' ')} UTC`
}
