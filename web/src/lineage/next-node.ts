import type { Picture } from './graph.ts'

type Places = ReadonlyMap<string, { x: number; y: number }>
const SAME_COLUMN = 40

/** Where an arrow leads: left and right along the edges to the nearest neighbour, up and down within the column. */
export function nextNode(key: string, from: string, picture: Pick<Picture, 'items' | 'edges'>, places: Places): string | null {
  const here = places.get(from)
  if (!here) return null
  const away = (id: string) => Math.abs((places.get(id)?.y ?? 0) - here.y)
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const ends = picture.edges.flatMap((edge) =>
      key === 'ArrowLeft' ? (edge.to === from ? [edge.from] : []) : edge.from === from ? [edge.to] : [],
    )
    return ends.toSorted((a, b) => away(a) - away(b) || (places.get(a)?.y ?? 0) - (places.get(b)?.y ?? 0))[0] ?? null
  }
  const column = picture.items
    .map(({ id }) => ({ id, at: places.get(id) }))
    .filter(
      ({ id, at }) =>
        at && id !== from && Math.abs(at.x - here.x) < SAME_COLUMN && (key === 'ArrowUp' ? at.y < here.y : at.y > here.y),
    )
  return column.toSorted((a, b) => away(a.id) - away(b.id))[0]?.id ?? null
}
