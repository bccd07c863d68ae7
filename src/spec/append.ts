import { stringify } from 'yaml'
import type { TextEdit } from '../core/diagnostic.ts'
import { insertionAt } from './edits.ts'
import { type Located, type Place, pathOf, pointerOf, type Source, valueAt } from './located.ts'
import { array, record } from './plain.ts'

/** The edit that adds an entry at the end of a list, in the form its other entries have. Null where the list is not written out there. */
export function appendItem(document: Located, pointer: string, item: unknown): TextEdit | null {
  const list = writtenAt(document, pointer)
  const count = array(valueAt(document, pathOf(pointer))).length
  if (!list) return null
  const last = document.places.get(`${pointer}/${count - 1}`)
  if (list.form === 'flow') return appendFlow(list, last, flow(item))
  if (!last || last.source !== list.place.source) return null
  const { source } = last
  const dash = /^([ ]*)-[ ]+$/.exec(lineBefore(source, last.value[0]))
  if (!dash) return null
  const isBlock = source.text[last.value[0]] !== '{' && item !== null && typeof item === 'object' && !Array.isArray(item)
  const written = isBlock
    ? Object.entries(item)
        .map(([key, value]) => `${flow(key)}: ${flow(value)}`)
        .join(`\n${dash[1]}  `)
    : flow(item)
  return appendLine(source, last.value[1], `${dash[1]}- ${written}`)
}

/** The edit that adds a key at the end of a map. Null where the map is not written out there. */
export function appendKey(document: Located, pointer: string, key: string, value: unknown): TextEdit | null {
  const map = writtenAt(document, pointer)
  if (!map) return null
  const written = Object.keys(record(valueAt(document, pathOf(pointer))))
    .map((one) => document.places.get(pointer + pointerOf([one])))
    .filter((place): place is Place => place !== undefined && place.key !== null && place.source === map.place.source)
    // What defaults put in stands nowhere inside the map.
    .filter((place) => place.key![0] >= map.place.value[0] && place.key![0] < map.place.value[1])
    .sort((a, b) => a.value[1] - b.value[1])
  const last = written.at(-1)
  const entry = `${flow(key)}: ${flow(value)}`
  if (map.form === 'flow') return appendFlow(map, last, entry)
  const first = written[0]?.key
  if (!first || !last) return null
  const before = lineBefore(last.source, first[0])
  if (!/^[ ]*(-[ ]+)*$/.test(before)) return null
  return appendLine(last.source, last.value[1], `${' '.repeat(before.length)}${entry}`)
}

type Written = { place: Place; form: 'flow' | 'block' }

function writtenAt(document: Located, pointer: string): Written | null {
  const place = document.places.get(pointer)
  const first = place?.source.text[place.value[0]]
  // An alias stands for a value that others use too.
  if (!place || first === undefined || first === '*' || place.value[0] === place.value[1]) return null
  return { place, form: first === '[' || first === '{' ? 'flow' : 'block' }
}

function appendFlow({ place }: Written, last: Place | undefined, entry: string): TextEdit | null {
  if (!last) return insertionAt(place.source, place.value[0] + 1, entry)
  return last.source === place.source ? insertionAt(place.source, last.value[1], `, ${entry}`) : null
}

/** A line behind the one where the value ends, comments at its end left in place. */
function appendLine(source: Source, valueEnd: number, line: string): TextEdit {
  const eol = source.text.includes('\r\n') ? '\r\n' : '\n'
  const end = source.text.slice(0, valueEnd).trimEnd().length
  const next = source.text.indexOf('\n', end)
  const lineEnd = next < 0 ? source.text.length : source.text[next - 1] === '\r' ? next - 1 : next
  return insertionAt(source, lineEnd, eol + line.replaceAll('\n', eol))
}

function lineBefore(source: Source, offset: number): string {
  return source.text.slice(source.text.lastIndexOf('\n', offset - 1) + 1, offset)
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd()
}
