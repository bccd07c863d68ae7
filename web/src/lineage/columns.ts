import type { Picture } from './graph.ts'

const GAP = { x: 96, y: 16 }

/** How many hops right of the focus each node stands; left is below 0. */
function hopsOf(picture: Picture): Map<string, number> {
  const hops = new Map<string, number>()
  const focus = picture.items.filter((item) => item.kind === 'node' && item.focus)
  const queue = (focus.length ? focus : picture.items.slice(0, 1)).map(({ id }) => id)
  for (const id of queue) hops.set(id, 0)
  for (let at = queue.shift(); at !== undefined; at = queue.shift())
    for (const { from, to } of picture.edges) {
      const [next, step] = from === at ? [to, 1] : to === at ? [from, -1] : [null, 0]
      if (next === null || hops.has(next)) continue
      hops.set(next, hops.get(at)! + step)
      queue.push(next)
    }
  return hops
}

/** One hop each side, and no edge that leaps over the focus: columns are all the layout there is, and no engine need be loaded. */
export function columnsSuffice(picture: Picture): boolean {
  const hops = hopsOf(picture)
  return (
    picture.items.every(({ id }) => Math.abs(hops.get(id) ?? 9) <= 1) &&
    picture.edges.every(({ from, to }) => hops.get(to)! - hops.get(from)! === 1)
  )
}

/** The plain way to place nodes: one column a hop from the focus, in the order they are drawn. */
export function placeInColumns(picture: Picture, size: { width: number; height: number }): Map<string, { x: number; y: number }> {
  const hops = hopsOf(picture)
  const columns = Map.groupBy(picture.items, ({ id }) => hops.get(id) ?? 0)
  const tallest = Math.max(...[...columns.values()].map((column) => column.length))
  return new Map(
    [...columns].flatMap(([hop, items]) =>
      items.map(({ id }, row) => [
        id,
        { x: hop * (size.width + GAP.x), y: (row + (tallest - items.length) / 2) * (size.height + GAP.y) },
      ]),
    ),
  )
}
