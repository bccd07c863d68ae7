import type { ServiceLevel } from '../api/types.ts'
import { budgetWords, leftShare } from './level-words.ts'
import styles from './slo.module.css'

/** What may still go wrong in the window: used of total in words, what is left as a bar with its number. */
export function Budget({ level }: { level: ServiceLevel }) {
  const left = leftShare(level)
  if (!level.evaluated) return <span className="muted">–</span>
  return (
    <div className={styles.budget}>
      <span>{budgetWords(level)}</span>
      {left === null ? null : (
        <small>
          <BudgetBar level={level} /> {Math.round(left * 100)} % left
        </small>
      )}
    </div>
  )
}

export function BudgetBar({ level }: { level: ServiceLevel }) {
  const left = leftShare(level) ?? 0
  return (
    <span className={styles.gauge} data-state={level.state} aria-hidden="true">
      <span style={{ width: `${Math.round(left * 100)}%` }} />
    </span>
  )
}
