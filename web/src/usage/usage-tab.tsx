import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { usageQuery } from '../api/operate-queries.ts'
import type { PortUsage, Product, Usage } from '../api/types.ts'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Glyph } from '../status/status.tsx'
import { counted, formatAge, formatCount, formatDay, formatExact, formatTime } from '../text/time.ts'
import { ReadBars } from './read-bars.tsx'
import styles from './usage.module.css'

const WEEK = 7

/** Who uses it, how much, is it dying? */
export function UsageTab({ product, owns }: { product: Product; owns: boolean }) {
  const [domain = '', name = ''] = product.address.split('/')
  const usage = useQuery(usageQuery(domain, name))
  return (
    <Loaded query={usage} rows={6}>
      {(data) => (
        <div className={parts.stack}>
          {data.proposal ? <Proposal product={product} proposal={data.proposal} owns={owns} /> : null}
          {data.ports.length ? (
            data.ports.map((port) => <PortReads key={`${port.environment} ${port.port} ${port.major}`} port={port} owns={owns} />)
          ) : (
            <Empty title="Nothing to count yet">
              <p>Reads are counted from the first publication of an output port.</p>
            </Empty>
          )}
          <p className={styles.coverage}>
            {data.coverage}{' '}
            {data.asOf ? <span title={formatExact(data.asOf)}>Counted until {formatTime(data.asOf)}.</span> : null}
          </p>
        </div>
      )}
    </Loaded>
  )
}

function Proposal({ product, proposal, owns }: { product: Product; proposal: NonNullable<Usage['proposal']>; owns: boolean }) {
  return (
    <div className={styles.proposal}>
      <Glyph family="warn" />
      <p>
        <strong>Nobody has read it for {counted(proposal.unusedDays, 'day')}.</strong> {proposal.because}
        <span className="muted"> Proposed {formatDay(proposal.since)}.</span>
      </p>
      {owns ? <RetireLink address={product.address} /> : <span className="muted">{product.owner} can retire it</span>}
    </div>
  )
}

function RetireLink({ address }: { address: string }) {
  const [domain = '', name = ''] = address.split('/')
  return (
    <Link to="/p/$domain/$name/retire" params={{ domain, name }}>
      See what retiring it would do
    </Link>
  )
}

function PortReads({ port, owns }: { port: PortUsage; owns: boolean }) {
  const week = port.days.slice(-WEEK)
  const reads = sum(week.map((day) => day.reads))
  const before = sum(port.days.slice(-2 * WEEK, -WEEK).map((day) => day.reads))
  return (
    <Section
      title={`${port.port} v${port.major}`}
      end={
        port.lastReadAt ? <span title={formatExact(port.lastReadAt)}>last read {lastRead(port.lastReadAt)}</span> : 'never read'
      }
    >
      <div className={parts.split} style={{ '--side': '320px' } as React.CSSProperties}>
        <div>
          <p className={styles.lead}>
            <strong>{counted(reads, 'read')}</strong> in 7 days{' '}
            <span className="muted">
              {port.days.length >= 2 * WEEK ? `${compared(reads, before)}, ` : ''}in {port.environment}
            </span>
          </p>
          {port.days.length ? <ReadBars port={port} /> : <p className="muted">No day has been counted yet.</p>}
        </div>
        <Readers port={port} owns={owns} />
      </div>
    </Section>
  )
}

function Readers({ port, owns }: { port: PortUsage; owns: boolean }) {
  if (!port.readers.length)
    return (
      <aside>
        <h3 className={styles.head}>Readers</h3>
        <p className="muted">
          {port.lastReadAt === null
            ? 'Nobody has read it.'
            : owns
              ? 'None in the days that are kept.'
              : 'Only the owners of the product see who reads it.'}
        </p>
      </aside>
    )
  return (
    <aside>
      <table className={parts.table}>
        <thead>
          <tr>
            <th>Reader</th>
            <th className={parts.num}>Reads</th>
            <th className={parts.num}>Last</th>
          </tr>
        </thead>
        <tbody>
          {port.readers.map((reader) => (
            <tr key={reader.subject}>
              <td className={parts.name}>{reader.subject}</td>
              <td className={parts.num}>{formatCount(reader.reads)}</td>
              <td className={parts.num} title={formatExact(reader.lastReadAt)}>
                {lastRead(reader.lastReadAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </aside>
  )
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function lastRead(at: string): string {
  const age = formatAge(Date.now() - Date.parse(at))
  return age === 'now' ? 'just now' : `${age} ago`
}

function compared(now: number, before: number): string {
  if (now === before) return 'as many as the week before'
  if (!before) return 'none the week before'
  const change = Math.round(((now - before) / before) * 100)
  return `${change > 0 ? '+' : '−'}${Math.abs(change)} % against the week before`
}
