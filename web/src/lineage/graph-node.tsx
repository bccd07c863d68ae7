import { Handle, type Node, type NodeProps, Position } from '@xyflow/react'
import { createContext, use } from 'react'
import { StatusGlyph } from '../status/status.tsx'
import { wordFor } from '../status/vocabulary.ts'
import type { Opened, Shown, Side } from './graph.ts'
import { KIND_WORDS } from './kind-words.ts'
import styles from './lineage.module.css'

export type GraphNodeData = { item: Shown }

type GraphDoes = {
  active: string | null
  opened: readonly Opened[]
  onToggle: (address: string, side: Side) => void
  onGroup: (id: string) => void
  onChoose: (id: string) => void
  onKey: (event: React.KeyboardEvent, item: Shown) => void
}

export const GraphContext = createContext<GraphDoes>({
  active: null,
  opened: [],
  onToggle: () => {},
  onGroup: () => {},
  onChoose: () => {},
  onKey: () => {},
})

/** One node is one stop of the Tab key; arrows go on from there. Its sides carry how many more there are. */
export function GraphNode({ data: { item } }: NodeProps<Node<GraphNodeData>>) {
  const { active, opened, onToggle, onGroup, onChoose, onKey } = use(GraphContext)
  const isActive = active === item.id
  const common = {
    type: 'button',
    tabIndex: isActive ? 0 : -1,
    'data-node': item.id,
    onFocus: () => onChoose(item.id),
    onKeyDown: (event: React.KeyboardEvent) => onKey(event, item),
  } as const
  return (
    <div
      className={styles.node}
      data-kind={item.kind === 'node' ? item.node.kind : 'group'}
      data-focus={item.kind === 'node' && item.focus}
      data-active={isActive}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} />
      {item.kind === 'group' ? (
        <button {...common} className={styles.main} onClick={() => onGroup(item.id)}>
          <strong className={styles.more}>+{item.members.length}</strong>
          <span className={styles.line}>more {word(item.side)}</span>
          <small>{trouble(item.members) ?? 'find one by name'}</small>
          <span className="sr-only">
            {word(item.side)} {item.of}, Enter lists them
          </span>
        </button>
      ) : (
        <>
          <button
            {...common}
            className={styles.main}
            data-plain={item.node.state === null}
            onClick={() => onChoose(item.id)}
            title={item.node.address}
          >
            {item.node.state ? <StatusGlyph kind="product" state={item.node.state} say={false} /> : null}
            <span className={styles.line}>{titleOf(item.node)}</span>
            <small>{detailOf(item.node)}</small>
            <span className="sr-only">, {spoken(item)}</span>
          </button>
          {(['up', 'down'] as const).map((side) => {
            const open = opened.some((each) => each.address === item.id && each.side === side)
            if (!open && !item.hidden[side]) return null
            return (
              <button
                key={side}
                type="button"
                tabIndex={-1}
                className={styles.side}
                data-side={side}
                aria-label={open ? `Hide what is ${word(side)} ${item.id}` : `Show ${item.hidden[side]} ${word(side)} ${item.id}`}
                onClick={() => onToggle(item.id, side)}
              >
                {open ? '−' : `+${item.hidden[side]}`}
              </button>
            )
          })}
        </>
      )}
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  )
}

function word(side: Side): string {
  return side === 'up' ? 'before' : 'behind'
}

type NodeOf = Extract<Shown, { kind: 'node' }>

function titleOf(node: NodeOf['node']): string {
  return node.kind === 'product' ? node.address : node.name
}

const WELL = ['met', 'gathering', 'no-data', 'paused']

/** A product says its state, and its levels where they are in trouble; what lies inside a product says where. */
function detailOf(node: NodeOf['node']): string {
  const level = node.slo && !WELL.includes(node.slo) ? `levels ${wordFor('level', node.slo).word.toLowerCase()}` : null
  if (node.kind === 'product') return [wordFor('product', node.state ?? '').word, level].filter(Boolean).join(', ') || 'product'
  return [placeOf(node) ?? KIND_WORDS[node.kind], level].filter(Boolean).join(', ')
}

/** `flights/daily.flights` of a column: the domain stands in the title, where there is room. */
function placeOf({ address, name, product }: NodeOf['node']): string | null {
  if (!product) return null
  const within = address.startsWith(`${product}/`) && address.endsWith(`.${name}`) ? address.slice(0, -name.length - 1) : product
  return within === product ? product : within.slice(within.indexOf('/') + 1)
}

function trouble(members: readonly NodeOf['node'][]): string | null {
  const bad = members.filter((member) => ['bad', 'warn'].includes(wordFor('product', member.state ?? '').family)).length
  return bad ? `${bad} in trouble` : null
}

/** What the picture says by place and shape, for who does not see it. */
function spoken({ node, hidden, focus }: NodeOf): string {
  const more = hidden.up + hidden.down
  return [
    focus ? 'the focus' : null,
    KIND_WORDS[node.kind],
    node.slo === 'met' ? 'levels met' : null,
    `${node.up} before, ${node.down} behind`,
    more ? `Enter shows ${more} more` : null,
  ]
    .filter(Boolean)
    .join(', ')
}
