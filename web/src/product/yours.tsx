import { Link } from '@tanstack/react-router'
import type { Product } from '../api/types.ts'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Status } from '../status/status.tsx'
import { formatDay, formatExact } from '../text/time.ts'
import styles from './product.module.css'
import { Terms } from './terms.tsx'
import { useRights } from './use-rights.ts'

/** May I use it, until when, under which terms? */
export function Yours({ product }: { product: Product }) {
  const rights = useRights(product)
  const [domain = '', name = ''] = product.address.split('/')
  const offers = product.offers
  return (
    <Section
      title="Your access"
      end={
        <Link to="/p/$domain/$name" params={{ domain, name }} search={{ tab: 'access' }}>
          Who has access
        </Link>
      }
    >
      <ul className={styles.yours}>
        {rights.owns ? (
          <li>
            <Status kind="yours" state="owner" />
            <small className={parts.small}>you read everything it serves</small>
          </li>
        ) : null}
        {[...rights.held, ...rights.pending].map((agreement) => (
          <li key={agreement.number}>
            <Status kind="agreement" state={agreement.state} />
            <small className={parts.small} title={formatExact(agreement.endsAt)}>
              {agreement.port} v{agreement.major} for {agreement.purpose}, until {formatDay(agreement.endsAt)}
            </small>
          </li>
        ))}
        {rights.owns || rights.held.length || rights.pending.length ? null : (
          <li className="muted" style={{ visibility: rights.known ? 'visible' : 'hidden' }}>
            {offers.length ? 'None yet; you may ask for it.' : `None, and nothing is offered. Ask ${product.owner}.`}
          </li>
        )}
      </ul>
      {offers.length ? (
        <dl className={parts.facts} style={{ marginTop: 8 }}>
          {offers.slice(0, 2).map((offer) => (
            <div key={offer.name} style={{ display: 'contents' }}>
              <dt>Terms</dt>
              <dd className={styles.terms}>
                <Terms terms={offer.terms} />
                <small className={parts.small}>
                  {offer.purposes.join(', ')}; {offer.defaultDays} d, at most {offer.maxDays} d
                </small>
              </dd>
            </div>
          ))}
          <dt>Decides</dt>
          <dd>{[...new Set(offers.flatMap((offer) => offer.approvers))].join(', ') || 'nobody, approved at once'}</dd>
        </dl>
      ) : null}
    </Section>
  )
}
