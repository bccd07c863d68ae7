import '@xyflow/react/dist/base.css'
import { ActionIcon, Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type Edge, type Node, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { FailureCard } from '../parts/failure-card.tsx'
import { Icon } from '../parts/icon.tsx'
import { Status } from '../status/status.tsx'
import { formatCount } from '../text/time.ts'
import type { Opened, Picture, Shown, Side } from './graph.ts'
import { GraphEdge, pointsOf } from './graph-edge.tsx'
import { GraphContext, GraphNode, type GraphNodeData } from './graph-node.tsx'
import { KIND_WORDS } from './kind-words.ts'
import { NODE, type Places } from './layout.ts'
import styles from './lineage.module.css'
import { nextNode } from './next-node.ts'
import { usePlaces } from './use-places.ts'

type Props = {
  picture: Picture
  opened: readonly Opened[]
  onToggle: (address: string, side: Side) => void
  onOpenBoth: (address: string, hidden: Record<Side, number>) => void
  onGroup: (id: string) => void
  onFocus: (address: string) => void
}

const NODE_TYPES = { lineage: GraphNode }
const EDGE_TYPES = { lineage: GraphEdge }
const FIT = { padding: 0.08, maxZoom: 1 }
const READABLE_ZOOM = 0.55
const READABLE_AGAIN = 0.85

export function GraphView(props: Props) {
  return (
    <ReactFlowProvider>
      <Graph {...props} />
    </ReactFlowProvider>
  )
}

function Graph({ picture, opened, onToggle, onOpenBoth, onGroup, onFocus }: Props) {
  const { shown, layout, placing, failure, stop } = usePlaces(picture)
  const { places } = layout
  const flow = useReactFlow()
  const box = useRef<HTMLDivElement>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const active = shown.items.some((item) => item.id === chosen)
    ? chosen
    : (shown.items.find(isFocus)?.id ?? shown.items[0]?.id ?? null)
  const item = shown.items.find(({ id }) => id === active) ?? null

  const nodes = useMemo(
    () =>
      shown.items.map(
        (each): Node<GraphNodeData> => ({
          id: each.id,
          type: 'lineage',
          position: places.get(each.id) ?? { x: 0, y: 0 },
          ...NODE,
          data: { item: each },
        }),
      ),
    [shown, places],
  )
  const edges = useMemo(
    () =>
      shown.edges.map(
        (edge): Edge => ({
          id: edge.id,
          source: edge.from,
          target: edge.to,
          className: edge.from === active || edge.to === active ? styles.near! : '',
          type: 'lineage',
          data: { points: pointsOf(edge, layout) },
          ariaLabel: `${edge.to} reads ${edge.from}`,
        }),
      ),
    [shown, layout, active],
  )

  const looked = useRef(active)
  looked.current = active
  // Fitted as long as it can be read then; otherwise what one was looking at stays in the middle.
  const fit = useCallback(async () => {
    await flow.fitView(FIT)
    const at = looked.current ? places.get(looked.current) : undefined
    if (at && flow.getZoom() < READABLE_ZOOM)
      await flow.setCenter(at.x + NODE.width / 2, at.y + NODE.height / 2, { zoom: READABLE_AGAIN })
  }, [places, flow])
  // A new picture, and a field that gave some of its width to the list of a group, or took it back.
  useEffect(() => {
    const [element, watch] = [box.current, new ResizeObserver(() => requestAnimationFrame(() => void fit()))]
    if (element) watch.observe(element)
    return () => watch.disconnect()
  }, [fit])

  const focusNode = (id: string) => {
    setChosen(id)
    const element = box.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`)
    element?.focus({ preventScroll: true })
    bringIntoSight(id)
  }
  const bringIntoSight = (id: string) => {
    const [view, at] = [box.current?.getBoundingClientRect(), places.get(id)]
    if (!view || !at) return
    const zoom = flow.getZoom()
    const left = flow.flowToScreenPosition(at)
    const inside =
      left.x >= view.left &&
      left.y >= view.top &&
      left.x + NODE.width * zoom <= view.right &&
      left.y + NODE.height * zoom <= view.bottom
    if (!inside) void flow.setCenter(at.x + NODE.width / 2, at.y + NODE.height / 2, { zoom: Math.max(zoom, READABLE_ZOOM) })
  }
  const enter = (each: Shown) => (each.kind === 'group' ? onGroup(each.id) : onOpenBoth(each.id, each.hidden))
  const onKey = (event: React.KeyboardEvent, each: Shown) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const arrow = event.key.startsWith('Arrow') ? nextNode(event.key, each.id, shown, places) : null
    if (event.key.startsWith('Arrow')) {
      if (arrow) focusNode(arrow)
    } else if (event.key === 'Enter') enter(each)
    else if (event.key === 'f' && each.kind === 'node') onFocus(each.id)
    else if (event.key === 'o' && each.kind === 'node' && each.node.product)
      box.current?.parentElement?.querySelector<HTMLElement>('[data-open-product]')?.click()
    else return
    event.preventDefault()
  }
  return (
    <div className={styles.graph}>
      {failure ? <FailureCard failure={failure} /> : null}
      <GraphContext value={{ active, opened, onToggle, onGroup, onChoose: setChosen, onKey }}>
        <div className={styles.canvas} ref={box} style={{ '--tall': `${tallOf(places)}px` } as React.CSSProperties}>
          {places.size ? (
            <ReactFlow
              nodes={nodes}
              edges={edges}
              nodeTypes={NODE_TYPES}
              edgeTypes={EDGE_TYPES}
              fitView
              fitViewOptions={FIT}
              minZoom={0.08}
              maxZoom={1.5}
              nodesDraggable={false}
              nodesConnectable={false}
              nodesFocusable={false}
              edgesFocusable={false}
              elementsSelectable={false}
              disableKeyboardA11y
              zoomOnScroll={false}
              zoomOnDoubleClick={false}
              preventScrolling={false}
              proOptions={{ hideAttribution: true }}
              aria-label="Lineage picture: arrow keys walk along the edges, Enter shows more. The list has the same."
            />
          ) : null}
          <div className={styles.zoom}>
            <ActionIcon variant="default" aria-label="Larger" onClick={() => void flow.zoomIn()}>
              <Icon name="plus" />
            </ActionIcon>
            <ActionIcon variant="default" aria-label="Smaller" onClick={() => void flow.zoomOut()}>
              <Icon name="minus" />
            </ActionIcon>
            <ActionIcon variant="default" aria-label="Show all" onClick={() => void flow.fitView(FIT)}>
              <Icon name="fit" />
            </ActionIcon>
          </div>
          {placing ? (
            <p className={`late ${styles.placing}`} role="status">
              Placing {formatCount(picture.items.length)} nodes…
              <Button size="xs" variant="quiet" onClick={stop}>
                Cancel
              </Button>
            </p>
          ) : null}
        </div>
        {item ? <Chosen item={item} opened={opened} onToggle={onToggle} onGroup={onGroup} onFocus={onFocus} /> : null}
      </GraphContext>
    </div>
  )
}

/** As tall as the picture, so that a small one does not float in an empty field. */
function tallOf(places: Places): number {
  const ys = [...places.values()].map(({ y }) => y)
  return ys.length ? Math.max(...ys) - Math.min(...ys) + NODE.height + 120 : 0
}

function isFocus(item: Shown): boolean {
  return item.kind === 'node' && item.focus
}

/** What the chosen node is, and everything that can be done with it: the pointer needs no small target, the keyboard no secret. */
function Chosen({
  item,
  opened,
  onToggle,
  onGroup,
  onFocus,
}: { item: Shown } & Pick<Props, 'opened' | 'onToggle' | 'onGroup' | 'onFocus'>) {
  if (item.kind === 'group')
    return (
      <div className={styles.chosen}>
        <span>
          <strong>{item.members.length} more</strong> {item.side === 'up' ? 'before' : 'behind'} {item.of}
        </span>
        <span className={styles.verbs}>
          <Button size="xs" variant="quiet" onClick={() => onGroup(item.id)}>
            Find among them
          </Button>
        </span>
      </div>
    )
  const { node, hidden, focus } = item
  const [domain = '', name = ''] = (node.product ?? '').split('/')
  const isOpen = (side: Side) => opened.some((each) => each.address === node.address && each.side === side)
  return (
    <div className={styles.chosen}>
      <span className={styles.who}>
        <strong>{node.address}</strong>
        <span className="muted">{KIND_WORDS[node.kind]}</span>
        {node.state ? <Status kind="product" state={node.state} /> : null}
        {node.slo ? <Status kind="level" state={node.slo} /> : null}
        <span className="muted">
          {node.up} before, {node.down} behind
        </span>
      </span>
      <span className={styles.verbs}>
        {(['up', 'down'] as const).map((side) =>
          hidden[side] || isOpen(side) ? (
            <Button key={side} size="xs" variant="quiet" onClick={() => onToggle(node.address, side)}>
              {isOpen(side) ? 'Hide' : `Show ${hidden[side]}`} {side === 'up' ? 'before' : 'behind'}
            </Button>
          ) : null,
        )}
        {focus || node.kind === 'consumer' || node.kind === 'source' ? null : (
          <Button size="xs" variant="quiet" onClick={() => onFocus(node.address)}>
            Make it the focus
          </Button>
        )}
        {node.product ? (
          <Link to="/p/$domain/$name" params={{ domain, name }} data-open-product>
            Open {node.product}
          </Link>
        ) : null}
      </span>
    </div>
  )
}
