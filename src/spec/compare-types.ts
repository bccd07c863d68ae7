import type { Column } from './types.ts'

export type TypeChange = 'same' | 'widened' | 'narrowed' | 'changed'
type Typed = Pick<Column, 'logicalType' | 'physicalType'>

const LOGICAL_ORDER = [
  ['integer', 'number'],
  ['date', 'timestamp'],
] as const
const PHYSICAL_ORDER = [
  ['smallint', 'integer', 'bigint', 'numeric'],
  ['real', 'double precision'],
] as const
const SYNONYMS: Record<string, string> = {
  int: 'integer',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  decimal: 'numeric',
  float4: 'real',
  float8: 'double precision',
  'character varying': 'varchar',
  string: 'text',
  bool: 'boolean',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
}

/** How a column's type changes for a reader: logical types first, then physical ones where both give one. */
export function compareTypes(was: Typed, is: Typed): TypeChange {
  const logical = inOrder(LOGICAL_ORDER, was.logicalType, is.logicalType)
  if (logical !== 'same') return logical
  const before = parsePhysical(was.physicalType)
  const after = parsePhysical(is.physicalType)
  // Giving or dropping an override may or may not change the column: only two overrides can be compared.
  if (!before || !after) return 'same'
  return comparePhysical(before, after)
}

type Physical = { base: string; numbers: number[] }

function parsePhysical(text: string | null): Physical | null {
  const found = text === null ? null : /^\s*([a-z][a-z0-9_ ]*?)\s*(?:\(([\d\s,]+)\))?\s*$/i.exec(text)
  if (!found) return null
  const base = found[1]!.toLowerCase().replaceAll(/\s+/g, ' ')
  return { base: Object.hasOwn(SYNONYMS, base) ? SYNONYMS[base]! : base, numbers: found[2]?.split(',').map(Number) ?? [] }
}

function comparePhysical(was: Physical, is: Physical): TypeChange {
  const text = ['varchar', 'text']
  if (text.includes(was.base) && text.includes(is.base)) return bySize(lengthOf(was), lengthOf(is))
  if (was.base === 'numeric' && is.base === 'numeric') {
    const [a, b] = [digitsOf(was), digitsOf(is)]
    return combine(bySize(a.whole, b.whole), bySize(a.scale, b.scale))
  }
  if (was.base === is.base) return bySize(was.numbers[0] ?? Infinity, is.numbers[0] ?? Infinity)
  return inOrder(PHYSICAL_ORDER, was.base, is.base)
}

function lengthOf(type: Physical): number {
  return type.base === 'text' ? Infinity : (type.numbers[0] ?? Infinity)
}

function digitsOf({ numbers }: Physical): { whole: number; scale: number } {
  const [precision, scale = 0] = numbers
  return precision === undefined ? { whole: Infinity, scale: Infinity } : { whole: precision - scale, scale }
}

function bySize(was: number, is: number): TypeChange {
  return was === is ? 'same' : is > was ? 'widened' : 'narrowed'
}

function combine(a: TypeChange, b: TypeChange): TypeChange {
  return a === 'narrowed' || b === 'narrowed' ? 'narrowed' : a === 'widened' || b === 'widened' ? 'widened' : 'same'
}

function inOrder(orders: readonly (readonly string[])[], was: string, is: string): TypeChange {
  if (was === is) return 'same'
  const order = orders.find((one) => one.includes(was) && one.includes(is))
  return order ? bySize(order.indexOf(was), order.indexOf(is)) : 'changed'
}
