import ELK, { type ELK as Elk, type ElkNode } from 'elkjs/lib/elk-api.js'
import workerUrl from 'elkjs/lib/elk-worker.min.js?url'
import type { Picture } from './graph.ts'

export const NODE = { width: 236, height: 50 }
export type Point = { x: number; y: number }
export type Places = Map<string, Point>
/** Where nodes go, and the points a long edge passes so that it runs behind none of them. */
export type Layout = { places: Places; bends: Map<string, Point[]> }

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.layered.spacing.nodeNodeBetweenLayers': '96',
  'elk.spacing.nodeNode': '16',
  'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
  'elk.edgeRouting': 'POLYLINE',
  // Where crossings leave a choice, nodes keep the order they are drawn in: groups come last.
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.layered.considerModelOrder.crossingCounterNodeInfluence': '0.001',
}

let engine: { elk: Elk; crashed: Promise<never> } | null = null

/** The layout engine in a worker of its own, started at the first picture that needs it and kept for the next. It does not tell when its worker dies. */
function startEngine() {
  const crash = Promise.withResolvers<never>()
  crash.promise.catch(() => {})
  const workerFactory = () => {
    const worker = new Worker(workerUrl)
    worker.addEventListener('error', (event) => crash.reject(event.message || 'its worker did not start'))
    return worker
  }
  return { elk: new ELK({ workerFactory, algorithms: ['layered'] }), crashed: crash.promise }
}

/** Where each node goes. Rejects when the engine fails or was told to stop. */
export async function placeNodes(picture: Picture, signal: AbortSignal): Promise<Layout> {
  const graph: ElkNode = {
    id: 'root',
    layoutOptions: OPTIONS,
    children: picture.items.map(({ id }) => ({ id, ...NODE })),
    edges: picture.edges.map(({ id, from, to }) => ({ id, sources: [from], targets: [to] })),
  }
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  engine ??= startEngine()
  const placed = await Promise.race([engine.elk.layout(graph), engine.crashed, stopped])
  return {
    places: withGroupsLast(picture, new Map((placed.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }]))),
    bends: new Map(
      (placed.edges ?? []).map(({ id, sections }) => [id, sections?.flatMap((section) => section.bendPoints ?? []) ?? []]),
    ),
  }
}

/** "+87" reads as the end of its column. A group has one edge, so moving it crosses nothing that matters. */
function withGroupsLast(picture: Picture, places: Places): Places {
  const groups = new Set(picture.items.filter((item) => item.kind === 'group').map(({ id }) => id))
  if (!groups.size) return places
  const columns = Map.groupBy(places, ([, { x }]) => x)
  return new Map(
    [...columns.values()].flatMap((column) => {
      const heights = column.map(([, { y }]) => y).toSorted((a, b) => a - b)
      const order = column.toSorted(([a, at], [b, bt]) => Number(groups.has(a)) - Number(groups.has(b)) || at.y - bt.y)
      return order.map(([id, { x }], index): [string, Point] => [id, { x, y: heights[index]! }])
    }),
  )
}

/** Ends a layout that takes too long; the next one starts a new engine. */
export function stopLayout(): void {
  engine?.elk.terminateWorker()
  engine = null
}
