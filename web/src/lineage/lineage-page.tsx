import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { suggestQuery } from '../api/find-queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Status } from '../status/status.tsx'
import styles from './lineage.module.css'
import { LineageView } from './lineage-view.tsx'

/** Where does it come from, who depends on it? */
export function LineagePage() {
  const search = getRouteApi('/lineage').useSearch()
  const { of } = search
  useCrumbs(of ? [{ label: 'Lineage', to: '/lineage' }, { label: of }] : [{ label: 'Lineage' }])
  if (!of) return <Start />
  const [domain = '', rest = ''] = of.split('/')
  const name = rest.split('.')[0] ?? ''
  return (
    <Page
      title={
        <>
          <span className={styles.pageOf}>Lineage of </span>
          {of}
        </>
      }
      name={`Lineage of ${of}`}
      sub={
        domain && name && !of.startsWith('source:') ? (
          <>
            <span>what it reads left, what reads it right</span>
            <span>
              <Link to="/p/$domain/$name" params={{ domain, name }}>
                the page of the product
              </Link>
            </span>
          </>
        ) : null
      }
    >
      <LineageView key={of} of={of} search={search} />
    </Page>
  )
}

function Start() {
  const products = useQuery(suggestQuery(''))
  return (
    <Page title="Lineage" name="Lineage" sub={<span>choose where to start; the search above finds columns too</span>}>
      <Loaded query={products} rows={6}>
        {({ items }) =>
          items.length ? (
            <div className={parts.tableBox}>
              <table className={parts.table}>
                <thead>
                  <tr>
                    <th>Product</th>
                    <th>State</th>
                    <th>Owner</th>
                    <th className={parts.num}>Consumers</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map(({ product, consumers }) => (
                    <tr key={product.address}>
                      <td>
                        <Link to="/lineage" search={{ of: product.address }} className={parts.name}>
                          {product.address}
                        </Link>
                        <small>{product.title}</small>
                      </td>
                      <td>
                        <Status kind="product" state={product.state} />
                      </td>
                      <td>{product.owner}</td>
                      <td className={parts.num}>{consumers}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ) : (
            <Empty title="No product yet">
              <p>
                Lineage grows with products that read each other. <Link to="/new">Ask for the first one</Link>.
              </p>
            </Empty>
          )
        }
      </Loaded>
    </Page>
  )
}
