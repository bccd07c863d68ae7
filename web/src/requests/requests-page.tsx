import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { type RequestFilter, requestQuery, requestsQuery } from '../api/queries.ts'
import type { Request } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Page } from '../parts/page.tsx'
import { StatusGlyph } from '../status/status.tsx'
import { counted, formatAge, formatExact } from '../text/time.ts'
import { RequestCard } from './request-card.tsx'
import styles from './requests.module.css'

const VIEWS: Record<string, { label: string; filter: RequestFilter; keep?: (request: Request) => boolean }> = {
  forme: { label: 'For me', filter: { open: true }, keep: (request) => request.actions.approve },
  open: { label: 'Open', filter: { open: true } },
  mine: { label: 'Mine', filter: { mine: true } },
  all: { label: 'All', filter: {} },
}

/** What waits for me, for others, how long? */
export function RequestsPage() {
  const show = getRouteApi('/requests').useSearch().show
  return <Requests show={show} number={null} />
}

export function RequestPage() {
  const route = getRouteApi('/requests/$number')
  const { number } = route.useParams()
  return <Requests show={route.useSearch().show} number={Number(number)} />
}

function Requests({ show, number }: { show: string | undefined; number: number | null }) {
  useCrumbs(number === null ? [{ label: 'Requests' }] : [{ label: 'Requests', to: '/requests' }, { label: `request ${number}` }])
  const navigate = useNavigate()
  const view = VIEWS[show ?? 'open'] ?? VIEWS.open!
  const list = useQuery(requestsQuery(view.filter))
  const items = (list.data?.items ?? []).filter(view.keep ?? (() => true))
  const opened = number ?? items[0]?.number ?? null
  const waiting = list.data?.items.filter((request) => request.actions.approve).length
  return (
    <Page
      title="Requests"
      name={number === null ? 'Requests' : `Request ${number}`}
      sub={
        <span>
          {waiting === undefined ? 'Looking' : waiting ? `${counted(waiting, 'waits', 'wait')} for you` : 'None waits for you'}
        </span>
      }
    >
      <div className={styles.split} data-detail={number !== null}>
        <div className={styles.list}>
          <SegmentedControl
            aria-label="Which requests"
            data={Object.entries(VIEWS).map(([value, { label }]) => ({ value, label }))}
            value={show && show in VIEWS ? show : 'open'}
            onChange={(value) => void navigate({ to: '/requests', search: { show: value === 'open' ? undefined : value } })}
          />
          <Loaded query={list} rows={4}>
            {() =>
              items.length ? (
                <ul>
                  {items.map((request) => (
                    <li key={request.number}>
                      <Link
                        to="/requests/$number"
                        params={{ number: String(request.number) }}
                        search={{ show }}
                        className={styles.item}
                        aria-current={request.number === opened ? 'true' : undefined}
                      >
                        <StatusGlyph kind="request" state={request.state} size={14} />
                        <span className={styles.what}>
                          <strong>{request.title}</strong>
                          <small>
                            request {request.number} by {request.by}
                          </small>
                        </span>
                        <span className={styles.age} title={formatExact(request.createdAt)}>
                          {formatAge(Date.now() - Date.parse(request.createdAt))}
                        </span>
                      </Link>
                    </li>
                  ))}
                </ul>
              ) : (
                <Empty
                  title={
                    show === 'mine'
                      ? 'You have asked for nothing yet'
                      : show === 'all'
                        ? 'Nobody has asked for anything yet'
                        : 'Nothing waits'
                  }
                >
                  <p>
                    Ask for <Link to="/new">a new product</Link>, or for access on the page of a product of{' '}
                    <Link to="/catalog">the catalog</Link>.
                  </p>
                </Empty>
              )
            }
          </Loaded>
        </div>
        {opened === null ? null : <Detail key={opened} number={opened} />}
      </div>
    </Page>
  )
}

function Detail({ number }: { number: number }) {
  const request = useQuery(requestQuery(number))
  return (
    <div className={styles.detail}>
      <Loaded query={request} rows={8}>
        {(data) => <RequestCard request={data} />}
      </Loaded>
    </div>
  )
}
