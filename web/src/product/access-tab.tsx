import type { UseQueryResult } from '@tanstack/react-query'
import type { Agreement, List, Product } from '../api/types.ts'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Glyph, Status } from '../status/status.tsx'
import { formatDay, formatExact, formatTime } from '../text/time.ts'
import styles from './product.module.css'
import { RequestAccess } from './request-access.tsx'

/** Who has what, why, until when? */
export function AccessTab({
  product,
  agreements,
  port,
}: {
  product: Product
  agreements: UseQueryResult<List<Agreement>>
  port: string | undefined
}) {
  return (
    <div className={parts.split} style={{ '--side': '360px' } as React.CSSProperties}>
      <div className={parts.stack}>
        <Section title="Agreements" count={agreements.data?.items.length}>
          <Loaded query={agreements} rows={4}>
            {({ items }) =>
              items.length ? (
                <AgreementTable agreements={items} />
              ) : (
                <Empty title="Nobody has an agreement yet">
                  <p>
                    An approved request becomes one; the platform then logs in as its subject and proves what works and what must
                    not.
                  </p>
                </Empty>
              )
            }
          </Loaded>
        </Section>
        <Section title="Offers" count={product.offers.length}>
          {product.offers.length ? (
            <div className={parts.tableBox}>
              <table className={parts.table}>
                <thead>
                  <tr>
                    <th>Offer</th>
                    <th>Purposes</th>
                    <th className={parts.num}>For</th>
                    <th>Decides</th>
                  </tr>
                </thead>
                <tbody>
                  {product.offers.map((offer) => (
                    <tr key={offer.name}>
                      <td>
                        <span className={parts.name}>{offer.name}</span>
                        <small>{offer.ports.join(', ')}</small>
                      </td>
                      <td>
                        {offer.purposes.join(', ')}
                        <small>{offer.terms}</small>
                      </td>
                      <td className={parts.num}>
                        {offer.defaultDays} d<small>at most {offer.maxDays} d</small>
                      </td>
                      <td>{offer.approvers.join(', ') || 'approved at once'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <Empty title="Nothing is offered">
              <p>
                A sharing offer in the spec says which ports may be read, for which purposes and how long. {product.owner} can add
                one.
              </p>
            </Empty>
          )}
        </Section>
      </div>
      {product.offers.length ? <RequestAccess key={port} product={product} port={port} /> : null}
    </div>
  )
}

function AgreementTable({ agreements }: { agreements: Agreement[] }) {
  return (
    <div className={parts.tableBox}>
      <table className={parts.table}>
        <thead>
          <tr>
            <th>Subject</th>
            <th>Reads</th>
            <th>Purpose</th>
            <th>State</th>
            <th>Proof</th>
          </tr>
        </thead>
        <tbody>
          {agreements.map((agreement) => (
            <tr key={agreement.number}>
              <td>
                <span className={parts.name}>{agreement.subject}</span>
                <small>agreement {agreement.number}</small>
              </td>
              <td>
                {agreement.port} v{agreement.major}
                <small>{agreement.environment}</small>
              </td>
              <td>
                {agreement.purpose}
                <small>{agreement.offer}</small>
              </td>
              <td>
                <Status kind="agreement" state={agreement.state} />
                <small title={formatExact(agreement.endsAt)}>
                  {agreement.endedBecause ?? `until ${formatDay(agreement.endsAt)}`}
                </small>
              </td>
              <td>
                <Evidence agreement={agreement} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What was tried as the subject, and whether it came out as it must. */
function Evidence({ agreement }: { agreement: Agreement }) {
  const last = agreement.evidence.at(-1)
  if (!last) return <span className="muted">–</span>
  const good = last.proofs.filter((proof) => proof.ok).length
  const all = good === last.proofs.length
  return (
    <details className={styles.evidence}>
      <summary>
        <Glyph family={all ? 'ok' : 'bad'} size={13} /> {good} of {last.proofs.length} as expected
      </summary>
      <small>as the subject, {formatTime(last.at)}</small>
      <ul>
        {last.proofs.map((proof) => (
          <li key={proof.what}>
            <Glyph family={proof.ok ? 'ok' : 'bad'} size={12} />
            <span>
              {proof.what}: {proof.expected}
              {proof.sqlstate ? <code> {proof.sqlstate}</code> : null}
              {proof.ok ? null : <small>{proof.detail}</small>}
            </span>
          </li>
        ))}
      </ul>
    </details>
  )
}
