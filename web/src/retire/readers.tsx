import { useQuery } from '@tanstack/react-query'
import { usageQuery } from '../api/operate-queries.ts'
import { accessQuery } from '../api/queries.ts'
import type { Agreement, Product, Usage } from '../api/types.ts'
import { Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Glyph, Status } from '../status/status.tsx'
import { cli } from '../text/cli.ts'
import { counted, formatAge, formatDay, formatExact } from '../text/time.ts'
import styles from './retire.module.css'

const OVER: Agreement['state'][] = ['expired', 'revoked', 'denied', 'withdrawn', 'failed']

/** Who would be hit: whoever has an agreement, with the last read where reads are counted. */
export function Readers({ product, hit }: { product: Product; hit: string[] }) {
  const [domain = '', name = ''] = product.address.split('/')
  const agreements = useQuery(accessQuery(domain, name))
  const usage = useQuery(usageQuery(domain, name)).data
  return (
    <Section title="Who reads it" count={hit.length || undefined} end={usage ? usageWords(usage) : null}>
      <Loaded query={agreements} rows={2}>
        {({ items }) => {
          const open = items.filter((agreement) => !OVER.includes(agreement.state))
          return open.length ? (
            <AgreementTable agreements={open} usage={usage} />
          ) : (
            <p className={styles.nobody}>
              <Glyph family="ok" />
              <span>
                Nobody has an agreement, so nobody is cut off.
                {usage?.proposal ? ` ${usage.proposal.because}.` : ''}
              </span>
            </p>
          )
        }}
      </Loaded>
    </Section>
  )
}

function AgreementTable({ agreements, usage }: { agreements: Agreement[]; usage: Usage | undefined }) {
  return (
    <div className={parts.tableBox}>
      <table className={parts.table}>
        <thead>
          <tr>
            <th>Consumer</th>
            <th>Reads</th>
            <th>State</th>
            {usage ? <th className={parts.num}>Last read</th> : null}
            <th>To end it</th>
          </tr>
        </thead>
        <tbody>
          {agreements.map((agreement) => (
            <tr key={agreement.number}>
              <td>
                <span className={parts.name}>{agreement.subject}</span>
                <small>
                  agreement {agreement.number}, {agreement.purpose}
                </small>
              </td>
              <td>
                {agreement.port} v{agreement.major}
                <small>{agreement.environment}</small>
              </td>
              <td>
                <Status kind="agreement" state={agreement.state} />
                <small>until {formatDay(agreement.endsAt)}</small>
              </td>
              {usage ? <LastRead agreement={agreement} usage={usage} /> : null}
              <td>
                <code>{cli.revoke(agreement.number)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function LastRead({ agreement, usage }: { agreement: Agreement; usage: Usage }) {
  const reader = usage.ports
    .filter((port) => port.port === agreement.port && port.environment === agreement.environment)
    .flatMap((port) => port.readers)
    .find((each) => each.subject === agreement.subject)
  return reader ? (
    <td className={parts.num} title={formatExact(reader.lastReadAt)}>
      {formatAge(Date.now() - Date.parse(reader.lastReadAt))} ago<small>{counted(reader.reads, 'read')}</small>
    </td>
  ) : (
    <td className={parts.num}>
      <span className="muted">–</span>
    </td>
  )
}

function usageWords(usage: Usage): string {
  const reads = usage.ports.flatMap((port) => port.days).reduce((sum, day) => sum + day.reads, 0)
  return `${counted(reads, 'read')} counted${usage.asOf ? ` until ${formatDay(usage.asOf)}` : ''}`
}
