import { Link } from '@tanstack/react-router'
import type { Incident, RunSummary } from '../api/types.ts'
import { ButtonLink } from '../parts/button-link.tsx'
import { Section } from '../parts/page.tsx'
import { Glyph } from '../status/status.tsx'
import { formatTime } from '../text/time.ts'
import styles from './home.module.css'

const SHOWN = 6

/** Failed runs and open incidents, the newest first: each one click from its cause. */
export function Broke({ runs, incidents }: { runs: RunSummary[]; incidents: Incident[] }) {
  const items = [
    ...runs.map((run) => ({
      at: run.endedAt ?? run.createdAt,
      key: `run ${run.number}`,
      row: <RunRow key={`run ${run.number}`} run={run} />,
    })),
    ...incidents.map((incident) => ({
      at: incident.openedAt,
      key: `incident ${incident.number}`,
      row: <IncidentRow key={`incident ${incident.number}`} incident={incident} />,
    })),
  ].toSorted((a, b) => b.at.localeCompare(a.at))
  if (!items.length) return null
  return (
    <Section
      title="Broke"
      count={items.length}
      end={
        <span className={styles.ends}>
          {incidents.length ? <Link to="/incidents">All incidents</Link> : null}
          {runs.length ? (
            <Link to="/runs" search={{ state: 'failed' }}>
              All failed runs
            </Link>
          ) : null}
        </span>
      }
    >
      <ul className={styles.work}>{items.slice(0, SHOWN).map((item) => item.row)}</ul>
    </Section>
  )
}

function RunRow({ run }: { run: RunSummary }) {
  return (
    <li>
      <Glyph family="bad" />
      <div className={styles.what}>
        <strong>
          {run.product} <span className={styles.bad}>{run.kind} failed</span>
        </strong>
        <small>
          Run {run.number}
          {run.step ? ` in ${run.step}` : ''}: {run.problem?.message ?? run.because}
        </small>
      </div>
      <div className={styles.when}>
        since
        <br />
        {formatTime(run.endedAt ?? run.createdAt)}
      </div>
      <ButtonLink to="/runs/$number" params={{ number: String(run.number) }} row label={`${run.number}`}>
        Open run
      </ButtonLink>
    </li>
  )
}

function IncidentRow({ incident }: { incident: Incident }) {
  const page = incident.severity === 'page'
  return (
    <li>
      <Glyph family={page ? 'bad' : 'warn'} />
      <div className={styles.what}>
        <strong>
          {incident.product ?? 'The platform'}{' '}
          <span className={page ? styles.bad : styles.warn}>
            {incident.slo} {page ? 'breached' : 'fails'}
          </span>
        </strong>
        <small>
          {incident.cause.what} {incident.acknowledgedBy ? `Taken by ${incident.acknowledgedBy}.` : 'Nobody has taken it.'}
        </small>
      </div>
      <div className={styles.when}>
        since
        <br />
        {formatTime(incident.openedAt)}
      </div>
      <ButtonLink to="/incidents/$number" params={{ number: String(incident.number) }} row label={`${incident.number}`}>
        Open incident
      </ButtonLink>
    </li>
  )
}
