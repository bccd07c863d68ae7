import { Link } from '@tanstack/react-router'
import type { ProductSummary, RunSummary } from '../api/types.ts'
import { Section } from '../parts/page.tsx'
import { formatExact, formatTime } from '../text/time.ts'
import styles from './home.module.css'

const WEEK_MS = 7 * 86_400_000
const SHOWN = 6
const WORDS: Record<string, string> = {
  bootstrap: 'made',
  deploy: 'deployed',
  promote: 'promoted',
  rollback: 'rolled back',
  retire: 'retired',
  restore: 'restored',
}

/** What changed in a week: everything but refreshes, which change no code. */
export function Changed({ runs, products, now }: { runs: RunSummary[]; products: ProductSummary[]; now: number }) {
  const changes = runs.filter(
    (run) => run.state === 'succeeded' && run.kind in WORDS && now - Date.parse(run.endedAt ?? run.createdAt) < WEEK_MS,
  )
  if (!changes.length) return null
  const release = new Map(products.map((product) => [product.address, product.release]))
  const newest = new Map<string, number>()
  for (const run of changes) if (!newest.has(run.product)) newest.set(run.product, run.number)
  return (
    <Section title="Changed this week" count={changes.length} end={<Link to="/runs">All runs</Link>}>
      <ul className={styles.changes}>
        {changes.slice(0, SHOWN).map((run) => (
          <li key={run.number}>
            <Link to="/runs/$number" params={{ number: String(run.number) }}>
              {run.product}
            </Link>
            <span>
              {WORDS[run.kind]}
              {/* Which release it made is known of the newest change alone. */}
              {run.kind !== 'retire' &&
              run.kind !== 'bootstrap' &&
              newest.get(run.product) === run.number &&
              release.get(run.product) ? (
                <span className="muted"> {release.get(run.product)}</span>
              ) : null}
            </span>
            <span className="muted">{run.by}</span>
            <time className="muted" dateTime={run.endedAt ?? run.createdAt} title={formatExact(run.endedAt ?? run.createdAt)}>
              {formatTime(run.endedAt ?? run.createdAt)}
            </time>
          </li>
        ))}
      </ul>
    </Section>
  )
}
