import { Button, TextInput } from '@mantine/core'
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { requestsQuery } from '../api/queries.ts'
import type { Agreement, List, Product, Request, RunSummary } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { RequestCard } from '../requests/request-card.tsx'
import { Glyph, Status, StatusGlyph } from '../status/status.tsx'
import { cli } from '../text/cli.ts'
import { formatDay, formatExact, formatTime } from '../text/time.ts'
import styles from './product.module.css'
import { RequestAccess } from './request-access.tsx'
import type { Rights } from './rights.ts'
import { Terms } from './terms.tsx'
import { useRights } from './use-rights.ts'

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
  const rights = useRights(product)
  const open =
    useQuery(requestsQuery({ open: true })).data?.items.filter(
      (request) => request.kind === 'access' && request.payload.product === product.address,
    ) ?? []
  const [decide] = open.filter((request) => request.actions.approve)
  const others = open.filter((request) => request !== decide)
  const asks = product.offers.length > 0 && !rights.owns
  return (
    <div className={parts.split} style={{ '--side': '360px' } as React.CSSProperties}>
      <div className={parts.stack}>
        <Mine rights={rights} />
        <Section title="Agreements" count={agreements.data?.items.length}>
          <Loaded query={agreements} rows={4}>
            {({ items }) =>
              items.length ? (
                <AgreementTable agreements={items} rights={rights} />
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
                        <small className={styles.terms}>
                          <Terms terms={offer.terms} />
                        </small>
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
      {decide || asks || others.length ? (
        <div className={parts.stack}>
          {decide ? <RequestCard key={decide.number} request={decide} plan={false} /> : null}
          {others.length ? <Waiting requests={others} /> : null}
          {asks ? <RequestAccess key={port} product={product} port={port} filled={!decide} /> : null}
        </div>
      ) : null}
    </div>
  )
}

/** What the reader holds himself comes first. */
function Mine({ rights }: { rights: Rights }) {
  const own = [...rights.held, ...rights.pending]
  if (!own.length) return null
  return (
    <div className={parts.block}>
      {own.map((agreement) => (
        <p key={agreement.number}>
          <Status kind="agreement" state={agreement.state} />{' '}
          {agreement.state === 'active' || agreement.state === 'expiring' ? 'You read' : 'You asked for'}{' '}
          <strong>
            {agreement.port} v{agreement.major}
          </strong>{' '}
          in {agreement.environment} for {agreement.purpose},{' '}
          <span title={formatExact(agreement.endsAt)}>until {formatDay(agreement.endsAt)}</span>.
        </p>
      ))}
    </div>
  )
}

function Waiting({ requests }: { requests: Request[] }) {
  return (
    <Section title="Also waiting" count={requests.length}>
      <ul className={styles.next}>
        {requests.map((request) => (
          <li key={request.number}>
            <StatusGlyph kind="request" state={request.state} />
            <Link to="/requests/$number" params={{ number: String(request.number) }}>
              Request {request.number} by {request.by}
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  )
}

function AgreementTable({ agreements, rights }: { agreements: Agreement[]; rights: Rights }) {
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
            {rights.owns || rights.held.length ? (
              <th>
                <span className="sr-only">Do</span>
              </th>
            ) : null}
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
              {rights.owns || rights.held.length ? (
                <td className={parts.num}>
                  {ENDABLE.includes(agreement.state) && (rights.owns || rights.held.includes(agreement)) ? (
                    <Revoke agreement={agreement} own={rights.held.includes(agreement)} />
                  ) : null}
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const ENDABLE = ['active', 'expiring', 'failed']

/** Access that ends takes open sessions with it and is asked for anew: it is asked about once. */
function Revoke({ agreement, own }: { agreement: Agreement; own: boolean }) {
  const [sure, setSure] = useState(false)
  const [reason, setReason] = useState('')
  const revoke = useAction<RunSummary>(() => setSure(false))
  if (!sure)
    return (
      <Button size="xs" variant="quiet" onClick={() => setSure(true)}>
        {own ? 'Give back' : 'Revoke'}
        <span className="sr-only"> agreement {agreement.number}</span>
      </Button>
    )
  return (
    <form
      className={styles.revoke}
      onSubmit={(event) => {
        event.preventDefault()
        revoke.mutate({ path: `/agreements/${agreement.number}/revoke`, body: reason ? { reason } : {} })
      }}
    >
      <TextInput
        label="Why"
        placeholder={`${agreement.subject} and the audit read it`}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div>
        <Button size="xs" type="submit" loading={revoke.isPending}>
          Revoke agreement {agreement.number}
        </Button>
        <Button size="xs" variant="quiet" onClick={() => setSure(false)}>
          Keep it
        </Button>
      </div>
      <CopyLine prompt="$ " text={cli.revoke(agreement.number, reason)} label="Copy as CLI" />
      {revoke.error ? <FailureCard failure={revoke.error} /> : null}
    </form>
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
