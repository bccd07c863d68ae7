import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { myAgreementsQuery, searchQuery } from '../api/find-queries.ts'
import { domainsQuery } from '../api/queries.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { ButtonLink } from '../parts/button-link.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Icon } from '../parts/icon.tsx'
import { Empty, Skeleton } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { counted, formatCount } from '../text/time.ts'
import styles from './catalog.module.css'
import { HitRow } from './hit-row.tsx'
import { NothingFound } from './nothing-found.tsx'
import { PLACES, placeWord } from './places.ts'

const route = getRouteApi('/catalog')
const SORTS = [
  { value: 'rank', label: 'Best match' },
  { value: 'name', label: 'A–Z' },
  { value: 'freshness', label: 'Freshest' },
]

/** What exists, is it good, can I use it? */
export function CatalogPage() {
  const search = route.useSearch()
  const { q = '', domain, state } = search
  const sort = search.sort ?? (q ? 'rank' : 'name')
  useCrumbs(domain ? [{ label: 'Catalog', to: '/catalog' }, { label: domain }] : [{ label: 'Catalog' }])
  const navigate = useNavigate()
  const found = useInfiniteQuery(searchQuery({ q, domain, state, sort }))
  const domains = useQuery(domainsQuery).data?.items ?? []
  const mine = useQuery(myAgreementsQuery).data?.items ?? []
  const hits = found.data?.pages.flatMap((page) => page.items) ?? []
  const change = (changes: Partial<typeof search>) =>
    void navigate({ to: '/catalog', search: { ...search, ...changes }, replace: true })
  const owners = domains.find((item) => item.name === domain)?.owners
  return (
    <Page
      title={domain ? `Catalog of ${domain}` : 'Catalog'}
      name="Catalog"
      actions={
        <ButtonLink to="/new" search={domain ? { domain } : {}}>
          New product
        </ButtonLink>
      }
      sub={
        domains.length ? (
          <>
            {owners ? <span>owned by {owners.join(', ')}</span> : <span>{counted(domains.length, 'domain')}</span>}
            <span>names, titles, columns, tags and texts are searched</span>
          </>
        ) : null
      }
    >
      <FindInput q={q} onFind={(text) => change({ q: text || undefined })} />
      <div className={styles.body}>
        <Facets domains={domains} counts={!q && !state} />
        <section className={styles.results} aria-label="Products" data-updating={found.isPlaceholderData}>
          <div className={styles.bar}>
            <h2 aria-live="polite">{found.data ? summary(hits.length, found.hasNextPage, q) : 'Products'}</h2>
            <div className={styles.sort}>
              <span aria-hidden="true">Sort</span>
              <SegmentedControl
                aria-label="Sort"
                data={SORTS}
                value={sort}
                onChange={(value) => change({ sort: value === (q ? 'rank' : 'name') ? undefined : value })}
              />
            </div>
          </div>
          {found.error ? <FailureCard failure={found.error} retry={() => void found.refetch()} /> : null}
          {found.isPending && !found.error ? <Skeleton rows={8} /> : null}
          {hits.length ? (
            <div className={`${parts.tableBox} ${found.isPlaceholderData ? styles.stale : ''}`}>
              <table className={parts.table}>
                <thead>
                  <tr>
                    <th>Product</th>
                    <th>State</th>
                    <th>Service levels, 20 days</th>
                    <th className={parts.num}>Fresh</th>
                    <th className={parts.num}>Consumers</th>
                    <th>Yours</th>
                  </tr>
                </thead>
                <tbody>
                  {hits.map((hit) => (
                    <HitRow key={hit.product.address} hit={hit} q={q} mine={mine} />
                  ))}
                </tbody>
              </table>
            </div>
          ) : null}
          {found.hasNextPage ? (
            <div className={styles.more}>
              <Button loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
                Show more
              </Button>
            </div>
          ) : null}
          {found.data && !hits.length && !found.isPlaceholderData ? (
            q || domain || state ? (
              <NothingFound q={q} domain={domain} state={state} />
            ) : (
              <Empty title="No product yet">
                <p>
                  <Link to="/new">New product</Link> makes the first one: repository, schemas and roles, in a few seconds.
                </p>
              </Empty>
            )
          ) : null}
        </section>
      </div>
    </Page>
  )
}

function summary(count: number, more: boolean, q: string): React.ReactNode {
  if (!count)
    return q ? (
      <>
        No product <span>matches “{q}”</span>
      </>
    ) : (
      'No product'
    )
  const products = `${more ? 'First ' : ''}${count === 1 ? '1 product' : `${formatCount(count)} products`}`
  if (!q) return products
  return (
    <>
      {products}{' '}
      <span>
        {count === 1 ? 'matches' : 'match'} “{q}”
      </span>
    </>
  )
}

/** What is typed becomes the address a moment later; what the address says comes back into the field. */
function FindInput({ q, onFind }: { q: string; onFind: (q: string) => void }) {
  const [text, setText] = useState(q)
  const sent = useRef(q)
  useEffect(() => {
    if (q === sent.current) return
    sent.current = q
    setText(q)
  }, [q])
  useEffect(() => {
    if (text === sent.current) return
    const timer = setTimeout(() => {
      sent.current = text
      onFind(text)
    }, 120)
    return () => clearTimeout(timer)
  }, [text, onFind])
  return (
    <TextInput
      type="search"
      styles={{ input: { height: 40, fontSize: 16 } }}
      aria-label="Find in the catalog"
      placeholder="Name, column, tag or words of the description"
      leftSection={<Icon name="search" />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  )
}

function Facets({ domains, counts }: { domains: { name: string; products: number }[]; counts: boolean }) {
  const search = route.useSearch()
  return (
    <nav className={styles.facets} aria-label="Filters">
      <section aria-label="Catalog entry">
        <h2>Entry</h2>
        <ul>
          {[undefined, ...PLACES].map((state) => (
            <li key={state ?? ''}>
              <Facet open={search.state === state} search={{ ...search, state }}>
                <span>{state === undefined ? 'All but retired' : placeWord(state)}</span>
              </Facet>
            </li>
          ))}
        </ul>
      </section>
      <section aria-label="Domain">
        <h2>Domain</h2>
        <ul>
          {[undefined, ...domains].map((domain) => (
            <li key={domain?.name ?? ''}>
              <Facet open={search.domain === domain?.name} search={{ ...search, domain: domain?.name }}>
                <span>{domain?.name ?? 'All'}</span>
                {counts && domain ? <span>{domain.products}</span> : null}
              </Facet>
            </li>
          ))}
        </ul>
      </section>
    </nav>
  )
}

function Facet({ open, search, children }: { open: boolean; search: object; children: React.ReactNode }) {
  return (
    <Link
      to="/catalog"
      search={search}
      className={styles.facet}
      activeOptions={{ exact: true, includeSearch: true, explicitUndefined: true }}
      activeProps={{}}
      aria-current={open ? 'true' : undefined}
    >
      {children}
    </Link>
  )
}
