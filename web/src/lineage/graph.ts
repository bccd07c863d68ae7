import type { Lineage, LineageEdge, LineageNode } from '../api/types.ts'

export type Side = 'up' | 'down'
/** A side of a node that was opened beside the first hop. */
export type Opened = { address: string; side: Side }

export type Whole = {
  focus: string
  nodes: Map<string, LineageNode>
  edges: LineageEdge[]
  /** who reads it, and what it reads, of what is known here */
  neighbours: (address: string, side: Side) => string[]
  missing: string[]
}

/** What stands in the picture: nodes, and groups of those that would be too many. */
export type Shown =
  | { kind: 'node'; id: string; node: LineageNode; focus: boolean; hidden: Record<Side, number> }
  | { kind: 'group'; id: string; of: string; side: Side; members: LineageNode[] }
export type ShownEdge = { id: string; from: string; to: string; kind: LineageEdge['kind'] | 'group' }
export type Picture = { items: Shown[]; edges: ShownEdge[]; total: number }

/** More neighbours than this on one side become one group. */
export const FAN_OUT = 8
/** More than this are not drawn before a filter is set. */
export const MOST_NODES = 300

/** All answers as one graph: what two answers both tell is there once. */
export function mergeAnswers(answers: readonly Lineage[]): Whole {
  const nodes = new Map<string, LineageNode>()
  const edges = new Map<string, LineageEdge>()
  for (const answer of answers) {
    for (const node of answer.nodes) nodes.set(node.address, node)
    for (const edge of answer.edges) edges.set(edgeId(edge), edge)
  }
  const known = [...edges.values()].filter((edge) => nodes.has(edge.from) && nodes.has(edge.to) && edge.from !== edge.to)
  const sides: Record<Side, Map<string, string[]>> = { up: new Map(), down: new Map() }
  for (const { from, to } of known) {
    add(sides.down, from, to)
    add(sides.up, to, from)
  }
  return {
    focus: answers[0]?.focus ?? '',
    nodes,
    edges: known,
    neighbours: (address, side) => sides[side].get(address) ?? [],
    missing: [...new Set(answers.flatMap((answer) => answer.missing))],
  }
}

function add(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key) ?? []
  if (!list.includes(value)) list.push(value)
  lists.set(key, list)
}

function edgeId({ from, to, kind }: LineageEdge): string {
  return `${from} ${to} ${kind}`
}

/** The nodes everything is seen from: the focus, or all parts of the product that is the focus at a deeper level. */
export function rootsOf({ focus, nodes }: Pick<Whole, 'focus' | 'nodes'>): string[] {
  if (nodes.has(focus)) return [focus]
  const inside = [...nodes.values()].filter((node) => node.product === focus || node.address.startsWith(`${focus}.`))
  return (inside.length ? inside : [...nodes.values()]).map((node) => node.address)
}

/**
 * What is drawn of the whole. From the focus outwards; of more than eight neighbours on one side the first eight are drawn and the rest is one group,
 * less those `picked` out of it. With `only`, nodes whose address does not hold the words are left out, the focus never.
 */
