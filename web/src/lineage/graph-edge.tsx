import type { Edge, EdgeProps } from '@xyflow/react'
import type { ShownEdge } from './graph.ts'
import { type Layout, NODE, type Point } from './layout.ts'

type LineageEdge = Edge<{ points: Point[] }>

/** From the middle of one side to the middle of the other, past the points the layout keeps free for it. */
export function pointsOf(edge: ShownEdge, { places, bends }: Layout): Point[] {
  const [from, to] = [places.get(edge.from), places.get(edge.to)]
  if (!from || !to) return []
  const middle = NODE.height / 2
  return [{ x: from.x + NODE.width, y: from.y + middle }, ...(bends.get(edge.id) ?? []), { x: to.x, y: to.y + middle }]
}

export function GraphEdge({ data }: EdgeProps<LineageEdge>) {
  return <path className="react-flow__edge-path" fill="none" d={curve(data?.points ?? [])} />
}

/** Level where it leaves, passes a point or arrives: each piece is an S. */
function curve(points: readonly Point[]): string {
  return points
    .map(({ x, y }, index) => {
      const before = points[index - 1]
      if (!before) return `M${x} ${y}`
      const half = (before.x + x) / 2
      return `C${half} ${before.y} ${half} ${y} ${x} ${y}`
    })
    .join('')
}
