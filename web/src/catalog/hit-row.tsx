import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { serviceLevelsQuery } from '../api/operate-queries.ts'
import type { Agreement, SearchHit, ServiceLevel } from '../api/types.ts'
import parts from '../parts/parts.module.css'
import { DayStrip } from '../slo/day-strip.tsx'
import { formatShare, worstLevel } from '../slo/level-words.ts'
import { Status } from '../status/status.tsx'
import { wordFor } from '../status/vocabulary.ts'
import { formatAge, formatDay, formatDuration, formatExact, formatTime } from '../text/time.ts'
import styles from './catalog.module.css'
import { hitSearch, Marked, Why } from './match.tsx'

/** One product of the list: state, how it kept its word, how fresh, whose, and why it is here. */
export function HitRow({ hit, q, mine }: { hit: SearchHit; q: string; mine: Agreement[] }) {
  const { product } = hit
  const [domain = '', name = ''] = product.address.split('/')
  const held = mine.find((agreement) => agreement.product === product.address && ['active', 'expiring'].includes(agreement.state))
  return (
    <tr className={styles.row}>
      <td>
        <div className={styles.product}>
          <h3>
            <Link to="/p/$domain/$name" params={{ domain, name }} search={hitSearch(hit)} className={parts.name}>
              <Marked text={product.address} q={q} />
            </Link>
            <span className={styles.release}>{product.release ?? 'not released'}</span>
          </h3>
          <span>
            <Marked text={product.title} q={hit.match.field === 'title' ? q : ''} />
          </span>
          <Why hit={hit} q={q} />
          <span className={styles.release}>
            {product.owner}
            {hit.community && hit.community.toLowerCase() !== domain ? `, ${hit.community}` : ''}
          </span>
        </div>
      </td>
      <td className={styles.state}>
        <Status kind="product" state={product.state} />
        {product.state === 'active' ? null : (
          <small title={formatExact(product.since)}>{product.reason ?? `since ${formatTime(product.since)}`}</small>
        )}
      </td>
      <td>{product.release === null ? <NoLevels /> : <Levels address={product.address} />}</td>
      <td className={parts.num}>
        {product.freshness === null ? (
          <span className="muted">–</span>
        ) : (
          <span title={`published ${formatDuration(product.freshness * 1000)} ago`}>{formatAge(product.freshness * 1000)}</span>
        )}
      </td>
      <td className={parts.num}>{hit.consumers}</td>
      <td className={styles.yours}>
        {held ? (
          <>
            <Status kind="yours" state="can-read" />
            <small title={formatExact(held.endsAt)}>until {formatDay(held.endsAt)}</small>
          </>
        ) : (
          <YoursNot product={product} />
        )}
      </td>
    </tr>
  )
}

function YoursNot({ product }: { product: SearchHit['product'] }) {
  if (product.state === 'retired' || product.release === null) return <span className="muted">–</span>
  return <Status kind="yours" state="can-request" />
}

function NoLevels() {
  return <span className="muted">–</span>
}

const KINDS = ['availability', 'completeness', 'freshness']

/** Of each kind the worst level. Asked for when the row comes into sight, so a long list asks for what is looked at. */
function Levels({ address }: { address: string }) {
  const box = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    const watch = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setSeen(true)
      },
      { rootMargin: '120px' },
    )
    if (box.current) watch.observe(box.current)
    return () => watch.disconnect()
  }, [])
  const [domain = '', name = ''] = address.split('/')
  const levels = useQuery({ ...serviceLevelsQuery(domain, name), enabled: seen })
  const shown = KINDS.flatMap((kind) => worstLevel(levels.data?.items.filter((level) => level.kind === kind) ?? []) ?? [])
  if (levels.data && !shown.length) return <span className="muted">none promised</span>
  return (
    <div ref={box} className={styles.levels}>
      {shown.map((level) => (
        <Row key={level.kind} level={level} />
      ))}
    </div>
  )
}

function Row({ level }: { level: ServiceLevel }) {
  const { word, family } = wordFor('level', level.state)
  return (
    <>
      <span>{level.kind}</span>
      <DayStrip level={level} size="list" />
      <span className={styles.value} data-state={level.state} title={word}>
        {level.value === null ? word : formatShare(level.value)}
        {family === 'ok' || level.value === null ? null : <span className="sr-only"> {word}</span>}
      </span>
    </>
  )
}
