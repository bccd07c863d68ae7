import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { requestsQuery, runQuery } from '../api/queries.ts'
import type { Run } from '../api/types.ts'
import { useCrumbs } from '../frame/crumbs.tsx'
import { useReportLive } from '../frame/live.tsx'
import { productCrumbs } from '../frame/product-crumbs.ts'
import { Loaded } from '../parts/loaded.tsx'
import { Page, Section } from '../parts/page.tsx'
import { StepList } from '../parts/plan-steps.tsx'
import { Status } from '../status/status.tsx'
import { wordFor } from '../status/vocabulary.ts'
import { formatDuration, formatExact, formatTime } from '../text/time.ts'
import { AfterRun } from './after-run.tsx'
import { ApprovalCard } from './approval-card.tsx'
import { GanttView } from './gantt.tsx'
import { LogView } from './log.tsx'
import { ProblemBlock } from './problem-block.tsx'
import styles from './run.module.css'
import { RunActions } from './run-actions.tsx'
import { isActive, runTitle } from './run-state.ts'
import { useRunStream } from './use-run-stream.ts'

const route = getRouteApi('/runs/$number')
/** Kinds of runs that a request was made for. */
const WITH_REQUEST = ['bootstrap', 'grant', 'retire', 'restore']

/** Where is it, will it finish, why did it fail? */
export function RunPage() {
  const number = Number(route.useParams().number)
  const query = useQuery(runQuery(number))
  useCrumbs(
    query.data
      ? productCrumbs(query.data.product, { label: `run ${number}` })
      : [{ label: 'Runs', to: '/runs' }, { label: `run ${number}` }],
  )
  if (query.data) return <RunView key={number} run={query.data} />
  return (
    <Page title={`Run ${number}`} name={`Run ${number}`}>
      <Loaded query={query} rows={8}>
        {() => null}
      </Loaded>
    </Page>
  )
}

function RunView({ run }: { run: Run }) {
  const search = route.useSearch()
  const [attempt, setAttempt] = useState(0)
  const stream = useRunStream(run.number, attempt)
  const active = isActive(run.state)
  useReportLive(active ? (stream.state === 'live' ? 'stream' : stream.state === 'connecting' ? 'poll' : 'paused') : 'poll')
  // A retry makes a finished run active again: listen again, from where the stream had ended.
  useEffect(() => {
    if (active && stream.state === 'ended') setAttempt((before) => before + 1)
  }, [active, stream.state])
  const now = useNow(run.state === 'running')
  const request = useQuery({ ...requestsQuery({}), enabled: WITH_REQUEST.includes(run.kind) }).data?.items.find(
    (item) => item.run === run.number,
  )
  const attempts = Math.max(1, ...run.steps.map((step) => step.attempt))
  return (
    <Page
      title={runTitle(run)}
      name={`Run ${run.number}, ${wordFor('run', run.state).word}`}
      chip={<Status kind="run" state={run.state} chip />}
      actions={<RunActions run={run} request={request?.number ?? null} />}
      sub={
        <>
          <strong>run {run.number}</strong>
          <span>
            {run.commit ? (
              <>
                commit <code title={run.commit}>{run.commit.slice(0, 7)}</code>{' '}
              </>
            ) : null}
            by {run.by}
            {request && run.because === `request ${request.number}` ? '' : `, ${run.because}`}
          </span>
          <When run={run} now={now} />
          {attempts > 1 ? <span>attempt {attempts}</span> : null}
          {request ? (
            <Link to="/requests/$number" params={{ number: String(request.number) }}>
              request {request.number}
            </Link>
          ) : null}
          {run.isolation ? (
            <span title="How the product's code is kept apart on this machine">isolation {run.isolation}</span>
          ) : null}
        </>
      }
    >
      <p className="sr-only" aria-live="polite">
        Run {run.number}: {wordFor('run', run.state).word}
      </p>
      {run.problem && !active ? <ProblemBlock run={run} /> : null}
      {run.state === 'waiting' ? <ApprovalCard run={run} /> : null}
      {run.state === 'succeeded' ? <AfterRun run={run} /> : null}
      <Steps run={run} now={now} step={search.step} />
      <LogView run={run} lines={stream.lines} stream={stream.state} search={search} />
    </Page>
  )
}

/** Before it runs, a run is its plan: every step with its reason. From then on it is a picture of its time. */
function Steps({ run, now, step }: { run: Run; now: number; step: string | undefined }) {
  if (!run.steps.length) return <p className={styles.nothing}>{nothingToDo(run)}</p>
  if (run.state !== 'waiting') return <GanttView run={run} now={now} step={step} />
  return (
    <Section title="Plan" count={run.steps.length}>
      <StepList steps={run.steps} />
    </Section>
  )
}

function When({ run, now }: { run: Run; now: number }) {
  if (!run.startedAt) return <span title={formatExact(run.createdAt)}>asked {formatTime(run.createdAt, { seconds: true })}</span>
  const elapsed = run.endedAt ? (run.ms ?? Date.parse(run.endedAt) - Date.parse(run.startedAt)) : now - Date.parse(run.startedAt)
  return (
    <span title={formatExact(run.startedAt)}>
      {formatTime(run.startedAt, { seconds: true })}, {run.endedAt ? 'took' : 'running for'}{' '}
      <strong>{formatDuration(elapsed)}</strong>
      {run.usualMs === null ? '' : `, usual ${formatDuration(run.usualMs)}`}
    </span>
  )
}

function nothingToDo(run: Run): string {
  return isActive(run.state)
    ? 'Its steps are not known yet.'
    : `Nothing to change as of ${formatTime(run.endedAt ?? run.createdAt)}.`
}

/** The clock behind the growing bars; it stands still when nothing runs. */
function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!ticking) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 250)
    return () => clearInterval(timer)
  }, [ticking])
  return now
}
