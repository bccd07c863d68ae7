import { CopyLine } from '../parts/copy.tsx'
import { cli } from '../text/cli.ts'
import styles from './shell.module.css'

/** No session: says how to get one. An address that was used or is too old ends here too. */
export function SignedOut({ stale = new URLSearchParams(location.search).has('stale') }: { stale?: boolean }) {
  return (
    <main className={styles.alone}>
      <svg
        className={styles.mark}
        width="28"
        height="28"
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.9"
        strokeLinecap="round"
        aria-hidden="true"
      >
        <path d="M6 1.5v17M10 1.5v17M14 1.5v17M1.5 7h17M1.5 13h17" />
      </svg>
      <h1>{stale ? 'This sign-in address no longer works' : 'You are not signed in'}</h1>
      <p>
        {stale ? 'It works once, for 10 minutes. ' : ''}
        Run this where Heddle runs; it opens the portal signed in as you.
      </p>
      <CopyLine prompt="$ " text={cli.open()} label="Copy command" />
    </main>
  )
}
