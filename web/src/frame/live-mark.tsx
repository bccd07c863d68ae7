import { useIsFetching, useQueryClient } from '@tanstack/react-query'
import { useLiveState } from './live.tsx'
import styles from './shell.module.css'

const WORDS = { stream: 'Live', poll: 'Every 15 s', paused: 'Paused' }
const TITLES = {
  stream: 'Changes arrive as they happen',
  poll: 'This page asks for changes every 15 seconds',
  paused: 'The control plane does not answer; the page shows what was last known',
}

/** Says how old what you see can be. A failed background refresh counts as paused, whatever page it belongs to. */
export function LiveMark() {
  const reported = useLiveState()
  useIsFetching()
  const client = useQueryClient()
  const failed =
    client.getQueryCache().findAll({ type: 'active', predicate: (query) => query.state.error?.status === 0 }).length > 0
  const state = failed ? 'paused' : reported
  return (
    <span className={styles.live} data-state={state} title={TITLES[state]}>
      <span className={styles.dot} />
      {WORDS[state]}
    </span>
  )
}
