import { Link } from '@tanstack/react-router'
import type { RunSummary } from '../api/types.ts'
import parts from '../parts/parts.module.css'
import { runShortTitle, runTitle } from '../run/run-state.ts'
import { Status } from '../status/status.tsx'
import { formatDuration, formatExact, formatTime } from '../text/time.ts'
import styles from './runs.module.css'

export function RunTable({ runs, withProduct }: { runs: RunSummary[]; withProduct: boolean }) {
  return (
    <div className={parts.tableBox}>
      <table className={parts.table}>
        <thead>
          <tr>
            <th>Run</th>
            <th>State</th>
            <th>What came of it</th>
            <th className={parts.num}>Took</th>
            <th className={parts.num}>Usual</th>
            <th className={parts.num}>Started</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.number}>
              <td>
                <Link to="/runs/$number" params={{ number: String(run.number) }} className={parts.name}>
                  {withProduct ? runTitle(run) : runShortTitle(run)}
                </Link>
                <small>
                  run {run.number}
                  {run.commit ? `, ${run.commit.slice(0, 7)}` : ''} by {run.by}, {run.because}
                </small>
              </td>
              <td>
                <Status kind="run" state={run.state} />
              </td>
              <td className={styles.cause}>{came(run)}</td>
              <td className={parts.num}>{run.ms === null ? '–' : formatDuration(run.ms)}</td>
              <td className={`${parts.num} muted`}>{run.usualMs === null ? '–' : formatDuration(run.usualMs)}</td>
              <td className={parts.num} title={formatExact(run.startedAt ?? run.createdAt)}>
                {formatTime(run.startedAt ?? run.createdAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function came(run: RunSummary): React.ReactNode {
  if (run.problem)
    return (
      <>
        {run.problem.message}
        {run.step ? <small>in {run.step}</small> : null}
      </>
    )
  if (run.state === 'running' && run.step) return run.step
  return <span className="muted">–</span>
}
