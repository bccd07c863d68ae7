import { Link } from '@tanstack/react-router'
import type { ProductSummary } from '../api/types.ts'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Status } from '../status/status.tsx'
import { formatDuration } from '../text/time.ts'

const WORST = ['failed', 'degraded', 'waiting', 'deploying', 'provisioning', 'draft', 'active', 'retired']

/** Worst first; what is well needs no place at the top. */
export function ProductHealth({ products }: { products: ProductSummary[] }) {
  const sorted = products.toSorted((a, b) => rank(a) - rank(b) || a.address.localeCompare(b.address))
  return (
    <Section title="Products" count={products.length} end={<Link to="/catalog">Catalog</Link>}>
      <div className={parts.tableBox}>
        <table className={parts.table}>
          <thead>
            <tr>
              <th>Product</th>
              <th>State</th>
              <th>Levels</th>
              <th className={parts.num}>Fresh</th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, 8).map((product) => (
              <tr key={product.address}>
                <td>
                  <ProductLink address={product.address} />
                  <small>{product.release ?? 'not released'}</small>
                </td>
                <td>
                  <Status kind="product" state={product.state} />
                </td>
                <td>{product.slo ? <Status kind="level" state={product.slo} /> : <span className="muted">–</span>}</td>
                <td className={parts.num}>{product.freshness === null ? '–' : formatDuration(product.freshness * 1000)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {sorted.length ? null : <p className="muted">No product yet.</p>}
    </Section>
  )
}

function rank(product: ProductSummary): number {
  const at = WORST.indexOf(product.state)
  return at < 0 ? WORST.length : at
}

export function ProductLink({ address }: { address: string }) {
  const [domain = '', name = ''] = address.split('/')
  return (
    <Link to="/p/$domain/$name" params={{ domain, name }} className={parts.name}>
      {address}
    </Link>
  )
}
