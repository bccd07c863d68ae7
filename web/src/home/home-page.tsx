import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { incidentsQuery } from '../api/operate-queries.ts'
import { productsQuery, requestsQuery, runQuery, runsQuery } from '../api/queries.ts'
import type { Request, Run } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { ButtonLink } from '../parts/button-link.tsx'
import { CopyLine } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Empty, Skeleton } from '../parts/loaded.tsx'
import { Page, Section } from '../parts/page.tsx'
import { runTitle } from '../run/run-state.ts'
import { Glyph, StatusGlyph } from '../status/status.tsx'
import { counted, formatAge, formatMoment } from '../text/time.ts'
import { Broke } from './broke.tsx'
import { Changed } from './changed.tsx'
import { DomainHealth } from './domain-health.tsx'
import styles from './home.module.css'
import { Lanes } from './lanes.tsx'
import { brokenRuns, verdict } from './what-needs-me.ts'

const DAY_MS = 86_400_000

/** What needs me? What broke? What changed? */
export function HomePage() {
  useCrumbs([{ label: 'Home' }])
  const requestList = useQuery(requestsQuery({ open: true }))
  const runList = useQuery(runsQuery({ limit: 200 }))
  const productList = useQuery(productsQuery(null))
  const incidentList = useQuery(incidentsQuery({ open: true }))
  const runs = runList.data?.items ?? []
  const waitingNumbers = runs.filter((run) => run.state === 'waiting').slice(0, 10)
  // Whether a waiting run waits for me is said by the run itself, not by its summary.
  const asked = useQueries({ queries: waitingNumbers.map((run) => runQuery(run.number)) })
  const waiting = asked.flatMap((query) => (query.data?.actions.approve ? [query.data] : []))
  const requests = (requestList.data?.items ?? []).filter((request) => request.actions.approve || request.actions.retry)
  const products = productList.data?.items ?? []
  const broken = brokenRuns(runs)
  const incidents = incidentList.data?.items ?? []
  const first = [requestList, runList, productList, incidentList, ...asked].find((query) => query.isPending)
  const failed = [requestList, runList, productList, incidentList].find((query) => query.isError)
  const now = Date.now()
  const recent = runs.filter((run) => now - Date.parse(run.startedAt ?? run.createdAt) < DAY_MS)
  if (first && !failed)
    return (
      <Page title={<span className="late">Home</span>} name="Home">
        <Skeleton rows={8} />
      </Page>
    )
  const nothing = !products.length && !runs.length && !requests.length
  return (
    <Page
      title={nothing ? 'Welcome to Heddle' : verdict({ requests, waiting, broken, incidents, products })}
      name="Home"
      actions={
        <ButtonLink to="/new" filled={nothing}>
          New product
        </ButtonLink>
      }
      sub={
        <>
          <span>{formatMoment(new Date(now))}</span>
          <span>{counted(products.length, 'product')}</span>
          <span>
            {counted(recent.length, 'run')} in 24 h, {recent.filter((run) => run.state === 'failed').length} failed
          </span>
        </>
      }
    >
      {failed ? <FailureCard failure={failed.error} retry={() => void failed.refetch()} /> : null}
      {nothing && !failed ? (
        <FirstSteps />
      ) : (
        <>
          <div className={styles.columns}>
            <div className={styles.column}>
              <NeedsYou requests={requests} waiting={waiting} now={now} />
              <Broke runs={broken} incidents={incidents} />
            </div>
            <div className={styles.column}>
              <DomainHealth products={products} />
              <Changed runs={runs} products={products} now={now} />
            </div>
          </div>
          {recent.length ? <Lanes runs={recent} now={now} /> : null}
        </>
      )}
    </Page>
  )
}

function NeedsYou({ requests, waiting, now }: { requests: Request[]; waiting: Run[]; now: number }) {
  const count = requests.length + waiting.length
  return (
    <Section title="Needs you" count={count} end={<Link to="/requests">All requests</Link>}>
      {count ? (
        <ul className={styles.work}>
          {requests.map((request, index) => (
            <li key={request.number}>
              <StatusGlyph kind="request" state={request.state} size={14} />
              <div className={styles.what}>
                <strong>
                  Request {request.number}: {request.title}
                </strong>
                <small>{request.next}</small>
              </div>
              <div className={styles.when}>
                {request.by}
                <br />
                {formatAge(now - Date.parse(request.createdAt))}
              </div>
              <ButtonLink
                to="/requests/$number"
                params={{ number: String(request.number) }}
                row
                filled={index === 0}
                label={`request ${request.number}`}
              >
                {request.actions.approve ? 'Decide' : 'Repair'}
              </ButtonLink>
            </li>
          ))}
          {waiting.map((run, index) => (
            <li key={run.number}>
              <StatusGlyph kind="run" state={run.state} size={14} />
              <div className={styles.what}>
                <strong>{runTitle(run)}</strong>
                <small>
                  run {run.number}, {counted(run.steps.length, 'step')}, {run.because}
                </small>
              </div>
              <div className={styles.when}>
                {run.by}
                <br />
                {formatAge(now - Date.parse(run.createdAt))}
              </div>
              <ButtonLink
                to="/runs/$number"
                params={{ number: String(run.number) }}
                row
                filled={!requests.length && index === 0}
                label={`run ${run.number}`}
              >
                Review plan
              </ButtonLink>
            </li>
          ))}
        </ul>
      ) : (
        <p className={styles.calm}>
          <Glyph family="ok" />
          No request or approval waits for you.
        </p>
      )}
    </Section>
  )
}

function FirstSteps() {
  return (
    <Empty title="Start with a product">
      <p>
        A product is one repository with its own life: schemas, roles, pipeline, contracts. You ask for it, Heddle makes what it
        needs, and a git push does the rest. <Link to="/new">Ask for the first product</Link>, or from a terminal:
      </p>
      <CopyLine prompt="$ " text="heddle new" label="Copy command" />
    </Empty>
  )
}
