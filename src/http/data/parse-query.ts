import type { Comparison, PortCondition, PortOrder, PortType } from '../../platform/port-read.ts'
import { PORT_TYPES } from '../../platform/port-read.ts'
import { didYouMean } from '../../spec/nearest.ts'
import { FORMS, isText, isValue } from './check-value.ts'
import { columnAt, type QueryPair, type QueryText, refuse } from './query-text.ts'

/** `limit` null: none was given. Every name is one of the object's columns, every value fits its type. */
export type PortQuery = {
  select: string[]
  where: PortCondition[]
  order: PortOrder[]
  limit: number | null
  cursor: string | null
  environment: string | null
}
export type QueryColumn = { name: string; type: string }

const MAX_CONDITIONS = 50
const MAX_ORDER = 8
const COMPARISONS: readonly string[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'like'] satisfies Comparison[]
/** Names with a meaning of their own; a column of that name is filtered by in quotes: `"limit"=eq.3`. */
const RESERVED = ['select', 'order', 'limit', 'cursor', 'environment'] as const
type Reserved = (typeof RESERVED)[number]

/** The environment decides which columns there are, so it is read before the rest. */
export function environmentOf(pairs: readonly QueryPair[]): string | null {
  return reservedOf(pairs).get('environment')?.text ?? null
}

/**
 * `select=a,b` · `column=eq.value` (ne lt lte gt gte like), `column=in.(a,b)`, `column=is.null`, `column=not.null` · `order=a.desc,b` · `limit` · `cursor`.
 * A name or a value of a list stands in double quotes when it holds what separates them; `""` is a quote.
 * @throws DATA_QUERY_INVALID, DATA_COLUMN_UNKNOWN, DATA_VALUE_INVALID with the column in the query string
 */
export function parseQuery(pairs: readonly QueryPair[], columns: readonly QueryColumn[], maxLimit: number): PortQuery {
  const reserved = reservedOf(pairs)
  const filters = pairs.filter(({ name }) => !isReserved(name.text))
  if (filters.length > MAX_CONDITIONS)
    throw refuse('DATA_QUERY_INVALID', columnAt(filters[MAX_CONDITIONS]!.name, 0), `More than ${MAX_CONDITIONS} filters`)
  const select = reserved.get('select')
  const order = reserved.get('order')
  const limit = reserved.get('limit')
  return {
    select: select ? parseSelect(select, columns) : columns.map(({ name }) => name),
    where: filters.map((pair) => parseFilter(pair, columns)),
    order: order ? parseOrder(order, columns) : [],
    limit: limit ? parseLimit(limit, maxLimit) : null,
    cursor: reserved.get('cursor')?.text ?? null,
    environment: reserved.get('environment')?.text ?? null,
  }
}

export function comparableType(type: string): PortType | null {
  return (PORT_TYPES as readonly string[]).includes(type) ? (type as PortType) : null
}

function isReserved(name: string): name is Reserved {
  return (RESERVED as readonly string[]).includes(name)
}

function reservedOf(pairs: readonly QueryPair[]): Map<Reserved, QueryText> {
  const found = new Map<Reserved, QueryText>()
  for (const { name, value } of pairs) {
    if (!isReserved(name.text)) continue
    if (found.has(name.text)) throw refuse('DATA_QUERY_INVALID', columnAt(name, 0), `${name.text} is given twice`)
    found.set(name.text, value)
  }
  return found
}

function parseSelect(piece: QueryText, columns: readonly QueryColumn[]): string[] {
  const names: string[] = []
  for (let at = 0; ; at++) {
    const name = readWord(piece, at, ',')
    if (names.includes(name.text)) throw refuse('DATA_QUERY_INVALID', columnAt(piece, at), 'A column is selected twice')
    names.push(needColumn(name.text, columns, columnAt(piece, at)).name)
    at = name.end
    if (at >= piece.text.length) return names
    needMark(piece, at, ',')
  }
}

function parseOrder(piece: QueryText, columns: readonly QueryColumn[]): PortOrder[] {
  const order: PortOrder[] = []
  for (let at = 0; ; at++) {
    const start = columnAt(piece, at)
    const name = readWord(piece, at, ',.')
    const { name: column, type } = needColumn(name.text, columns, start)
    const comparable = comparableType(type)
    if (!comparable) throw refuse('DATA_QUERY_INVALID', start, `Nothing is ordered by a column of type ${type}`)
    if (order.some((part) => part.column === column)) throw refuse('DATA_QUERY_INVALID', start, 'A column is ordered by twice')
    at = name.end
    const way = piece.text[at] === '.' ? readWord(piece, at + 1, ',') : null
    if (way && way.text !== 'asc' && way.text !== 'desc')
      throw refuse('DATA_QUERY_INVALID', columnAt(piece, at + 1), 'An order is asc or desc')
    order.push({ column, type: comparable, descending: way?.text === 'desc' })
    if (order.length > MAX_ORDER) throw refuse('DATA_QUERY_INVALID', start, `Ordered by more than ${MAX_ORDER} columns`)
    at = way?.end ?? at
    if (at >= piece.text.length) return order
    needMark(piece, at, ',')
  }
}

