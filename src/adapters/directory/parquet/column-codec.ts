import type { SchemaElement } from 'hyparquet'
import type { ExportedColumn } from '../../../platform/warehouse.ts'
import { daysOf, microsOf, textOfDays, textOfMicros } from './calendar.ts'

/** What Parquet stores for a column, and the two ways between it and PostgreSQL's text (UTC, ISO dates). Every text comes back as it was. */
export type ColumnCodec = {
  element: SchemaElement
  /** false: no dictionary, which would take -0 for 0 */
  dictionary: boolean
  encode(text: string): unknown
  decode(stored: unknown): string
}
type Kind = Omit<ColumnCodec, 'element' | 'dictionary'> & {
  store: Omit<SchemaElement, 'name' | 'repetition_type'>
  dictionary?: false
}

const bytes = new TextEncoder()
// a byte order mark belongs to the text
const text = new TextDecoder('utf-8', { ignoreBOM: true })
/** numeric(p,s) can hold NaN, a DECIMAL of 18 digits cannot: the least integer of 64 bits stands for it, far outside of 18 digits. */
const NAN = -(2n ** 63n)
const DECIMAL = /^numeric\((\d+),(\d+)\)$/

const STRING: Kind = {
  store: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  encode: (value) => value,
  decode: (stored) => (typeof stored === 'string' ? stored : text.decode(stored as Uint8Array)),
}
const INTEGER: Kind = { store: { type: 'INT32' }, encode: Number, decode: String }
const KINDS: Readonly<Record<string, Kind>> = {
  boolean: {
    store: { type: 'BOOLEAN' },
    encode: (value) => value === 't',
    decode: (stored) => (stored === true ? 't' : 'f'),
  },
  smallint: INTEGER,
  integer: INTEGER,
  bigint: { store: { type: 'INT64' }, encode: BigInt, decode: String },
  real: { store: { type: 'FLOAT' }, dictionary: false, encode: Number, decode: textOfNumber },
  'double precision': { store: { type: 'DOUBLE' }, dictionary: false, encode: Number, decode: textOfNumber },
  date: {
    store: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
    encode: daysOf,
    decode: (stored) => textOfDays(stored as number),
  },
  'timestamp without time zone': timestamp(false),
  'timestamp with time zone': timestamp(true),
  uuid: {
    store: { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } },
    encode: (value) => value,
    decode: String,
  },
  json: json(),
  jsonb: json(),
  bytea: {
    store: { type: 'BYTE_ARRAY' },
    encode: (value) => new Uint8Array(Buffer.from(value.slice(2), 'hex')),
    decode: (stored) => `\\x${Buffer.from(stored as Uint8Array).toString('hex')}`,
  },
}

/** Types without a fitting one in Parquet, like arrays and intervals, are stored as PostgreSQL's own text. */
export function codecOf({ name, type, required }: ExportedColumn): ColumnCodec {
  const { store, dictionary = true, encode, decode } = KINDS[type] ?? decimal(type) ?? STRING
  const element: SchemaElement = { name, ...store, repetition_type: required ? 'REQUIRED' : 'OPTIONAL' }
  return { element, dictionary, encode, decode }
}

function timestamp(isAdjustedToUTC: boolean): Kind {
  return {
    store: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC, unit: 'MICROS' } },
    encode: microsOf,
    decode: (stored) => textOfMicros(stored as bigint, isAdjustedToUTC),
  }
}

function json(): Kind {
  return {
    store: { type: 'BYTE_ARRAY', logical_type: { type: 'JSON' } },
    encode: (value) => bytes.encode(value),
    decode: (stored) => text.decode(stored as Uint8Array),
  }
}

function decimal(type: string): Kind | null {
  const [, precision, scale] = DECIMAL.exec(type)?.map(Number) ?? []
  if (precision === undefined || scale === undefined || precision > 18 || scale > precision) return null
  return {
    store: { type: 'INT64', precision, scale, logical_type: { type: 'DECIMAL', precision, scale } },
    encode: (value) => (value === 'NaN' ? NAN : BigInt(value.replace('.', ''))),
    decode(stored) {
      const unscaled = stored as bigint
      if (unscaled === NAN) return 'NaN'
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
      const point = digits.length - scale
      return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ''}`
    },
  }
}

function textOfNumber(stored: unknown): string {
  return Object.is(stored, -0) ? '-0' : String(stored)
}
