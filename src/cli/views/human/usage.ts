import type { PortUsage, Usage } from '../../../client/types.ts'
import { cleanLine, count, paint, type Style, wrap } from './style.ts'
import { renderTable } from './table.ts'
import { ageOf } from './time.ts'

const SHOWN_DAYS = 30
const BARS = [...'▁▂▃▄▅▆▇█']
const MOST_READERS = 10

/** Ports with what was read of them in 30 days, then who read, then what the figures cover. */
export function renderUsage(usage: Usage, style: Style): string[] {
  const lines = usage.ports.length > 0 ? renderPorts(usage.ports, style) : [`${usage.product} serves nothing yet.`]
  for (const port of usage.ports) lines.push(...renderReaders(port, style))
  if (usage.proposal)
    lines.push('', ...wrap(`${usage.proposal.because}  Retire it?  heddle retire ${usage.product} --dry-run`, style.width))
  lines.push('', ...wrap(cleanLine(usage.coverage), style.width).map((line) => paint(style, 'muted', line)))
  return lines
}

function renderPorts(ports: readonly PortUsage[], style: Style): string[] {
  const environments = new Set(ports.map(({ environment }) => environment)).size > 1
  return renderTable(
    [
      { title: 'PORT', value: (port) => `${environments ? `${port.environment} ` : ''}${port.port} v${port.major}` },
      { title: 'READS, 30 D', align: 'right', value: (port) => readsOf(port).toLocaleString('en') },
      { title: 'LAST READ', value: (port) => (port.lastReadAt === null ? 'never' : `${ageOf(port.lastReadAt, style)} ago`) },
      { title: 'BY DAY', optional: true, value: (port) => sparkline(recent(port).map(({ reads }) => reads)) },
    ],
    ports,
    style,
  )
}

function renderReaders({ environment, port, major, readers }: PortUsage, style: Style): string[] {
  if (readers.length === 0) return []
  const shown = readers
    .slice(0, MOST_READERS)
    .map(
      ({ subject, reads, lastReadAt }) => `${cleanLine(subject)} ${reads.toLocaleString('en')} (${ageOf(lastReadAt, style)} ago)`,
    )
  const more = readers.length > MOST_READERS ? `, and ${count(readers.length - MOST_READERS, 'other')}` : ''
  return wrap(`${port} v${major} in ${environment} read by ${shown.join(', ')}${more}`, style.width)
}

function recent(port: PortUsage): PortUsage['days'] {
  return port.days.slice(-SHOWN_DAYS)
}

function readsOf(port: PortUsage): number {
  return recent(port).reduce((sum, { reads }) => sum + reads, 0)
}

/** One character a day: a dot for none, then eight heights against the busiest day. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 1)
  return values.map((value) => (value === 0 ? '.' : BARS[Math.ceil((value / most) * BARS.length) - 1])).join('')
}
