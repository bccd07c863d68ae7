import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { accessQuery, productQuery } from '../api/queries.ts'
import type { Product } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { productCrumbs } from '../frame/product-crumbs.ts'
import { ButtonLink } from '../parts/button-link.tsx'
import { Loaded } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { TabLinks } from '../parts/tab-links.tsx'
import { Status } from '../status/status.tsx'
import { formatDuration, formatExact, formatTime } from '../text/time.ts'
import { AccessTab } from './access-tab.tsx'
import { DataTab } from './data-tab.tsx'
import { Overview } from './overview.tsx'
import styles from './product.module.css'

const route = getRouteApi('/p/$domain/$name')

/** Is it up, fresh, mine to use, who owns it, what version? */
export function ProductPage() {
  const { domain, name } = route.useParams()
  const query = useQuery(productQuery(domain, name))
  const address = `${domain}/${name}`
  useCrumbs(productCrumbs(address))
  if (query.data) return <ProductView key={address} product={query.data} domain={domain} name={name} />
  return (
    <Page title={address} name={address}>
      <Loaded query={query} rows={8}>
        {() => null}
      </Loaded>
    </Page>
  )
}

function ProductView({ product, domain, name }: { product: Product; domain: string; name: string }) {
  const { tab: asked, port } = route.useSearch()
  const agreements = useQuery(accessQuery(domain, name))
  const tab = asked === 'data' || asked === 'access' ? asked : 'overview'
  const pending = agreements.data?.items.filter((agreement) => agreement.state === 'requested').length
  return (
    <Page
      name={product.address}
      title={
        <>
          <span className={styles.domain}>{domain} / </span>
          {name}
        </>
      }
      chip={<Status kind="product" state={product.state} chip />}
      sub={
        <>
          <span title={formatExact(product.since)}>
            {product.release ? <strong>{product.release} </strong> : 'not released, '}
            {product.state} since {formatTime(product.since)}
          </span>
          {product.freshness === null ? null : (
            <span>
              published <strong>{formatDuration(product.freshness * 1000)}</strong> ago
            </span>
          )}
          <span>owner {product.owner}</span>
        </>
      }
      actions={
        product.offers.length && tab !== 'access' ? (
          <ButtonLink
            to="/p/$domain/$name"
            params={{ domain, name }}
            search={{ tab: 'access', port: product.offers[0]?.ports[0] }}
            filled
          >
            Request access
          </ButtonLink>
        ) : null
      }
    >
      <TabLinks
        label="Parts of the product"
        current={tab}
        tabs={[
          { value: 'overview', label: 'Overview' },
          { value: 'data', label: 'Data' },
          { value: 'access', label: 'Access', count: pending },
        ]}
      />
      {tab === 'overview' ? <Overview product={product} /> : null}
      {tab === 'data' ? <DataTab product={product} /> : null}
      {tab === 'access' ? (
        <div className={parts.stack}>
          <AccessTab product={product} agreements={agreements} port={port} />
        </div>
      ) : null}
    </Page>
  )
}
