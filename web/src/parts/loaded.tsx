import type { UseQueryResult } from '@tanstack/react-query'
import type { Failure } from '../api/failure.ts'
import { FailureCard } from './failure-card.tsx'
import styles from './parts.module.css'

/**
 * The states every list and card has: a placeholder when the answer is late, the failure when there is none, and old data kept (with the failure above
 * it) when only the latest answer is missing.
 */
export function Loaded<T>({
  query,
  rows = 4,
  children,
}: {
  query: UseQueryResult<T, Failure>
  rows?: number
  children: (data: T) => React.ReactNode
}) {
  const retry = () => void query.refetch()
  if (query.data !== undefined)
    return (
      <>
        {query.isError ? <FailureCard failure={query.error} retry={retry} /> : null}
        {children(query.data)}
      </>
    )
  if (query.isError) return <FailureCard failure={query.error} retry={retry} />
  return <Skeleton rows={rows} />
}

const WIDTHS = ['72%', '48%', '64%', '56%', '40%']

export function Skeleton({ rows }: { rows: number }) {
  return (
    <div className={`late ${styles.skeleton}`} role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike and never move
        <span key={row} style={{ width: WIDTHS[row % WIDTHS.length] }} />
      ))}
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: React.ReactNode }) {
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      {children}
    </div>
  )
}