function parseLimit(piece: QueryText, most: number): number {
  const limit = /^\d{1,10}$/.test(piece.text) ? Number(piece.text) : 0
  if (limit >= 1 && limit <= most) return limit
  throw refuse('DATA_QUERY_INVALID', columnAt(piece, 0), `A limit is a whole number from 1 to ${most}`)
}

function parseFilter({ name, value }: QueryPair, columns: readonly QueryColumn[]): PortCondition {
  const word = readWord(name, 0, '')
  const { name: column, type } = needColumn(word.text, columns, columnAt(name, 0))
  if (value.text === 'is.null') return { column, op: 'null' }
  if (value.text === 'not.null') return { column, op: 'not-null' }
  const dot = value.text.indexOf('.')
  const op = value.text.slice(0, Math.max(dot, 0))
  if (op !== 'in' && !COMPARISONS.includes(op))
    throw refuse(
      'DATA_QUERY_INVALID',
      columnAt(value, 0),
      'A filter has no operator the port knows',
      'Write eq. ne. lt. lte. gt. gte. like. before the value, or in.(a,b), is.null, not.null.',
    )
  const comparable = comparableType(type)
  if (!comparable)
    throw refuse('DATA_QUERY_INVALID', columnAt(value, 0), `A column of type ${type} is tested by is.null and not.null only`)
  if (op === 'in') return { column, type: comparable, op: 'in', values: parseList(value, dot + 1, comparable) }
  const text = value.text.slice(dot + 1)
  const at = columnAt(value, dot + 1)
  if (op === 'like') {
    if (!isText(comparable)) throw refuse('DATA_QUERY_INVALID', columnAt(value, 0), `like is for texts, not for ${type}`)
    // PostgreSQL refuses a pattern that ends in the middle of an escape.
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(text)) throw refuse('DATA_VALUE_INVALID', at, 'A pattern ends with a lone backslash')
  }
  return { column, type: comparable, op: op as Comparison, value: needValue(text, comparable, at) }
}

function parseList(piece: QueryText, from: number, type: PortType): string[] {
  needMark(piece, from, '(')
  const values: string[] = []
  for (let at = from + 1; ; at++) {
    const start = columnAt(piece, at)
    const word = readWord(piece, at, ',)')
    values.push(needValue(word.text, type, start))
    at = word.end
    if (piece.text[at] === ',') continue
    needMark(piece, at, ')')
    if (at + 1 < piece.text.length) throw refuse('DATA_QUERY_INVALID', columnAt(piece, at + 1), 'Something follows the list')
    return values
  }
}

function needValue(text: string, type: PortType, column: number): string {
  if (isValue(text, type)) return text
  throw refuse('DATA_VALUE_INVALID', column, `A value does not fit its column of type ${type}`, `Write ${FORMS[type]}.`)
}

function needColumn<C extends QueryColumn>(name: string, columns: readonly C[], at: number): C {
  const found = columns.find((column) => column.name === name)
  if (found) return found
  const names = columns.map((column) => column.name)
  throw refuse(
    'DATA_COLUMN_UNKNOWN',
    at,
    'There is no such column',
    didYouMean(name, names) ?? `Columns: ${names.slice(0, 40).join(', ')}.`,
  )
}

function needMark(piece: QueryText, at: number, mark: string): void {
  if (piece.text[at] !== mark) throw refuse('DATA_QUERY_INVALID', columnAt(piece, at), `Here "${mark}" is expected`)
}

/** A word up to one of `stops`, or one in double quotes. @returns where it ends, the closing quote included */
function readWord(piece: QueryText, from: number, stops: string): { text: string; end: number } {
  const { text } = piece
  if (text[from] !== '"') {
    let end = from
    while (end < text.length && !stops.includes(text[end]!)) end++
    return { text: text.slice(from, end), end }
  }
  let word = ''
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] !== '"') word += text[at]
    else if (text[at + 1] === '"') {
      word += '"'
      at++
    } else {
      if (stops === '' && at + 1 < text.length)
        throw refuse('DATA_QUERY_INVALID', columnAt(piece, at + 1), 'Something follows the quoted name')
      return { text: word, end: at + 1 }
    }
  }
  throw refuse('DATA_QUERY_INVALID', columnAt(piece, from), 'A quote is not closed')
}
