import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { accessQuery, productQuery } from '../api/queries.ts'
import type { Product } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { productCrumbs } from '../frame/product-crumbs.ts'
import { Loaded, Skeleton } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { TabLinks } from '../parts/tab-links.tsx'
import { ReleasesTab } from '../release/releases-tab.tsx'
import { Tombstone } from '../retire/tombstone.tsx'
import { SloTab } from '../slo/slo-tab.tsx'
import { Status } from '../status/status.tsx'
import { formatDuration, formatExact, formatTime } from '../text/time.ts'
import { AccessTab } from './access-tab.tsx'
import { DataTab } from './data-tab.tsx'
import { Overview } from './overview.tsx'
import styles from './product.module.css'
import { ProductActions } from './product-actions.tsx'
import { ReaderActions } from './reader-actions.tsx'
import { RunsTab } from './runs-tab.tsx'
import { Terms } from './terms.tsx'
import { useRights } from './use-rights.ts'

const route = getRouteApi('/p/$domain/$name')
const TABS = ['overview', 'data', 'slos', 'releases', 'runs', 'lineage', 'access', 'usage'] as const
const LineageTab = lazy(() => import('../lineage/lineage-tab.tsx').then((module) => ({ default: module.LineageTab })))
const UsageTab = lazy(() => import('../usage/usage-tab.tsx').then((module) => ({ default: module.UsageTab })))

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
  const search = route.useSearch()
  const { tab: asked, port, rollback, to } = search
  const agreements = useQuery(accessQuery(domain, name))
  const { owns } = useRights(product)
  const tab = TABS.find((each) => each === asked) ?? 'overview'
  const retired = product.state === 'retired'
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
            {product.release ? <strong>{product.release} </strong> : retired ? null : 'not released, '}
            {product.state} since {formatTime(product.since)}
          </span>
          {product.freshness === null ? null : (
            <span>
              published <strong>{formatDuration(product.freshness * 1000)}</strong> ago
            </span>
          )}
          <span>
            owner <strong>{product.owner}</strong>
          </span>
          {product.offers[0] ? (
            <span>
              terms <Terms terms={product.offers[0].terms} />
            </span>
          ) : null}
        </>
      }
      actions={
        retired || product.state === 'retiring' ? null : (
          <>
            <ReaderActions product={product} tab={tab} />
            {owns ? <ProductActions product={product} rollingBack={tab === 'releases' && rollback !== undefined} /> : null}
          </>
        )
      }
    >
      {retired ? (
        <Tombstone product={product} />
      ) : (
        <>
          <TabLinks
            label="Parts of the product"
            current={tab}
            tabs={[
              { value: 'overview', label: 'Overview' },
              { value: 'data', label: 'Data' },
              { value: 'slos', label: 'SLOs' },
              { value: 'releases', label: 'Releases' },
              { value: 'runs', label: 'Runs' },
              { value: 'lineage', label: 'Lineage' },
              { value: 'access', label: 'Access', count: pending },
              { value: 'usage', label: 'Usage' },
            ]}
          />
          {tab === 'overview' ? <Overview product={product} /> : null}
          {tab === 'data' ? <DataTab product={product} find={search.find} /> : null}
          {tab === 'slos' ? <SloTab product={product} /> : null}
          {tab === 'releases' ? <ReleasesTab product={product} rollback={rollback} to={to} /> : null}
          {tab === 'runs' ? <RunsTab product={product} /> : null}
          {tab === 'access' ? (
            <div className={parts.stack}>
              <AccessTab product={product} agreements={agreements} port={port} />
            </div>
          ) : null}
          <Suspense fallback={<Skeleton rows={6} />}>
            {tab === 'lineage' ? <LineageTab address={product.address} search={search} /> : null}
            {tab === 'usage' ? <UsageTab product={product} owns={owns} /> : null}
          </Suspense>
        </>
      )}
    </Page>
  )
}
