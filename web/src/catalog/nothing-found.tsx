import { useQueries, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { call } from '../api/call.ts'
import { searchQuery, suggestQuery } from '../api/find-queries.ts'
import type { List, SearchHit } from '../api/types.ts'
import { Icon } from '../parts/icon.tsx'
import { Empty } from '../parts/loaded.tsx'
import styles from './catalog.module.css'
import { nearest, probes } from './nearest.ts'
import { placeWord } from './places.ts'

/** Nothing matches: what is spelled like it, what matches without one of the filters, and how to ask for what is missing. */
export function NothingFound({ q, domain, state }: { q: string; domain: string | undefined; state: string | undefined }) {
  const words = q.trim().split(/\s+/).filter(Boolean)
  const drops = [
    ...(domain ? [{ label: `without domain ${domain}`, search: { q: q || undefined, state } }] : []),
    ...(state ? [{ label: `not only ${placeWord(state).toLowerCase()}`, search: { q: q || undefined, domain } }] : []),
    ...(words.length > 1
      ? words.map((word) => ({
          label: `without “${word}”`,
          search: { q: words.filter((each) => each !== word).join(' '), domain, state },
        }))
      : []),
  ]
  const counts = useQueries({
    queries: drops.map(({ search }) => ({
      queryKey: [...searchQuery({ ...search, q: search.q ?? '' }).queryKey, 'count'],
      queryFn: () => call<List<SearchHit>>(`/search?${new URLSearchParams(defined(search))}`),
    })),
  })
  const near = useNearest(q)
  return (
    <Empty title={q ? `Nothing mentions “${q}”${where(domain, state)}` : `Nothing${where(domain, state)}`}>
      {near.length ? (
        <>
          <p>Names like it:</p>
          <div className={styles.chips}>
            {near.map((address) => {
              const [inDomain = '', name = ''] = address.split('/')
              return (
                <Link key={address} to="/p/$domain/$name" params={{ domain: inDomain, name }} className={styles.chip}>
                  {address}
                </Link>
              )
            })}
          </div>
        </>
      ) : null}
      {drops.length ? (
        <div className={styles.chips}>
          {drops.map(({ label, search }, index) => {
            const found = counts[index]?.data
            // A chip that leads to nothing again is no way on.
            if (found && !found.items.length) return null
            return (
              <Link key={label} to="/catalog" search={search} className={styles.chip}>
                <Icon name="close" size={12} />
                {label}
                {found ? (
                  <span className="muted">
                    {found.items.length}
                    {found.next ? '+' : ''}
                  </span>
                ) : null}
              </Link>
            )
          })}
        </div>
      ) : null}
      <p style={{ marginTop: 12 }}>
        Is it missing from the mesh? <Link to="/new">Ask for a new product</Link>, or look at{' '}
        <Link to="/catalog">everything there is</Link>.
      </p>
    </Empty>
  )
}

function where(domain: string | undefined, state: string | undefined): string {
  return `${domain ? ` in ${domain}` : ''}${state ? ` that is ${placeWord(state).toLowerCase()}` : ''}`
}

function defined(values: Record<string, string | undefined>): Record<string, string> {
  return {
    q: '',
    ...Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  }
}

/** The server matches parts of words, so parts of the mistyped word bring candidates; the best spelled like it are kept. */
function useNearest(q: string): string[] {
  const [first = '', second = '', third = ''] = probes(q)
  const answers = [useQuery(probe(first)), useQuery(probe(second)), useQuery(probe(third))]
  const addresses = new Set(answers.flatMap((answer) => answer.data?.items.map((hit) => hit.product.address) ?? []))
  return nearest(q, [...addresses])
}

function probe(part: string) {
  return { ...suggestQuery(part), enabled: part !== '' }
}
