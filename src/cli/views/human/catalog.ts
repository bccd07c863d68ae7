import { statusWord } from '../../../client/status-words.ts'
import type { Lineage, SearchHit } from '../../../client/types.ts'
import { cleanLine, count, glyph, paint, type Style, showStatus } from './style.ts'
import { renderTable } from './table.ts'
import { showAge } from './time.ts'

type LineageNode = Lineage['nodes'][number]

export function renderHits(hits: readonly SearchHit[], style: Style): string[] {
  return renderTable(
    [
      { title: 'PRODUCT', shrinkTo: 16, value: (hit: SearchHit) => hit.product.address },
      { title: 'TITLE', shrinkTo: 10, value: (hit) => cleanLine(hit.product.title) },
      { title: 'FOUND IN', shrinkTo: 12, value: foundIn },
      { title: 'STATE', value: (hit) => cell('product', hit.product.state) },
      {
        title: 'FRESH',
        align: 'right',
        value: (hit) => (hit.product.freshness === null ? '' : showAge(hit.product.freshness)),
      },
      { title: 'CONSUMERS', align: 'right', optional: true, value: (hit) => String(hit.consumers) },
      { title: 'OWNER', optional: true, shrinkTo: 8, value: (hit) => hit.product.owner },
    ],
    hits,
    style,
  )
}

function foundIn({ product, match }: SearchHit): string {
  if (match.field === 'address' || match.field === 'name') return match.field
  const inside = match.address === product.address ? '' : ` ${match.address.slice(product.address.length + 1)}`
  const text = match.field === 'column' || match.field === 'object' || match.field === 'port' ? '' : `: ${cleanLine(match.text)}`
  return `${match.field}${cleanLine(inside)}${text}`
}

function cell(kind: 'product' | 'slo' | 'access', state: string) {
  const { family, word } = statusWord(kind, state)
  return { text: `${glyph(family)} ${word}`, family }
}

/** Two trees around the focus: what it comes from, then what depends on it. A node that was shown before is not opened again. */
export function renderLineage(graph: Lineage, style: Style): string[] {
  const nodes = new Map(graph.nodes.map((node) => [node.address, node]))
  const inside = graph.nodes.filter((node) => isFocus(graph, node.address)).map((node) => node.address)
  const roots = inside.length > 0 ? inside : [graph.focus]
  const lines: string[] = []
  for (const root of roots) {
    const node = nodes.get(root)
    if (lines.length > 0) lines.push('')
    lines.push(paint(style, 'strong', cleanLine(root)) + (node ? stateOf(node) : ''))
    for (const direction of ['up', 'down'] as const) {
      const branches = branchesOf(graph, direction)
      const title = direction === 'up' ? 'comes from' : 'read by'
      const below = branch(branches, nodes, direction, root, '  ', new Set([root]))
      lines.push(`${title}${below.length === 0 ? `: ${nobody(node, direction)}` : ''}`, ...below)
    }
  }
  if (graph.missing.length > 0)
    lines.push('', paint(style, 'warn', 'Not shown'), ...graph.missing.map((text) => `  ${cleanLine(text)}`))
  return lines
}

function isFocus({ focus, level }: Lineage, address: string): boolean {
  if (address === focus || level === 'product') return address === focus
  return ['/', '#', '.'].some((mark) => address.startsWith(`${focus}${mark}`))
}

function nobody(node: LineageNode | undefined, direction: 'up' | 'down'): string {
  const more = node?.[direction] ?? 0
  return more > 0 ? `${more} not drawn` : direction === 'up' ? 'nothing in the mesh' : 'nobody'
}

type Branches = ReadonlyMap<string, string[]>

function branchesOf({ edges }: Lineage, direction: 'up' | 'down'): Branches {
  const found = new Map<string, string[]>()
  for (const { from, to } of edges) {
    const [at, next] = direction === 'up' ? [to, from] : [from, to]
    found.set(at, [...(found.get(at) ?? []), next])
  }
  return found
}

function branch(
  branches: Branches,
  nodes: ReadonlyMap<string, LineageNode>,
  direction: 'up' | 'down',
  address: string,
  indent: string,
  seen: Set<string>,
): string[] {
  const next = branches.get(address) ?? []
  return next.flatMap((each, index) => {
    const last = index === next.length - 1
    const node = nodes.get(each)
    const known = seen.has(each)
    seen.add(each)
    const hidden = (node?.[direction] ?? 0) - (branches.get(each)?.length ?? 0)
    const more = known ? '  (above)' : hidden > 0 ? `  +${hidden} ${direction}` : ''
    const line = `${indent}${last ? '└─ ' : '├─ '}${cleanLine(each)}${node ? stateOf(node) : ''}${more}`
    return known ? [line] : [line, ...branch(branches, nodes, direction, each, `${indent}${last ? '   ' : '│  '}`, seen)]
  })
}

function stateOf(node: LineageNode): string {
  if (node.kind === 'source') return `  ${cleanLine(node.name)}`
  if (node.kind === 'consumer' || node.state === null) return ''
  const states = node.kind === 'product' ? [showStatus(statusWord('product', node.state))] : []
  if (node.slo !== null && node.kind !== 'column') states.push(`SLO ${showStatus(statusWord('slo', node.slo))}`)
  return states.length === 0 ? '' : `  ${states.join(', ')}`
}

export function renderCount(hits: readonly SearchHit[], more: boolean): string {
  return `${more ? 'the first ' : ''}${count(hits.length, 'product')}`
}
