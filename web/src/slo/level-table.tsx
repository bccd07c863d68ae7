import { Link } from '@tanstack/react-router'
import type { ServiceLevel } from '../api/types.ts'
import parts from '../parts/parts.module.css'
import { Status } from '../status/status.tsx'
import { counted, formatExact, formatTime } from '../text/time.ts'
import { Budget } from './budget.tsx'
import { DayStrip } from './day-strip.tsx'
import { formatShare, ofWords, unitOf } from './level-words.ts'
import styles from './slo.module.css'

/** Promise, figure, 20 days, budget, state; with `next` also what comes and the open incident. */
export function LevelTable({
  levels,
  next = false,
  here,
}: {
  levels: ServiceLevel[]
  next?: boolean
  /** the incident whose page this is */
  here?: number
}) {
  return (
    <div className={`${parts.tableBox} ${styles.box}`}>
      <table className={`${parts.table} ${styles.levels}`} data-next={next}>
        <thead>
          <tr>
            <th>Level</th>
            <th className={parts.num}>Now</th>
            <th>{levels[0]?.days.length || 20} days</th>
            <th>Budget</th>
            <th>State</th>
            {next ? <th>Next</th> : null}
          </tr>
        </thead>
        <tbody>
          {levels.map((level) => (
            <tr key={`${level.environment} ${level.port} ${level.object} ${level.name}`}>
              <th scope="row" className={styles.promise}>
                <span className={styles.kind}>{level.name}</span>
                <small>{level.promise}</small>
              </th>
              <td className={parts.num}>
                <Now level={level} />
              </td>
              <td>
                <DayStrip level={level} />
              </td>
              <td>
                <Budget level={level} />
              </td>
              <td>
                <Status kind="level" state={level.state} />
                {level.since ? <small title={formatExact(level.since)}>since {formatTime(level.since)}</small> : null}
              </td>
              {next ? (
                <td className={styles.next}>
                  {level.next}
                  {level.incident === null || level.incident === here ? null : (
                    <>
                      {' '}
                      <Link to="/incidents/$number" params={{ number: String(level.incident) }}>
                        Incident {level.incident}
                      </Link>
                    </>
                  )}
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Now({ level }: { level: ServiceLevel }) {
  const unit = unitOf(level)
  if (level.value === null)
    return (
      <>
        <span className={styles.value}>–</span>
        <small>{level.unevaluated ? `${counted(level.unevaluated, unit)} not measured` : 'nothing counted yet'}</small>
      </>
    )
  return (
    <>
      <span className={styles.value} data-failing={level.failing}>
        {formatShare(level.value)}
      </span>
      <small>
        {ofWords(level, level.good, level.evaluated)} good
        {level.unevaluated ? `, ${level.unevaluated} not measured` : ''}
      </small>
    </>
  )
}
