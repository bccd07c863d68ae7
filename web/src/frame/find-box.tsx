import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useId, useRef, useState } from 'react'
import { suggestQuery } from '../api/find-queries.ts'
import type { SearchHit } from '../api/types.ts'
import { hitSearch, Marked, Why } from '../catalog/match.tsx'
import { Icon } from '../parts/icon.tsx'
import { Status } from '../status/status.tsx'
import styles from './find-box.module.css'

export const FIND_BOX = 'find-box'
const SHOWN = 8
const PAUSE_MS = 70

/** The search of every page: type, and Enter opens the best; the list says why each is there. */
export function FindBox() {
  const navigate = useNavigate()
  const client = useQueryClient()
  const [text, setText] = useState('')
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(0)
  const input = useRef<HTMLInputElement>(null)
  const list = useId()
  const asked = useLate(text.trim(), PAUSE_MS)
  const answer = useQuery({ ...suggestQuery(asked), enabled: asked !== '', placeholderData: keepPreviousData })
  const hits = asked ? (answer.data?.items.slice(0, SHOWN) ?? []) : []
  const rows = hits.length + 1

  const leave = () => {
    setOpen(false)
    setText('')
    input.current?.blur()
  }
  const openHit = (hit: SearchHit) => {
    const [domain = '', name = ''] = hit.product.address.split('/')
    leave()
    void navigate({ to: '/p/$domain/$name', params: { domain, name }, search: hitSearch(hit) })
  }
  const openAll = () => {
    const q = text.trim()
    leave()
    void navigate({ to: '/catalog', search: { q: q || undefined } })
  }
  /** Whoever types faster than the list arrives still gets the best of what he typed. */
  const choose = async () => {
    const q = text.trim()
    if (!q) return openAll()
    if (at > 0 && at < hits.length) return openHit(hits[at]!)
    if (at > 0) return openAll()
    const best =
      q === asked && !answer.isPlaceholderData ? hits[0] : (await client.fetchQuery(suggestQuery(q)).catch(() => null))?.items[0]
    if (best) openHit(best)
    else openAll()
  }
  const shown = open && asked !== ''
  return (
    <search
      className={styles.box}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false)
      }}
    >
      <Icon name="search" />
      <input
        ref={input}
        id={FIND_BOX}
        type="text"
        role="combobox"
        aria-label="Search products and columns"
        aria-expanded={shown}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={shown ? `${list}-${at}` : undefined}
        aria-keyshortcuts="/"
        autoComplete="off"
        spellCheck={false}
        placeholder="Search products, columns"
        value={text}
        onFocus={() => setOpen(true)}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setOpen(true)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') leave()
          else if (event.key === 'Enter') void choose()
          else if (event.key === 'ArrowDown') setAt((at + 1) % rows)
          else if (event.key === 'ArrowUp') setAt((at + rows - 1) % rows)
          else return
          event.preventDefault()
        }}
      />
      <span className={styles.key} aria-hidden="true">
        /
      </span>
      {shown ? (
        <div className={styles.list} id={list} role="listbox" aria-label="Found">
          {hits.map((hit, index) => (
            <Option
              key={hit.product.address}
              id={`${list}-${index}`}
              chosen={index === at}
              onChoose={() => openHit(hit)}
              onPoint={() => setAt(index)}
            >
              <span className={styles.address}>
                <Marked text={hit.product.address} q={asked} />
              </span>
              <Status kind="product" state={hit.product.state} />
              <span className={styles.title}>
                {hit.match.field === 'title' || hit.match.field === 'name' || hit.match.field === 'address' ? (
                  <Marked text={hit.product.title} q={asked} />
                ) : (
                  <Why hit={hit} q={asked} />
                )}
              </span>
              <span className={styles.owner}>{hit.product.owner}</span>
            </Option>
          ))}
          <Option id={`${list}-${hits.length}`} chosen={at === hits.length} onChoose={openAll} onPoint={() => setAt(hits.length)}>
            <span className={styles.all}>
              {answer.error
                ? `${answer.error.what}. Open the catalog`
                : hits.length || answer.isPending
                  ? `All of the catalog for “${text.trim()}”`
                  : `Nothing mentions “${asked}”. Look for names like it`}
            </span>
          </Option>
        </div>
      ) : null}
    </search>
  )
}

function Option({
  id,
  chosen,
  onChoose,
  onPoint,
  children,
}: {
  id: string
  chosen: boolean
  onChoose: () => void
  onPoint: () => void
  children: React.ReactNode
}) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the field, which names the chosen option
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
    <div
      id={id}
      role="option"
      aria-selected={chosen}
      className={styles.option}
      onPointerMove={onPoint}
      onPointerDown={(event) => event.preventDefault()}
      onClick={onChoose}
    >
      {children}
    </div>
  )
}

/** The value once it has stood still. */
function useLate<T>(value: T, ms: number): T {
  const [late, setLate] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setLate(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return late
}
