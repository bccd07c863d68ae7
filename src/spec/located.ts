import type { Position } from '../core/diagnostic.ts'

export type Path = readonly (string | number)[]
/** Offsets into the text of the file the value was written in (after an override: the override's own). */
export type Place = { source: Source; key: [number, number] | null; value: [number, number] }
export type Source = { file: string; text: string; lineStarts: readonly number[] }

/** A document as plain data, and for every value the place it was written at. Pointers are JSON pointers, as Ajv reports them. */
export type Located = { source: Source; value: unknown; places: Map<string, Place> }

export function pointerOf(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

export function pathOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export function valueAt(document: Located, path: Path): unknown {
  let value = document.value
  for (const part of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}

/** Where the value (or its key) at a pointer stands; a value nobody wrote stands where the nearest thing around it does. */
export function positionAt(document: Located, pointer: string, which: 'key' | 'value' = 'value'): Position {
  let here = pointer
  for (;;) {
    const place = document.places.get(here)
    if (place) {
      const useKey = (which === 'key' || here !== pointer) && place.key
      return positionOf(place.source, useKey ? place.key! : place.value)
    }
    if (here === '') return { file: document.source.file, line: 1, column: 1 }
    here = here.slice(0, here.lastIndexOf('/'))
  }
}

/** Line and column of a span of offsets; `endColumn` only when the span ends on its first line. */
export function positionOf(source: Source, [start, end]: readonly [number, number]): Position {
  const line = lineOf(source, start)
  const from = source.lineStarts[line]!
  const position: Position = { file: source.file, line: line + 1, column: start - from + 1 }
  const next = source.lineStarts[line + 1] ?? source.text.length + 1
  if (end > start && end < next) position.endColumn = end - from + 1
  return position
}

export function makeSource(file: string, text: string): Source {
  const lineStarts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1)
  return { file, text, lineStarts }
}

function lineOf(source: Source, offset: number): number {
  let low = 0
  let high = source.lineStarts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (source.lineStarts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** Writes down that what stands below `from` also stands below `to`: what an override or a short form puts there keeps its own line. */
export function copyPlaces(
  read: ReadonlyMap<string, Place>,
  write: Map<string, Place>,
  value: unknown,
  from: string,
  to: string,
): void {
  const place = read.get(from)
  if (place) write.set(to, place)
  if (value === null || typeof value !== 'object') return
  for (const key of Object.keys(value)) {
    const step = pointerOf([key])
    copyPlaces(read, write, (value as Record<string, unknown>)[key], from + step, to + step)
  }
}
