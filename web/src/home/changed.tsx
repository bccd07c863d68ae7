import { Link } from '@tanstack/react-router'
import type { ProductSummary, RunSummary } from '../api/types.ts'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
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

const RELEASED = ['deploy', 'promote', 'rollback', 'restore']

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
            <Link to="/runs/$number" params={{ number: String(run.number) }} className={parts.name}>
              {run.product}
            </Link>
            <time dateTime={run.endedAt ?? run.createdAt} title={formatExact(run.endedAt ?? run.createdAt)}>
              {formatTime(run.endedAt ?? run.createdAt)}
            </time>
            {/* Which release it made is known of the newest change alone. */}
            <small>
              {WORDS[run.kind]}
              {newest.get(run.product) === run.number && RELEASED.includes(run.kind) ? ` ${release.get(run.product) ?? ''}` : ''}{' '}
              by {run.by}, {run.because}
            </small>
          </li>
        ))}
      </ul>
    </Section>
  )
}
