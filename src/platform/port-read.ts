import type { Readable } from 'node:stream'
import type { PortPlace } from './warehouse.ts'

/** A served port as its readers meet it: types as the warehouse names them, without modifiers. `publication` counts what was published under the name. */
export type PortShape = {
  publication: number
  publishedAt: string
  objects: { name: string; columns: { name: string; type: string; masked: boolean }[] }[]
}

export type Comparison = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'like'
/** Values are texts that were checked against the column's type. */
export type PortCondition =
  | { column: string; type: PortType; op: Comparison; value: string }
  | { column: string; type: PortType; op: 'in'; values: string[] }
  | { column: string; op: 'null' | 'not-null' }

/** Types a value can be compared in. A column of any other type is shown and tested for null only. */
export const PORT_TYPES = [
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'real',
  'double precision',
  'boolean',
  'text',
  'character varying',
  'character',
  'date',
  'timestamp with time zone',
  'timestamp without time zone',
  'time without time zone',
  'uuid',
] as const
export type PortType = (typeof PORT_TYPES)[number]

export type PortOrder = { column: string; type: PortType; descending: boolean }

/** Where a page ended: the order's values of its last row, and how many rows with these very values were handed out so far. */
export type PortBoundary = { values: (string | null)[]; seen: number }

/** Names only from the port's shape. Rows are read in the subject's own session, so masks and row filters are the warehouse's. */
export type PortRead = {
  subject: string
  at: PortPlace
  /** the one the request was made for */
  publication: number
  object: string
  select: string[]
  where: PortCondition[]
  order: PortOrder[]
  signal: AbortSignal
}
export type PageRead = PortRead & {
  /** columns that tell rows apart; without them all of a row does */
  key: PortOrder[]
  limit: number
  after: PortBoundary | null
}
/** Values as the warehouse writes them: dates ISO 8601, times in UTC, numbers in full. */
export type Page = { publication: number; publishedAt: string; rows: (string | null)[][]; next: PortBoundary | null }
export type PortCsv = { publication: number; publishedAt: string; csv: Readable }