export function drawPicture(whole: Whole, { picked, only }: { picked: ReadonlySet<string>; only: string }): Picture {
  const roots = rootsOf(whole)
  const words = only.toLowerCase().split(/\s+/).filter(Boolean)
  const wanted = (address: string) =>
    whole.focus === address ||
    words.every((word) => address.toLowerCase().includes(word) || nameOf(whole, address).includes(word))
  const drawn = new Set<string>(roots.filter(wanted))
  const held = new Map<string, { of: string; side: Side; members: Set<string> }>()
  const queue = [...drawn]
  for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
    for (const side of ['up', 'down'] as const) {
      const all = whole.neighbours(address, side).filter(wanted)
      const rest = all.filter((each) => !drawn.has(each)).toSorted(byTrouble(whole))
      const room = Math.max(0, FAN_OUT - (all.length - rest.length))
      // One left over would take the place of the group that hides it.
      const take =
        rest.length - room <= 1 ? rest : [...rest.slice(0, room), ...rest.slice(room).filter((each) => picked.has(each))]
      for (const each of take) {
        drawn.add(each)
        queue.push(each)
      }
      const members = rest.filter((each) => !take.includes(each))
      if (members.length) held.set(`group:${side}:${address}`, { of: address, side, members: new Set(members) })
    }
  }
  const groups = [...held].flatMap(([id, { of, side, members }]): Extract<Shown, { kind: 'group' }>[] => {
    // Another path may have drawn it since.
    const left = [...members].filter((each) => !drawn.has(each))
    return left.length ? [{ kind: 'group', id, of, side, members: left.map((each) => whole.nodes.get(each)!) }] : []
  })
  const items: Shown[] = [
    ...[...drawn].map((address): Shown => {
      const node = whole.nodes.get(address)!
      return { kind: 'node', id: address, node, focus: roots.length === 1 && address === roots[0], hidden: hiddenOf(whole, node) }
    }),
    ...groups,
  ]
  return {
    items,
    edges: [
      ...whole.edges
        .filter((edge) => drawn.has(edge.from) && drawn.has(edge.to))
        .map((edge) => ({ id: edgeId(edge), from: edge.from, to: edge.to, kind: edge.kind })),
      ...groups.map(
        ({ id, of, side }): ShownEdge =>
          side === 'up'
            ? { id: `${id} edge`, from: id, to: of, kind: 'group' }
            : { id: `${id} edge`, from: of, to: id, kind: 'group' },
      ),
    ],
    total: drawn.size,
  }
}

function nameOf(whole: Whole, address: string): string {
  return whole.nodes.get(address)?.name.toLowerCase() ?? ''
}

/** Neighbours of a node that nobody has asked for yet. */
function hiddenOf(whole: Whole, node: LineageNode): Record<Side, number> {
  return {
    up: Math.max(0, node.up - whole.neighbours(node.address, 'up').length),
    down: Math.max(0, node.down - whole.neighbours(node.address, 'down').length),
  }
}

const TROUBLE = ['failed', 'degraded', 'deploying', 'waiting']

/** What is in trouble is drawn first: it must not hide in a group. */
function byTrouble(whole: Whole) {
  const rank = (address: string) => {
    const node = whole.nodes.get(address)
    const at = TROUBLE.indexOf(node?.state ?? '')
    if (at >= 0) return at
    return node?.slo === 'breached' || node?.slo === 'at-risk' ? TROUBLE.length : TROUBLE.length + 1
  }
  return (a: string, b: string) => rank(a) - rank(b) || a.localeCompare(b)
}

export type Row = { node: LineageNode; side: Side | 'focus'; hops: number; via: string[] }

/** The same graph as a list: how far, on which side, and through what. Upstream first, nearest first. */
export function listRows(whole: Whole, only: string): Row[] {
  const rows: Row[] = []
  const words = only.toLowerCase().split(/\s+/).filter(Boolean)
  const roots = rootsOf(whole)
  for (const side of ['up', 'down'] as const) {
    const seen = new Set(roots)
    let edge = roots
    for (let hops = 1; edge.length; hops++) {
      const next: string[] = []
      for (const address of edge)
        for (const neighbour of whole.neighbours(address, side)) {
          if (seen.has(neighbour)) continue
          seen.add(neighbour)
          next.push(neighbour)
          const via = whole.neighbours(neighbour, side === 'up' ? 'down' : 'up').filter((each) => edge.includes(each))
          rows.push({ node: whole.nodes.get(neighbour)!, side, hops, via })
        }
      edge = next
    }
  }
  const own = roots.map((address): Row => ({ node: whole.nodes.get(address)!, side: 'focus', hops: 0, via: [] }))
  const order = { up: 0, focus: 1, down: 2 }
  return [...own, ...rows]
    .filter(({ node, side }) => side === 'focus' || words.every((word) => node.address.toLowerCase().includes(word)))
    .toSorted(
      (a, b) =>
        order[a.side] - order[b.side] ||
        (a.side === 'up' ? b.hops - a.hops : a.hops - b.hops) ||
        a.node.address.localeCompare(b.node.address),
    )
}

export function readOpened(open: string | undefined): Opened[] {
  return (open ?? '').split(',').flatMap((part) => {
    const cut = part.indexOf(':')
    const side = part.slice(0, cut)
    return side === 'up' || side === 'down' ? [{ side, address: part.slice(cut + 1) }] : []
  })
}

export function writeOpened(opened: readonly Opened[]): string | undefined {
  return opened.map(({ side, address }) => `${side}:${address}`).join(',') || undefined
}
