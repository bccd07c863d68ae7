import type { ErrorCode } from '../../core/errors.ts'
import { fail, type HeddleError } from '../../core/fail.ts'

/** A decoded piece of the query string that knows where each of its characters stood, counted from 1 behind the `?`. */
export type QueryText = { text: string; columns: readonly number[]; end: number }
export type QueryPair = { name: QueryText; value: QueryText }

export const QUERY_LIMIT = 8 * 1024

/** The pairs of a query string as it came over the wire. @throws DATA_QUERY_TOO_LONG, DATA_QUERY_INVALID */
export function splitQuery(raw: string): QueryPair[] {
  if (raw.length > QUERY_LIMIT)
    throw fail('DATA_QUERY_TOO_LONG', { what: `The query has ${raw.length} characters; ${QUERY_LIMIT} are allowed` })
  const pairs: QueryPair[] = []
  let at = 0
  for (const piece of raw.split('&')) {
    const start = at
    at += piece.length + 1
    if (piece === '') continue
    const equals = piece.indexOf('=')
    if (equals < 0) throw refuse('DATA_QUERY_INVALID', start + 1, 'A parameter has no value', 'Write name=value.')
    pairs.push({
      name: decode(piece.slice(0, equals), start + 1),
      value: decode(piece.slice(equals + 1), start + equals + 2),
    })
  }
  return pairs
}

/** What is wrong and where, without repeating what was sent: it may be about a person. */
export function refuse(code: ErrorCode, column: number, what: string, fix?: string): HeddleError {
  return fail(code, { what, at: { file: 'query', line: 1, column }, ...(fix !== undefined && { fix }) })
}

export function columnAt(piece: QueryText, index: number): number {
  return piece.columns[index] ?? piece.end
}

function decode(raw: string, column: number): QueryText {
  let text = ''
  const columns: number[] = []
  for (const part of raw.matchAll(/(?:%[0-9a-fA-F]{2})+|[\s\S]/g)) {
    const at = column + part.index
    if (part[0] === '%')
      throw refuse('DATA_QUERY_INVALID', at, 'A percent sign is not followed by two hex digits', 'Write a percent sign as %25.')
    const decoded = part[0].length === 1 ? (part[0] === '+' ? ' ' : part[0]) : decodeRun(part[0], at)
    // A run of plain letters keeps its places; one that stands for other letters has the place of its beginning.
    const step = decoded.length * 3 === part[0].length ? 3 : 0
    for (let index = 0; index < decoded.length; index++) columns.push(at + index * step)
    text += decoded
  }
  const bad = /\0/.exec(text)
  if (bad || !text.isWellFormed())
    throw refuse('DATA_QUERY_INVALID', columns[bad?.index ?? 0] ?? column, 'A parameter holds NUL or broken Unicode')
  return { text, columns, end: column + raw.length }
}

function decodeRun(run: string, at: number): string {
  try {
    return decodeURIComponent(run)
  } catch {
    throw refuse('DATA_QUERY_INVALID', at, 'A parameter is not UTF-8')
  }
}
