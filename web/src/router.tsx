import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import { NotFound } from './frame/not-found.tsx'
import { Shell } from './frame/shell.tsx'
import { type LineageSearch, readLineageSearch } from './lineage/lineage-search.ts'
import { FailureCard } from './parts/failure-card.tsx'
import { Skeleton } from './parts/loaded.tsx'
import { readLogSearch } from './run/log-search.ts'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

/** An address that says `q=2013` is read as a number. */
const text = (value: unknown): string | undefined =>
  typeof value === 'number' ? String(value) : typeof value === 'string' && value ? value : undefined
const count = (value: unknown): number | undefined => (Number.isInteger(value) && Number(value) > 0 ? Number(value) : undefined)

/** `find`: the column, object or port to show; `rollback` and `to`: the way back that is looked at; the rest is of the lineage tab. */
type ProductSearch = LineageSearch & {
  tab?: string | undefined
  port?: string | undefined
  find?: string | undefined
  rollback?: string | undefined
  to?: number | undefined
}

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('./home/home-page.tsx'), 'HomePage'),
})

/** The catalog's former address. */
const products = createRoute({
  getParentRoute: () => root,
  path: '/products',
  beforeLoad: ({ search }) => {
    throw redirect({ to: '/catalog', search })
  },
})

const catalog = createRoute({
  getParentRoute: () => root,
  path: '/catalog',
  validateSearch: (
    search,
  ): { q?: string | undefined; domain?: string | undefined; state?: string | undefined; sort?: string | undefined } => ({
    q: text(search.q),
    domain: text(search.domain),
    state: text(search.state),
    sort: text(search.sort),
  }),
  component: lazyRouteComponent(() => import('./catalog/catalog-page.tsx'), 'CatalogPage'),
})

const lineage = createRoute({
  getParentRoute: () => root,
  path: '/lineage',
  validateSearch: readLineageSearch,
  component: lazyRouteComponent(() => import('./lineage/lineage-page.tsx'), 'LineagePage'),
})

const product = createRoute({
  getParentRoute: () => root,
  path: '/p/$domain/$name',
  validateSearch: (search): ProductSearch => ({
    ...readLineageSearch(search),
    tab: text(search.tab),
    port: text(search.port),
    find: text(search.find),
    rollback: text(search.rollback),
    to: count(search.to),
  }),
  component: lazyRouteComponent(() => import('./product/product-page.tsx'), 'ProductPage'),
})

/** Where messages of service levels lead. */
const told = createRoute({
  getParentRoute: () => root,
  path: '/products/$domain/$name',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/p/$domain/$name', params, search: {}, replace: true })
  },
})

const retire = createRoute({
  getParentRoute: () => root,
  path: '/p/$domain/$name/retire',
  component: lazyRouteComponent(() => import('./retire/retire-page.tsx'), 'RetirePage'),
})

const incidents = createRoute({
  getParentRoute: () => root,
  path: '/incidents',
  validateSearch: (search): { show?: string | undefined; product?: string | undefined } => ({
    show: text(search.show),
    product: text(search.product),
  }),
  component: lazyRouteComponent(() => import('./incident/incidents-page.tsx'), 'IncidentsPage'),
})

const incident = createRoute({
  getParentRoute: () => root,
  path: '/incidents/$number',
  component: lazyRouteComponent(() => import('./incident/incident-page.tsx'), 'IncidentPage'),
})

const create = createRoute({
  getParentRoute: () => root,
  path: '/new',
  validateSearch: (search): { domain?: string | undefined } => ({ domain: text(search.domain) }),
  component: lazyRouteComponent(() => import('./create/create-page.tsx'), 'CreatePage'),
})

const requests = createRoute({
  getParentRoute: () => root,
  path: '/requests',
  validateSearch: (search): { show?: string | undefined } => ({ show: text(search.show) }),
  component: lazyRouteComponent(() => import('./requests/requests-page.tsx'), 'RequestsPage'),
})

const request = createRoute({
  getParentRoute: () => root,
  path: '/requests/$number',
  validateSearch: (search): { show?: string | undefined } => ({ show: text(search.show) }),
  component: lazyRouteComponent(() => import('./requests/requests-page.tsx'), 'RequestPage'),
})

const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: (search): { product?: string | undefined; state?: string | undefined } => ({
    product: text(search.product),
    state: text(search.state),
  }),
  component: lazyRouteComponent(() => import('./runs/runs-page.tsx'), 'RunsPage'),
})

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$number',
  validateSearch: readLogSearch,
  component: lazyRouteComponent(() => import('./run/run-page.tsx'), 'RunPage'),
})

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    products,
    catalog,
    lineage,
    product,
    told,
    retire,
    incidents,
    incident,
    create,
    requests,
    request,
    runs,
    run,
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingMs: 0,
  defaultPendingMinMs: 0,
  defaultPendingComponent: () => <Waiting />,
  defaultErrorComponent: ({ error, reset }: ErrorComponentProps) => (
    <Padded>
      <FailureCard failure={error} retry={reset} />
    </Padded>
  ),
})

function Waiting() {
  return (
    <Padded>
      <Skeleton rows={5} />
    </Padded>
  )
}

function Padded({ children }: { children: React.ReactNode }) {
  return <div style={{ padding: '24px' }}>{children}</div>
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
