import type { Run } from '../api/types.ts'
import { Glyph } from '../status/status.tsx'
import styles from './run.module.css'
import { failsAgain, servedAfterFailure } from './run-state.ts'

/** Cause, way out, and what consumers read meanwhile: the three things a failed run is opened for. */
export function ProblemBlock({ run }: { run: Run }) {
  const problem = run.problem!
  const details = problem.details ?? []
  const fixes = [...new Set([problem.fix, ...details.map((detail) => detail.fix)].filter((fix) => fix !== undefined))]
  const served = servedAfterFailure(run)
  return (
    <section className={styles.problem} aria-label="What failed">
      <div>
        <h2>
          <Glyph family="bad" size={13} />
          {problem.message}
        </h2>
        {problem.why ? <p>{problem.why}</p> : null}
        <ul>
          {details.slice(0, 3).map((detail) => (
            <li key={`${detail.what} ${detail.at?.line}`}>
              {detail.at ? (
                <code>
                  {detail.at.file}:{detail.at.line}{' '}
                </code>
              ) : null}
              {detail.what}
            </li>
          ))}
        </ul>
        {details.length > 3 ? <p className="muted">and {details.length - 3} more in the log</p> : null}
        <p className={styles.code}>
          <code>
            {problem.at ? `${problem.at.file}:${problem.at.line}:${problem.at.column}  ` : ''}
            {problem.code}
          </code>
        </p>
      </div>
      <div>
        <h2>{fixes.length > 1 ? 'Fix' : 'What to do'}</h2>
        {fixes.length > 1 ? (
          <ol>
            {fixes.slice(0, 3).map((fix) => (
              <li key={fix}>{fix}</li>
            ))}
          </ol>
        ) : (
          <p>{fixes[0]}</p>
        )}
        {failsAgain(run) ? <p className="muted">Retrying {run.commit?.slice(0, 7)} fails again; a push runs the fix.</p> : null}
      </div>
      <div>
        <h2>
          <Glyph family={run.served ? 'ok' : 'off'} size={13} />
          {served.title}
        </h2>
        <p>{served.detail}</p>
      </div>
    </section>
  )
}
