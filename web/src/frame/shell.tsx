import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useState } from 'react'
import { incidentsQuery } from '../api/operate-queries.ts'
import { healthQuery, meQuery, requestsQuery } from '../api/queries.ts'
import type { Me } from '../api/types.ts'
import { FailureCard } from '../parts/failure-card.tsx'
import { Icon, type IconName } from '../parts/icon.tsx'
import { Skeleton } from '../parts/loaded.tsx'
import { type Crumb, CrumbsContext } from './crumbs.tsx'
import { FindBox } from './find-box.tsx'
import { Keys } from './keys.tsx'
import { LiveMark } from './live-mark.tsx'
import styles from './shell.module.css'
import { SignedOut } from './signed-out.tsx'
import { UserMenu } from './user-menu.tsx'

/** The frame of every page: rail, top bar, and the page. Nothing is asked of the API before it is known who asks. */
export function Shell() {
  const me = useQuery(meQuery)
  if (me.error?.status === 401) return <SignedOut />
  if (me.data) return <Frame me={me.data} />
  return (
    <main className={styles.alone}>
      {me.error ? <FailureCard failure={me.error} retry={() => void me.refetch()} /> : <Skeleton rows={5} />}
    </main>
  )
}

function Frame({ me }: { me: Me }) {
  const [crumbs, setCrumbs] = useState<Crumb[]>([])
  return (
    <CrumbsContext value={setCrumbs}>
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <div className={styles.shell}>
        <Rail />
        <header className={styles.top}>
          <Breadcrumb crumbs={crumbs} />
          <FindBox />
          <div className={styles.topEnd}>
            <LiveMark />
            <Keys />
            <UserMenu me={me} />
          </div>
        </header>
        <main id="main" className={styles.main} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </CrumbsContext>
  )
}

const ENTRIES: { to: string; label: string; icon: IconName }[] = [
  { to: '/', label: 'Home', icon: 'home' },
  { to: '/catalog', label: 'Catalog', icon: 'catalog' },
  { to: '/requests', label: 'Requests', icon: 'requests' },
  { to: '/runs', label: 'Runs', icon: 'runs' },
  { to: '/lineage', label: 'Lineage', icon: 'lineage' },
  { to: '/incidents', label: 'Incidents', icon: 'incidents' },
]

function Rail() {
  const health = useQuery(healthQuery)
  const waiting = useQuery(requestsQuery({ open: true })).data?.items.filter((request) => request.actions.approve).length ?? 0
  const open = useQuery(incidentsQuery({ open: true })).data?.items.length ?? 0
  const counts: Record<string, [number, string]> = { '/requests': [waiting, 'wait for you'], '/incidents': [open, 'are open'] }
  const path = useRouterState({ select: (state) => state.location.pathname })
  const inProducts = path.startsWith('/p/') || path === '/new'
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname)
  return (
    <nav className={styles.rail} aria-label="Main">
      <Link to="/" className={styles.brand} aria-label="Heddle, home">
        <svg
          width="20"
          height="20"
          viewBox="0 0 20 20"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.9"
          strokeLinecap="round"
          aria-hidden="true"
        >
          <path d="M6 1.5v17M10 1.5v17M14 1.5v17M1.5 7h17M1.5 13h17" />
        </svg>
        <span className={styles.brandName}>Heddle</span>
      </Link>
      <ul>
        {ENTRIES.map((entry) => (
          <li key={entry.to}>
            <Link
              to={entry.to}
              className={styles.entry}
              activeOptions={{ exact: entry.to === '/' }}
              title={entry.label}
              data-within={entry.to === '/catalog' && inProducts}
            >
              <Icon name={entry.icon} />
              <span className={styles.label}>{entry.label}</span>
              {counts[entry.to]?.[0] ? (
                <span className={styles.badge}>
                  {counts[entry.to]![0]}
                  <span className="sr-only"> {counts[entry.to]![1]}</span>
                </span>
              ) : null}
            </Link>
          </li>
        ))}
      </ul>
      <p className={styles.version}>{health.data ? `${health.data.version}${local ? ' · local only' : ''}` : ''}</p>
    </nav>
  )
}

function Breadcrumb({ crumbs }: { crumbs: Crumb[] }) {
  return (
    <nav aria-label="Breadcrumb" className={styles.crumbs}>
      <ol>
        {crumbs.map((crumb, index) => (
          <li key={crumb.label}>
            {crumb.to && index < crumbs.length - 1 ? (
              <Link to={crumb.to} search={crumb.search ?? {}}>
                {crumb.label}
              </Link>
            ) : (
              <span aria-current={index === crumbs.length - 1 ? 'page' : undefined}>{crumb.label}</span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  )
}
