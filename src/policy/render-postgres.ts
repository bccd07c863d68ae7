import { fail } from '../core/fail.ts'
import { ident, literal } from '../sql/quote.ts'
import type { Exemption, Filter, Literal, Mask, ProductRole, RowFilter, SubjectAttribute } from './types.ts'

export type FilterSql = {
  /** SQL that gives the reader's attribute as text[]: a subquery without outer references, so PostgreSQL evaluates it once per statement (InitPlan) */
  attribute(name: string): string
  /** logical type of a column; without it a column is taken for text */
  type?(column: string): string | undefined
}

export type ExemptionSql = FilterSql & {
  /** SQL that says whether the reader has a role of the product, evaluated once per statement */
  role(role: ProductRole): string
}

export type MaskSql = ExemptionSql & {
  /** logical type of the masked column */
  logicalType: string
  /** SQL that gives the keyed HMAC of a text expression (or the column stored at build) */
  hash(textSql: string): string
}

const MARKS = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' } as const

/**
 * A condition for USING (…) of a policy.
 * @example renderFilter(filter, { attribute: (name) => `SELECT a.vals FROM heddle.attribute a WHERE a.role = current_user AND a.name = ${literal(name)}` })
 *   → `"facility_id" = ANY ((SELECT a.vals …)::text[])`
 */
export function renderFilter(filter: Filter, sql: FilterSql): string {
  switch (filter.op) {
    case 'and':
    case 'or':
      if (filter.args.length === 0) return filter.op === 'and' ? 'true' : 'false'
      return `(${filter.args.map((arg) => renderFilter(arg, sql)).join(filter.op === 'and' ? ' AND ' : ' OR ')})`
    case 'not':
      return `(NOT ${renderFilter(filter.arg, sql)})`
    case 'is-null':
      return `(${ident(filter.column)} IS NULL)`
    case 'in':
      return renderIn(filter.column, filter.values, sql)
    default:
      return renderComparison(filter.op, filter.column, filter.value, sql)
  }
}

/** Exempt readers see every row. */
export function renderRowFilter(filter: RowFilter, sql: ExemptionSql): string {
  const condition = renderFilter(filter.condition, sql)
  return filter.exempt.length === 0 ? condition : `(${renderExemptions(filter.exempt, sql)} OR ${condition})`
}

/** The column as a served view selects it, without an alias. `columnSql` is an expression of ours, such as `t."birth_date"`. */
export function renderMask(mask: Mask, columnSql: string, sql: MaskSql): string {
  const masked = renderMethod(mask, columnSql, sql)
  return mask.exempt.length === 0
    ? masked
    : `CASE WHEN ${renderExemptions(mask.exempt, sql)} THEN ${columnSql} ELSE ${masked} END`
}

function renderMethod(mask: Mask, column: string, { logicalType, hash }: MaskSql): string {
  const { arguments: given } = mask
  switch (mask.method) {
    case 'null':
      // Keeps the column's type, whatever it is.
      return `CASE WHEN false THEN ${column} END`
    case 'constant':
      return cast(literal(given.value ?? null), logicalType)
    case 'hash':
      return hash(`${column}::text`)
    case 'regex':
      return `regexp_replace(${column}, ${literal(String(given.pattern))}, ${literal(String(given.replacement).replaceAll('\\', '\\\\'))}, 'g')`
    case 'round':
      return renderRound(mask, column, logicalType)
    default:
      return mask.method satisfies never
  }
}

function renderRound({ name, arguments: { precision } }: Mask, column: string, logicalType: string): string {
  if (precision === 'year' || precision === 'month') {
    if (logicalType === 'date') return `date_trunc(${literal(precision)}, ${column})::date`
    // In UTC: else a reader could move the boundary with its own time zone and see on which side the value lies.
    if (logicalType === 'timestamp') return `(date_trunc(${literal(precision)}, ${column} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')`
  }
  if (typeof precision === 'number' && precision > 0) {
    const step = literal(precision)
    if (logicalType === 'integer') return `(${column} - ((${column} % ${step}) + ${step}) % ${step})`
    if (logicalType === 'number') return `(floor(${column} / ${step}) * ${step})`
  }
  throw fail('POLICY_MASK_INVALID', { what: `The mask ${name} cannot round a ${logicalType} to ${String(precision)}` })
}

function renderIn(column: string, values: Literal[] | SubjectAttribute, sql: FilterSql): string {
  if (!Array.isArray(values)) return `(${textOf(column, sql)} = ANY ((${sql.attribute(values.subject)})::text[]))`
  if (values.length === 0) return 'false'
  return `(${ident(column)} IN (${values.map((value) => literal(value)).join(', ')}))`
}

function renderComparison(op: keyof typeof MARKS, column: string, value: Literal | SubjectAttribute, sql: FilterSql): string {
  if (typeof value === 'object') {
    if (op === 'eq') return renderIn(column, value, sql)
    if (op === 'ne') return `(NOT ${renderIn(column, value, sql)})`
    throw fail('POLICY_FILTER_INVALID', { what: `${column} is ordered against subject.${value.subject}, which is a list` })
  }
  const ordered = op !== 'eq' && op !== 'ne'
  // Order of texts must not hang on the database's locale.
  const left = ordered && typeof value === 'string' && isText(column, sql) ? `${ident(column)} COLLATE "C"` : ident(column)
  return `(${left} ${MARKS[op]} ${literal(value)})`
}

function renderExemptions(exempt: readonly Exemption[], sql: ExemptionSql): string {
  const conditions = exempt.map((one) =>
    'role' in one
      ? `(${sql.role(one.role)})`
      : `coalesce(${literal(one.equals)} = ANY ((${sql.attribute(one.attribute)})::text[]), false)`,
  )
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' OR ')})`
}

function isText(column: string, sql: FilterSql): boolean {
  return (sql.type?.(column) ?? 'string') === 'string'
}

function textOf(column: string, sql: FilterSql): string {
  return isText(column, sql) ? ident(column) : `${ident(column)}::text`
}

function cast(value: string, logicalType: string): string {
  const types: Record<string, string> = {
    string: 'text',
    integer: 'bigint',
    number: 'numeric',
    boolean: 'boolean',
    date: 'date',
    timestamp: 'timestamptz',
  }
  return Object.hasOwn(types, logicalType) ? `${value}::${types[logicalType]}` : value
}
