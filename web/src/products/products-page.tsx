import { NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { domainsQuery, productsQuery } from '../api/queries.ts'
import type { ProductSummary } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { ButtonLink } from '../parts/button-link.tsx'
import { Icon } from '../parts/icon.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { ProductLink } from '../parts/product-link.tsx'
import { Status } from '../status/status.tsx'
import { counted, formatDuration, formatExact, formatTime } from '../text/time.ts'
import styles from './products.module.css'

const route = getRouteApi('/products')

/** What exists, is it good, who owns it? */
export function ProductsPage() {
  const search = route.useSearch()
  useCrumbs(search.domain ? [{ label: 'Products', to: '/products' }, { label: search.domain }] : [{ label: 'Products' }])
  const navigate = useNavigate()
  const products = useQuery(productsQuery(search.domain ?? null))
  const domains = useQuery(domainsQuery).data?.items ?? []
  const change = (changes: typeof search) => void navigate({ to: '.', search: { ...search, ...changes }, replace: true })
  const owners = domains.find((domain) => domain.name === search.domain)?.owners
  return (
    <Page
      title={search.domain ? `Products of ${search.domain}` : 'Products'}
      name="Products"
      actions={
        <ButtonLink to="/new" search={search.domain ? { domain: search.domain } : {}}>
          New product
        </ButtonLink>
      }
      sub={
        products.data ? (
          <>
            <span>{counted(products.data.items.length, 'product')}</span>
            {owners ? <span>owned by {owners.join(', ')}</span> : <span>{counted(domains.length, 'domain')}</span>}
          </>
        ) : null
      }
    >
      <div className={styles.filters}>
        <TextInput
          aria-label="Find a product"
          placeholder="Name, title or owner"
          leftSection={<Icon name="search" />}
          value={search.q ?? ''}
          onChange={(event) => change({ q: event.currentTarget.value || undefined })}
        />
        <NativeSelect
          aria-label="Domain"
          value={search.domain ?? ''}
          onChange={(event) => change({ domain: event.currentTarget.value || undefined })}
          data={[{ value: '', label: 'All domains' }, ...domains.map((domain) => domain.name)]}
        />
      </div>
      <Loaded query={products} rows={6}>
        {({ items }) => {
          const shown = items.filter((product) => matches(product, search.q))
          if (shown.length) return <ProductTable products={shown} />
          return items.length ? (
            <Empty title={`None of ${counted(items.length, 'product')} mentions “${search.q}”`}>
              <p>Names, titles and owners are searched.</p>
            </Empty>
          ) : (
            <Empty title={search.domain ? `${search.domain} has no product yet` : 'No product yet'}>
              <p>New product makes the first one: repository, schemas and roles, in a few seconds.</p>
            </Empty>
          )
        }}
      </Loaded>
    </Page>
  )
}

function ProductTable({ products }: { products: ProductSummary[] }) {
  return (
    <div className={parts.tableBox}>
      <table className={parts.table}>
        <thead>
          <tr>
            <th>Product</th>
            <th>State</th>
            <th>Service levels</th>
            <th>Release</th>
            <th className={parts.num}>Fresh</th>
            <th>Owner</th>
          </tr>
        </thead>
        <tbody>
          {products.map((product) => (
            <tr key={product.address}>
              <td>
                <ProductLink address={product.address} />
                <small>{product.title}</small>
              </td>
              <td>
                <Status kind="product" state={product.state} />
                <small title={formatExact(product.since)}>{product.reason ?? `since ${formatTime(product.since)}`}</small>
              </td>
              <td>{product.slo ? <Status kind="level" state={product.slo} /> : <span className="muted">–</span>}</td>
              <td>{product.release ?? <span className="muted">–</span>}</td>
              <td className={parts.num}>{product.freshness === null ? '–' : formatDuration(product.freshness * 1000)}</td>
              <td>{product.owner}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Exact parts of the name first would need a ranking; within one domain a filter is enough. */
function matches(product: ProductSummary, q: string | undefined): boolean {
  if (!q) return true
  return [product.address, product.title, product.owner].some((text) => text.toLowerCase().includes(q.toLowerCase()))
}
