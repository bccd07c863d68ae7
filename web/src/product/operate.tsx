import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { releasesQuery } from '../api/operate-queries.ts'
import { meQuery } from '../api/queries.ts'
import type { Product } from '../api/types.ts'
import { Section } from '../parts/page.tsx'
import { rollbackPlace } from '../release/release-words.ts'
import { Glyph } from '../status/status.tsx'
import { mayOperate } from './may-operate.ts'
import styles from './product.module.css'

/** The way back and the way out, for owners. */
export function Operate({ product }: { product: Product }) {
  const [domain = '', name = ''] = product.address.split('/')
  const may = mayOperate(product, useQuery(meQuery).data)
  const releases = useQuery({ ...releasesQuery(domain, name), enabled: may })
  if (!may) return null
  const back = rollbackPlace(product, releases.data?.items ?? [])
  return (
    <Section title="Operate" end="you own it">
      <ul className={styles.next}>
        <li>
          <Glyph family="off" size={13} />
          {back ? (
            <Link
              to="/p/$domain/$name"
              params={{ domain, name }}
              search={{ tab: 'releases', rollback: back.environment, to: back.to.number }}
            >
              Roll back to r{back.to.number} in {back.environment}
            </Link>
          ) : (
            <span className="muted">{releases.data ? 'No earlier release is kept' : 'Looking for a way back'}</span>
          )}
        </li>
        <li>
          <Glyph family="off" size={13} />
          <Link to="/p/$domain/$name/retire" params={{ domain, name }}>
            Retire
          </Link>
        </li>
      </ul>
    </Section>
  )
}
