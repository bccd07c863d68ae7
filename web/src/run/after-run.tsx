import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { runsQuery } from '../api/queries.ts'
import type { Run, RunSummary } from '../api/types.ts'
import { Glyph, Status } from '../status/status.tsx'
import { formatDuration, formatTime } from '../text/time.ts'
import styles from './run.module.css'
import { isActive, runShortTitle } from './run-state.ts'

const SOON_MS = 1_000
/** A product without a scaffold has no first deploy: after this nobody waits for one. */
const WAIT_MS = 60_000

/** What a finished run leads to: what is served now, what was retired, and the run that follows by itself. */
export function AfterRun({ run }: { run: Run }) {
  if (run.kind === 'rollback') return <RolledBack run={run} />
  if (run.kind === 'retire') return <Retired run={run} />
  if (run.kind === 'bootstrap') return <FirstDeploy run={run} />
  if (run.kind === 'restore') return <Restored run={run} />
  return null
}

function RolledBack({ run }: { run: Run }) {
  const published = run.steps.find((step) => step.command === 'publish')?.endedAt
  const reinstated = run.steps.find((step) => step.command === 'reinstate-release')
  const release = reinstated?.title.replace(/ is the current release$/, '')
  return (
    <section className={styles.after} aria-label="What is served now">
      <Glyph family="ok" />
      <p>
        <strong>
          {release ?? 'The earlier release'} served
          {published ? ` since ${formatTime(published, { seconds: true })}` : ''}
        </strong>{' '}
        in {run.environment}, {run.ms === null ? '' : `${formatDuration(run.ms)} after it was asked for. `}
        Refreshes run it from now on, until the next push to main or <code>heddle unpin</code>.
      </p>
      <ProductLinks run={run} tab="releases" label="Releases" />
    </section>
  )
}

function Retired({ run }: { run: Run }) {
  return (
    <section className={styles.after} aria-label="What is left">
      <Glyph family="ok" />
      <p>
        <strong>{run.product} is retired.</strong> Nothing of it is left but its archive, a tombstone and the records; the
        certificate says what was asked and found.
      </p>
      <ProductLinks run={run} label="Certificate and restore" />
    </section>
  )
}

/** The first deploy is a run of its own: its state is told here, so that nobody has to look for it. */
function FirstDeploy({ run }: { run: Run }) {
  const made = Date.parse(run.endedAt ?? run.createdAt)
  const runs = useQuery({
    ...runsQuery({ product: run.product, limit: 20 }),
    refetchInterval: (query) => {
      const next = firstDeploy(query.state.data?.items, run.number)
      return next ? isActive(next.state) && SOON_MS : Date.now() - made < WAIT_MS && SOON_MS
    },
  })
  const next = firstDeploy(runs.data?.items, run.number)
  return (
    <section className={styles.after} aria-label="What follows" aria-live="polite">
      {next ? (
        <>
          <span className={styles.state}>
            <Status kind="run" state={next.state} />
          </span>
          <p>
            <strong>
              {runShortTitle(next)} (run {next.number})
            </strong>{' '}
            {wordsOf(next)}
          </p>
          <Link to="/runs/$number" params={{ number: String(next.number) }}>
            Run {next.number}
          </Link>
        </>
      ) : (
        <>
          <Glyph family="ok" />
          <p>
            <strong>{run.product} is made.</strong> Its first deploy starts by itself.
          </p>
        </>
      )}
      <ProductLinks run={run} label="Open product" />
    </section>
  )
}

function Restored({ run }: { run: Run }) {
  return (
    <section className={styles.after} aria-label="What is back">
      <Glyph family="ok" />
      <p>
        <strong>{run.product} is back.</strong> Its rows are those that were archived. Who read it asks for access again.
      </p>
      <ProductLinks run={run} label="Open product" />
    </section>
  )
}

function ProductLinks({ run, tab, label }: { run: Run; tab?: string; label: string }) {
  const [domain = '', name = ''] = run.product.split('/')
  return (
    <Link to="/p/$domain/$name" params={{ domain, name }} search={tab ? { tab } : {}}>
      {label}
    </Link>
  )
}

function firstDeploy(runs: RunSummary[] | undefined, bootstrap: number): RunSummary | null {
  return runs?.findLast((each) => each.number > bootstrap && each.kind === 'deploy') ?? null
}

function wordsOf(run: RunSummary): string {
  if (run.state === 'succeeded') return `served it${run.ms === null ? '' : ` in ${formatDuration(run.ms)}`}.`
  if (run.state === 'failed') return `failed: ${run.problem?.message ?? 'open it to see why'}`
  return run.step ? `follows by itself: ${run.step}` : 'follows by itself.'
}
