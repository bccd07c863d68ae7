import { useQueries } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { serviceLevelsQuery } from '../api/operate-queries.ts'
import type { ProductSummary, ServiceLevel } from '../api/types.ts'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { BudgetBar } from '../slo/budget.tsx'
import { DayStrip } from '../slo/day-strip.tsx'
import { budgetWords, leftShare, worstLevel } from '../slo/level-words.ts'
import { Status } from '../status/status.tsx'
import { counted } from '../text/time.ts'
import { byDomain, type Domain } from './by-domain.ts'
import styles from './home.module.css'

/** So many domains get their strip: each costs one question. */
const SHOWN = 8

/** Worst domain first, each told by its worst product and that product's worst level. */
export function DomainHealth({ products }: { products: ProductSummary[] }) {
  const domains = byDomain(products)
  const shown = domains.slice(0, SHOWN)
  const levels = useQueries({
    queries: shown.map(({ worst }) => {
      const [domain = '', name = ''] = worst.address.split('/')
      return { ...serviceLevelsQuery(domain, name), enabled: worst.release !== null }
    }),
  })
  return (
    <Section title="Health by domain" count={domains.length} end="worst product, worst level">
      {shown.length ? (
        <div className={parts.tableBox}>
          <table className={`${parts.table} ${styles.health}`}>
            <thead>
              <tr>
                <th>Domain</th>
                <th>State</th>
                <th>20 days</th>
                <th className={parts.num}>Budget left</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((domain, index) => (
                <Row key={domain.name} domain={domain} level={worstLevel(levels[index]?.data?.items ?? [])} />
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="muted">No product yet.</p>
      )}
      {domains.length > SHOWN ? (
        <p className={styles.more}>
          <Link to="/catalog">{counted(domains.length - SHOWN, 'more domain')}</Link>
        </p>
      ) : null}
    </Section>
  )
}

function Left({ level }: { level: ServiceLevel | null }) {
  const left = level && leftShare(level)
  if (!level?.evaluated || left === null) return <span className="muted">–</span>
  return (
    <span className={styles.left}>
      <span>
        {Math.round(left * 100)} %<small>{level.kind}</small>
      </span>
      <BudgetBar level={level} />
    </span>
  )
}

function Row({ domain: { name, products, worst }, level }: { domain: Domain; level: ServiceLevel | null }) {
  const [, product = ''] = worst.address.split('/')
  return (
    <tr>
      <td>
        <Link to="/p/$domain/$name" params={{ domain: name, name: product }} className={parts.name}>
          {name}
        </Link>
        <small>{products.length === 1 ? product : `${products.length} products, ${product}`}</small>
      </td>
      <td>
        <Status kind="product" state={worst.state} />
        {worst.slo && worst.slo !== 'met' ? (
          <small>
            <Status kind="level" state={worst.slo} size={12} />
          </small>
        ) : null}
      </td>
      <td>{level ? <DayStrip level={level} size="list" /> : <span className="muted">–</span>}</td>
      <td className={parts.num} title={level?.evaluated ? budgetWords(level) : undefined}>
        <Left level={level} />
      </td>
    </tr>
  )
}
