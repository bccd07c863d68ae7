import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useDeferredValue, useEffect, useRef, useState } from 'react'
import { suggestQuery } from '../api/find-queries.ts'
import type { SearchHit } from '../api/types.ts'
import { hitSearch } from '../catalog/match.tsx'
import { Icon } from '../parts/icon.tsx'
import { GO_TO } from './go-to.ts'
import styles from './palette.module.css'

type Item = { id: string; label: string; detail: string; run: () => void }
const TABS = ['Data', 'Lineage', 'Access', 'Usage']

/** Any page or product by a few letters of its name. */
export function Palette({ close, showKeys }: { close: () => void; showKeys: () => void }) {
  const navigate = useNavigate()
  const client = useQueryClient()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const q = useDeferredValue(text.trim())
  const answer = useQuery({ ...suggestQuery(q), placeholderData: keepPreviousData })
  const go = (run: () => void) => () => {
    close()
    run()
  }
  const openProduct = (hit: SearchHit, search: object) => {
    const [domain = '', name = ''] = hit.product.address.split('/')
    close()
    void navigate({ to: '/p/$domain/$name', params: { domain, name }, search })
  }
  const pages: Item[] = [
    ...GO_TO.map(({ key, to, label }) => ({
      id: to,
      label,
      detail: `g ${key}`,
      run: go(() => void navigate({ to })),
    })),
    { id: 'keys', label: 'Keys', detail: '?', run: showKeys },
  ].filter(({ label }) => label.toLowerCase().includes(q.toLowerCase()))
  const products: Item[] = (answer.data?.items ?? []).slice(0, 6).flatMap((hit, index) => {
    const open = (search: object) => () => openProduct(hit, search)
    const own = { id: hit.product.address, label: hit.product.address, detail: hit.product.title, run: open(hitSearch(hit)) }
    if (!q || index > 0) return [own]
    return [
      own,
      ...TABS.map((tab) => ({
        id: `${hit.product.address} ${tab}`,
        label: `${hit.product.address}: ${tab}`,
        detail: '',
        run: open({ tab: tab.toLowerCase() }),
      })),
    ]
  })
  const items = q ? [...products, ...pages] : [...pages, ...products]
  const chosen = Math.min(at, items.length - 1)
  /** Whoever types faster than the list arrives gets the best of what he typed, not what an older list shows. */
  const choose = async () => {
    const typed = text.trim()
    if (at > 0 || !typed || (q === typed && !answer.isPlaceholderData)) return items[chosen]?.run()
    const best = (await client.fetchQuery(suggestQuery(typed)).catch(() => null))?.items[0]
    if (best) openProduct(best, hitSearch(best))
    else pages.find(({ label }) => label.toLowerCase().includes(typed.toLowerCase()))?.run()
  }
  return (
    <Dialog label="Go to" close={close}>
      <div className={styles.field}>
        <Icon name="search" />
        <input
          autoFocus
          role="combobox"
          aria-label="Page or product"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={items.length ? `palette-${chosen}` : undefined}
          placeholder="Page or product"
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={(event) => {
            const rows = Math.max(1, items.length)
            if (event.key === 'ArrowDown') setAt((chosen + 1) % rows)
            else if (event.key === 'ArrowUp') setAt((chosen + rows - 1) % rows)
            else if (event.key === 'Enter') void choose()
            else return
            event.preventDefault()
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <div className={styles.list} id="palette-list" role="listbox" aria-label="Places">
        {items.map((item, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the field, which names the chosen option
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the keys
          <div
            key={item.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={styles.option}
            onPointerMove={() => setAt(index)}
            onClick={item.run}
          >
            <span>{item.label}</span>
            <small>{item.detail}</small>
          </div>
        ))}
      </div>
      {items.length ? null : <p className={styles.none}>No page or product is called like that.</p>}
    </Dialog>
  )
}

const KEYS: [string, string][] = [
  ['/', 'search products and columns'],
  ['Ctrl K, ⌘ K or F1', 'go to a page or product'],
  ['?', 'this list'],
  ['Esc', 'close what is open'],
]
const GRAPH_KEYS: [string, string][] = [
  ['← →', 'along the edges, to what it reads and to its readers'],
  ['↑ ↓', 'to the neighbour of the same side'],
  ['Enter', 'show or hide its neighbours'],
  ['f', 'make it the focus'],
  ['o', 'open the product'],
]

export function KeyList({ close }: { close: () => void }) {
  return (
    <Dialog label="Keys" close={close}>
      <div className={styles.keys}>
        <div className={styles.keysHead}>
          <h2>Keys</h2>
          <button type="button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        <KeyTable title="On every page" rows={KEYS} />
        <KeyTable title="Go to" rows={GO_TO.map(({ key, label }) => [`g ${key}`, label])} />
        <KeyTable title="In a lineage picture" rows={GRAPH_KEYS} />
      </div>
    </Dialog>
  )
}

function KeyTable({ title, rows }: { title: string; rows: [string, string][] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl>
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** The browser's own dialog: it keeps focus inside, Escape closes it, and focus goes back to where it was. */
function Dialog({ label, close, children }: { label: string; close: () => void; children: React.ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const box = dialog.current
    box?.showModal()
    return () => box?.close()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the key for it
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-label={label}
      onClose={close}
      onClick={(event) => {
        if (event.target === event.currentTarget) close()
      }}
    >
      <div className={styles.inside}>{children}</div>
    </dialog>
  )
}
