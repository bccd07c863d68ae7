import { createHmac } from 'node:crypto'
import type { Exemption, Filter, Literal, Mask, ProductRole, RowFilter, SubjectAttribute } from './types.ts'

export type Row = Readonly<Record<string, Literal | null>>
/** A reader: the roles it has of the product, and its attributes. */
export type PolicySubject = { roles: readonly ProductRole[]; attributes: Readonly<Record<string, readonly string[]>> }

/** Three-valued as in SQL: a comparison with null is neither true nor false. */
export function evaluateFilter(filter: Filter, row: Row, subject: PolicySubject): boolean | null {
  switch (filter.op) {
    case 'and':
      return filter.args.reduce<boolean | null>((all, arg) => and(all, evaluateFilter(arg, row, subject)), true)
    case 'or':
      return filter.args.reduce<boolean | null>((any, arg) => not(and(not(any), not(evaluateFilter(arg, row, subject)))), false)
    case 'not':
      return not(evaluateFilter(filter.arg, row, subject))
    case 'is-null':
      return cellOf(row, filter.column) === null
    case 'in':
      return contains(cellOf(row, filter.column), filter.values, subject)
    default:
      return compare(filter.op, cellOf(row, filter.column), filter.value, subject)
  }
}

/** Does the reader see the row? Only what is true passes. */
export function isRowVisible(rowFilters: readonly RowFilter[], row: Row, subject: PolicySubject): boolean {
  return rowFilters.every((filter) => isExempt(filter.exempt, subject) || evaluateFilter(filter.condition, row, subject) === true)
}

/** What the reader sees instead of the value. `key` is the domain's mask key. */
export function maskValue(mask: Mask, value: Literal | null, subject: PolicySubject, key: Uint8Array): Literal | null {
  if (isExempt(mask.exempt, subject)) return value
  if (mask.method === 'constant') return mask.arguments.value ?? null
  if (value === null || mask.method === 'null') return null
  switch (mask.method) {
    case 'hash':
      return createHmac('sha256', key).update(String(value)).digest('hex')
    case 'regex':
      return String(value).replaceAll(new RegExp(String(mask.arguments.pattern), 'gu'), () => String(mask.arguments.replacement))
    case 'round':
      return roundValue(value, mask.arguments.precision)
    default:
      return mask.method satisfies never
  }
}

export function isExempt(exempt: readonly Exemption[], subject: PolicySubject): boolean {
  return exempt.some((one) =>
    'role' in one ? subject.roles.includes(one.role) : attributeOf(subject, one.attribute)?.includes(one.equals) === true,
  )
}

function roundValue(value: Literal, precision: Literal | undefined): Literal | null {
  if (typeof value === 'number' && typeof precision === 'number') return Math.floor(value / precision) * precision
  if (typeof value !== 'string') return null
  const year = value.slice(0, 4)
  return precision === 'year' ? `${year}-01-01` : precision === 'month' ? `${value.slice(0, 7)}-01` : null
}

function contains(value: Literal | null, values: Literal[] | SubjectAttribute, subject: PolicySubject): boolean | null {
  if (Array.isArray(values)) return value === null ? null : values.includes(value)
  const held = attributeOf(subject, values.subject)
  if (held === null) return null
  // An empty list holds nothing, not even null; any other list does not know about null.
  return held.length === 0 ? false : value === null ? null : held.includes(String(value))
}

function compare(
  op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge',
  left: Literal | null,
  right: Literal | SubjectAttribute,
  subject: PolicySubject,
): boolean | null {
  if (typeof right === 'object') {
    const found = contains(left, right, subject)
    return op === 'eq' ? found : op === 'ne' ? not(found) : null
  }
  if (left === null) return null
  switch (op) {
    case 'eq':
      return left === right
    case 'ne':
      return left !== right
    case 'lt':
      return order(left, right) < 0
    case 'le':
      return order(left, right) <= 0
    case 'gt':
      return order(left, right) > 0
    case 'ge':
      return order(left, right) >= 0
    default:
      return op satisfies never
  }
}

/** Texts by code point, as COLLATE "C" orders UTF-8. */
function order(left: Literal, right: Literal): number {
  if (typeof left === 'string' && typeof right === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right))
  return left < right ? -1 : left > right ? 1 : 0
}

function cellOf(row: Row, column: string): Literal | null {
  return Object.hasOwn(row, column) ? row[column]! : null
}

function attributeOf(subject: PolicySubject, name: string): readonly string[] | null {
  return Object.hasOwn(subject.attributes, name) ? subject.attributes[name]! : null
}

function and(a: boolean | null, b: boolean | null): boolean | null {
  return a === false || b === false ? false : a === null || b === null ? null : true
}

function not(value: boolean | null): boolean | null {
  return value === null ? null : !value
}
