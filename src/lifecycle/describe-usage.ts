import type { Diagnostic } from '../core/diagnostic.ts'
import type { ProductUsage } from './usage.ts'

const DAYS = 30

/** What whoever retires a product is told of its readers before confirming: counts and times, no names. A warning where somebody still reads it. */
export function describeUsage({ ports, coverage }: Pick<ProductUsage, 'ports' | 'coverage'>): {
  sentence: string
  warnings: Diagnostic[]
} {
  if (ports.length === 0) return { sentence: 'Nothing of it is served.', warnings: [] }
  const days = ports.flatMap((port) => port.days.slice(-DAYS))
  const reads = days.reduce((sum, day) => sum + day.reads, 0)
  const last = ports
    .flatMap(({ lastReadAt }) => lastReadAt?.toISOString() ?? [])
    .sort()
    .at(-1)
  if (reads === 0)
    return {
      sentence: last
        ? `Not read in ${DAYS} days, the last time on ${last.slice(0, 10)}.`
        : 'Never read since its reads are counted.',
      warnings: [],
    }
  const first = days.map(({ day }) => day).sort()[0]!
  const readers = new Set(
    ports.flatMap((port) =>
      port.readers.filter(({ lastReadAt }) => lastReadAt.toISOString() >= first).map(({ subject }) => subject),
    ),
  ).size
  const what = `Read ${reads} ${reads === 1 ? 'time' : 'times'} by ${readers} ${readers === 1 ? 'reader' : 'readers'} in ${DAYS} days, the last time on ${last!.slice(0, 16).replace('T', ' ')} UTC.`
  return { sentence: what, warnings: [{ severity: 'warning', code: 'RETIRE_STILL_READ', what, why: coverage }] }
}
