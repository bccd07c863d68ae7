import { Link } from '@tanstack/react-router'
import type { RunSummary } from '../api/types.ts'
import { Section } from '../parts/page.tsx'
import { ProductLink } from '../parts/product-link.tsx'
import { runTitle } from '../run/run-state.ts'
import { Glyph } from '../status/status.tsx'
import { wordFor } from '../status/vocabulary.ts'
import { formatClock, formatDuration, formatTime, formatWeekday } from '../text/time.ts'
import styles from './lanes.module.css'

const HOURS = 24
const TICKS = [0, 3, 6, 9, 12, 15, 18, 21, 24]

/** One lane a product: when it ran, what failed. The same runs stand in the table of /runs. */
export function Lanes({ runs, now }: { runs: RunSummary[]; now: number }) {
  const products = [...new Set(runs.map((run) => run.product))].toSorted()
  const start = now - HOURS * 3_600_000
  return (
    <Section title="Runs, last 24 hours" end={<Legend />}>
      <div className={styles.lanes}>
        <div className={styles.head} aria-hidden="true">
          <span />
          <div className={styles.axis}>
            {TICKS.map((hour) => (
              <span key={hour} style={{ left: `${(hour / HOURS) * 100}%` }}>
                {axisLabel(new Date(start + hour * 3_600_000), hour)}
              </span>
            ))}
          </div>
          <span>Runs</span>
          <span>Median</span>
        </div>
        {products.map((product) => {
          const own = runs.filter((run) => run.product === product)
          return (
            <div key={product} className={styles.lane}>
              <ProductLink address={product} />
              <div className={styles.track}>
                {own.map((run) => (
                  <Mark key={run.number} run={run} at={Date.parse(run.startedAt ?? run.createdAt) - start} />
                ))}
              </div>
              <span className={styles.num}>{own.length}</span>
              <span className={styles.num}>{median(own)}</span>
            </div>
          )
        })}
      </div>
    </Section>
  )
}

function Mark({ run, at }: { run: RunSummary; at: number }) {
  const word = wordFor('run', run.state).word
  const title = `${runTitle(run)}, run ${run.number}, ${formatTime(run.startedAt ?? run.createdAt)}: ${word}`
  return (
    <Link
      to="/runs/$number"
      params={{ number: String(run.number) }}
      className={styles.mark}
      style={{ left: `${Math.min(100, Math.max(0, (at / (HOURS * 3_600_000)) * 100))}%` }}
      title={title}
      aria-label={title}
    >
      {run.state === 'failed' ? (
        <Glyph family="bad" size={12} />
      ) : (
        <span className={styles.bar} data-state={run.state} data-big={run.kind !== 'refresh'} />
      )}
    </Link>
  )
}

function Legend() {
  return (
    <span className={styles.legend}>
      <span>
        <span className={styles.bar} data-state="succeeded" /> refresh
      </span>
      <span>
        <span className={styles.bar} data-state="succeeded" data-big="true" /> deploy and others
      </span>
      <span>
        <Glyph family="bad" size={12} /> failed
      </span>
      <span>
        <span className={styles.bar} data-state="waiting" data-big="true" /> waits for approval
      </span>
      <Link to="/runs">All runs</Link>
    </span>
  )
}

function axisLabel(at: Date, hour: number): string {
  const midnight = at.getHours() < 3
  return hour === 0 || midnight ? `${formatWeekday(at)} ${formatClock(at)}` : formatClock(at)
}

function median(runs: RunSummary[]): string {
  const done = runs
    .map((run) => run.ms)
    .filter((ms) => ms !== null)
    .toSorted((a, b) => a - b)
  const middle = done[Math.floor(done.length / 2)]
  return middle === undefined ? '–' : formatDuration(middle)
}
