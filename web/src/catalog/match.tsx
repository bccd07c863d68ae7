import type { SearchHit } from '../api/types.ts'
import styles from './catalog.module.css'

/** The words of a question, longest first, as search takes them: parts of words count. */
function wordsOf(q: string): string[] {
  return q
    .toLowerCase()
    .split(/[\s/.]+/)
    .filter(Boolean)
    .toSorted((a, b) => b.length - a.length)
}

export type Piece = { at: number; text: string; hit: boolean }

/** Cuts a text where the words of the question stand in it; the whole question, if it is there, is one piece. */
export function cutAtMatches(text: string, q: string): Piece[] {
  const whole = q.trim().toLowerCase()
  const lower = text.toLowerCase()
  const wanted = whole && lower.includes(whole) ? [whole] : wordsOf(q)
  const pieces: Piece[] = []
  let rest = 0
  let at = 0
  while (at < text.length) {
    const found = wanted.find((word) => lower.startsWith(word, at))
    if (!found) {
      at++
      continue
    }
    if (at > rest) pieces.push({ at: rest, text: text.slice(rest, at), hit: false })
    pieces.push({ at, text: text.slice(at, at + found.length), hit: true })
    at += found.length
    rest = at
  }
  if (rest < text.length) pieces.push({ at: rest, text: text.slice(rest), hit: false })
  return pieces
}

export function Marked({ text, q }: { text: string; q: string }) {
  if (!q.trim()) return text
  return cutAtMatches(text, q).map((piece) =>
    piece.hit ? (
      <mark key={piece.at} className={styles.mark}>
        {piece.text}
      </mark>
    ) : (
      <span key={piece.at}>{piece.text}</span>
    ),
  )
}

const FIELDS: Record<SearchHit['match']['field'], string> = {
  address: 'address',
  name: 'name',
  title: 'title',
  port: 'port',
  object: 'object',
  column: 'column',
  tag: 'tag',
  description: 'text',
  docs: 'docs',
}

/** Why a hit is a hit: "column facility_code in encounters.encounter". Nothing when its own address shows it already. */
export function Why({ hit, q }: { hit: SearchHit; q: string }) {
  const { field, address, text } = hit.match
  if (!q.trim() || field === 'name' || field === 'address') return null
  const within = whereIn(hit)
  return (
    <span className={styles.why}>
      {FIELDS[field]} {field === 'description' || field === 'docs' ? '“' : ''}
      <Marked text={text} q={q} />
      {field === 'description' || field === 'docs' ? '”' : ''}
      {field === 'column' && within ? ` in ${within}` : ''}
      <span className="sr-only"> {address}</span>
    </span>
  )
}

/** `port.object` of a column's address. */
function whereIn({ product, match }: SearchHit): string | null {
  const rest = match.address.startsWith(`${product.address}/`) ? match.address.slice(product.address.length + 1) : ''
  const cut = rest.lastIndexOf('.')
  return cut > 0 ? rest.slice(0, cut) : null
}

/** Where a hit opens: a column, object or port opens the data it stands in. */
export function hitSearch({ match }: SearchHit): { tab?: string; find?: string } {
  return match.field === 'column' || match.field === 'object' || match.field === 'port' ? { tab: 'data', find: match.text } : {}
}
