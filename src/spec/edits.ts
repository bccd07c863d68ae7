import type { Diagnostic, TextEdit } from '../core/diagnostic.ts'
import { type Located, makeSource, positionOf, type Source } from './located.ts'

/** The value (or key) at a pointer written anew; null unless it stands there, on one line, as `from` with or without quotes. */
export function rewriteOf(
  document: Located,
  pointer: string,
  from: string,
  to: string,
  which: 'key' | 'value' = 'value',
): TextEdit[] | null {
  const place = document.places.get(pointer)
  const span = place?.[which]
  if (!place || !span) return null
  const written = place.source.text.slice(...span)
  const isAsRead = written === from || (/^(["']).*\1$/.test(written) && written.slice(1, -1) === from)
  return isAsRead ? [{ at: positionOf(place.source, span), text: to }] : null
}

/** Text put in at an offset. */
export function insertionAt(source: Source, offset: number, text: string): TextEdit {
  const { endColumn: _, ...at } = positionOf(source, [offset, offset])
  return { at, text }
}

export type Repair = { texts: Record<string, string>; applied: Diagnostic[] }

/**
 * Makes the edits of the diagnostics in the texts, each diagnostic's together or not at all. Of two that touch the same place the first is made; the other
 * is for the next check. A file that is not among the texts is not written.
 */
export function applyEdits(texts: Readonly<Record<string, string>>, diagnostics: readonly Diagnostic[]): Repair {
  const sources = new Map(Object.entries(texts).map(([file, text]) => [file, makeSource(file, text)]))
  const taken: Span[] = []
  const applied: Diagnostic[] = []
  for (const diagnostic of diagnostics) {
    const spans = (diagnostic.edits ?? []).map((edit) => spanOf(sources, edit))
    if (spans.length === 0 || !spans.every((span) => span !== null)) continue
    if (spans.some((span) => taken.some((other) => touches(span, other)))) continue
    taken.push(...spans)
    applied.push(diagnostic)
  }
  const changed = { ...texts }
  // From the end, so that what is in front keeps its place.
  for (const { file, start, end, text } of taken.sort((a, b) => b.start - a.start))
    changed[file] = changed[file]!.slice(0, start) + text + changed[file]!.slice(end)
  return { texts: changed, applied }
}

type Span = { file: string; start: number; end: number; text: string }

function spanOf(sources: ReadonlyMap<string, Source>, { at, text }: TextEdit): Span | null {
  const source = sources.get(at.file)
  const from = source?.lineStarts[at.line - 1]
  if (source === undefined || from === undefined) return null
  const start = from + at.column - 1
  return { file: at.file, start, end: at.endColumn === undefined ? start : from + at.endColumn - 1, text }
}

function touches(a: Span, b: Span): boolean {
  return a.file === b.file && a.start <= b.end && b.start <= a.end
}
