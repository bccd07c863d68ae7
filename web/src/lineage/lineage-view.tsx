import { Button, SegmentedControl, TextInput } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useMemo, useState } from 'react'
import { FailureCard } from '../parts/failure-card.tsx'
import { Icon } from '../parts/icon.tsx'
import { Empty, Skeleton } from '../parts/loaded.tsx'
import { counted } from '../text/time.ts'
import { drawPicture, FAN_OUT, listRows, MOST_NODES, type Opened, readOpened, type Side, writeOpened } from './graph.ts'
import { GroupList } from './group-list.tsx'
import styles from './lineage.module.css'
import type { LineageSearch } from './lineage-search.ts'
import { ListView } from './list-view.tsx'
import { useLineage } from './use-lineage.ts'

const GraphView = lazy(() => import('./graph-view.tsx').then((module) => ({ default: module.GraphView })))
const LEVELS = [
  { value: 'product', label: 'Products' },
  { value: 'object', label: 'Objects' },
  { value: 'column', label: 'Columns' },
]

/**
 * Where something comes from and who depends on it: a picture and a list of the same. `of` stands in the address of the lineage page and is the product
 * on a product's tab; everything else always stands in the address.
 */
export function LineageView({ of, search }: { of: string; search: LineageSearch }) {
  const navigate = useNavigate()
  const level = search.level ?? 'product'
  const opened = useMemo(() => readOpened(search.open), [search.open])
  const picked = useMemo(() => new Set((search.pick ?? '').split(',').filter(Boolean)), [search.pick])
  const only = search.only ?? ''
  const lineage = useLineage(of, level, opened)
  const [group, setGroup] = useState<string | null>(null)
  const { whole } = lineage
  const picture = useMemo(() => (whole ? drawPicture(whole, { picked, only }) : null), [whole, picked, only])
  const change = (changes: Partial<LineageSearch>, replace = false) =>
    void navigate({ to: '.', search: (before: object) => ({ ...before, ...changes }), replace, resetScroll: false })
  const toggle = (address: string, side: Side) => {
    const without = opened.filter((each) => each.address !== address || each.side !== side)
    change({ open: writeOpened(without.length < opened.length ? without : [...opened, { address, side }]) })
  }
  const openBoth = (address: string, hidden: Record<Side, number>) => {
    const own = opened.filter((each) => each.address === address)
    const rest = opened.filter((each) => each.address !== address)
    const sides = (['up', 'down'] as const).filter((side) => hidden[side] > 0)
    if (sides.length) change({ open: writeOpened([...rest, ...own, ...sides.map((side): Opened => ({ address, side }))]) })
    else if (own.length) change({ open: writeOpened(rest) })
  }
  const focusOn = (address: string) =>
    void navigate({
      to: '/lineage',
      search: { of: address, ...(search.level && { level: search.level }), ...(search.view && { view: search.view }) },
    })
  const opening = group && picture?.items.find((item) => item.id === group)
  // A picture this narrow has nodes too small to touch.
  const narrow = useMediaQuery('(max-width: 640px)', undefined, { getInitialValueInEffect: false })
  const list = narrow || search.view === 'list'
  const rows = whole && list ? listRows(whole, only) : []
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <SegmentedControl
          aria-label="Level"
          data={LEVELS}
          value={level}
          onChange={(value) =>
            change({ level: value === 'product' ? undefined : (value as 'object'), open: undefined, pick: undefined })
          }
        />
        <TextInput
          aria-label="Show only"
          placeholder="Show only names with…"
          leftSection={<Icon name="search" />}
          value={only}
          onChange={(event) => change({ only: event.currentTarget.value || undefined }, true)}
        />
        <span className={styles.said} role="status">
          {picture && whole ? described(list ? rows.length : picture.total, whole.nodes.size, only, lineage.opening) : ''}
        </span>
        {narrow ? null : (
          <SegmentedControl
            aria-label="View"
            data={[
              { value: 'picture', label: 'Picture' },
              { value: 'list', label: 'List' },
            ]}
            value={list ? 'list' : 'picture'}
            onChange={(value) => change({ view: value === 'list' ? 'list' : undefined })}
          />
        )}
      </div>
      {lineage.failure ? <FailureCard failure={lineage.failure} retry={lineage.retry} /> : null}
      {lineage.partial.map(({ opened: { address, side }, failure }) => (
        <FailureCard
          key={`${side} ${address}`}
          failure={{
            ...failure,
            what: `What is ${side === 'up' ? 'before' : 'behind'} ${address} could not be read: ${failure.what}`,
          }}
          retry={lineage.retry}
        />
      ))}
      {whole?.missing.length ? (
        <p className={styles.missing}>
          <strong>Not whole.</strong> {whole.missing.join(' ')} The rest is shown.
        </p>
      ) : null}
      {lineage.pending && !lineage.failure ? <Skeleton rows={6} /> : null}
      {whole && picture ? (
        !whole.nodes.size ? (
          <Empty title={`Nothing is known about ${of} at this level`}>
            <p>Lineage comes from the spec and from what dbt says at a deploy; the first deploy brings it.</p>
          </Empty>
        ) : list ? (
          <ListView rows={rows} onFocus={focusOn} />
        ) : picture.total > MOST_NODES ? (
          <Empty title={`${counted(picture.total, 'node')} are too many for a picture`}>
            <p>Say what their names must hold, in the field above, or look at the list.</p>
            <Button size="xs" variant="quiet" onClick={() => change({ view: 'list' })}>
              Show the list
            </Button>
          </Empty>
        ) : (
          <div className={styles.stage} data-group={Boolean(opening)}>
            <Suspense
              fallback={
                <div className={styles.canvas}>
                  <Skeleton rows={6} />
                </div>
              }
            >
              <GraphView
                picture={picture}
                opened={opened}
                onToggle={toggle}
                onOpenBoth={openBoth}
                onGroup={setGroup}
                onFocus={focusOn}
              />
            </Suspense>
            {opening && opening.kind === 'group' ? (
              <GroupList
                key={opening.id}
                group={opening}
                onClose={() => {
                  setGroup(null)
                  document.querySelector<HTMLElement>(`[data-node="${CSS.escape(opening.id)}"]`)?.focus()
                }}
                onPick={(address) => change({ pick: [...picked, address].join(',') })}
                onFocus={focusOn}
              />
            ) : null}
          </div>
        )
      ) : null}
      {picked.size ? (
        <p className={styles.hint}>
          {counted(picked.size, 'node')} taken out of groups of more than {FAN_OUT}.{' '}
          <button type="button" className={styles.plain} onClick={() => change({ pick: undefined })}>
            Put them back
          </button>
        </p>
      ) : null}
    </div>
  )
}

function described(shown: number, known: number, only: string, opening: boolean): string {
  if (opening) return 'asking…'
  if (shown === known) return counted(known, 'node')
  return `${shown} of ${counted(known, 'node')}${only ? ` with “${only}”` : ''}`
}
