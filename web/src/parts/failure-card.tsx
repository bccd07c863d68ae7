import { Button } from '@mantine/core'
import { type Failure, toFailure } from '../api/failure.ts'
import type { Diagnostic } from '../api/types.ts'
import { Glyph } from '../status/status.tsx'
import { copyText } from './copy.tsx'
import styles from './parts.module.css'

/** What failed, why, what to do, and the id to ask with. Standing in for rights, it says who can give them. */
export function FailureCard({ failure: thrown, retry }: { failure: unknown; retry?: (() => void) | undefined }) {
  const failure = toFailure(thrown)
  const refused = failure.status === 403
  return (
    <div className={styles.failure} role="alert">
      <Glyph family={refused ? 'off' : 'bad'} />
      <div>
        <h2>{failure.what}</h2>
        {failure.why ? <p className="muted">{failure.why}</p> : null}
        <p>{failure.fix}</p>
        <Diagnostics items={failure.details} />
        <footer>
          {retry && !refused ? (
            <Button size="xs" variant="quiet" onClick={retry}>
              Try again
            </Button>
          ) : null}
          <Button size="xs" variant="quiet" onClick={() => copyText(describe(failure))}>
            Copy details
          </Button>
          <code>{failure.code}</code>
          {failure.requestId ? <span>request id {failure.requestId}</span> : null}
        </footer>
      </div>
    </div>
  )
}

export function Diagnostics({ items }: { items: Diagnostic[] }) {
  if (!items.length) return null
  return (
    <ul className={styles.diagnostics}>
      {items.map((item) => (
        <li key={`${item.code} ${item.what} ${item.at?.file}:${item.at?.line}:${item.at?.column}`}>
          {item.at ? (
            <code>
              {item.at.file}:{item.at.line}:{item.at.column}{' '}
            </code>
          ) : null}
          {item.what}
          {item.why ? <span className="muted"> {item.why}</span> : null}
          {item.fix ? <span> {item.fix}</span> : null}
        </li>
      ))}
    </ul>
  )
}

function describe(failure: Failure): string {
  const lines = [`error[${failure.code}] ${failure.what}`, failure.why && `why  ${failure.why}`, `fix  ${failure.fix}`]
  return [...lines, failure.requestId && `request id  ${failure.requestId}`, `page  ${location.href}`].filter(Boolean).join('\n')
}
