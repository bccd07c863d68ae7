import type { PageRead, PortBoundary, PortCondition, PortOrder, PortRead, PortType } from '../../platform/port-read.ts'
import { ident, literal } from '../../sql/quote.ts'

export type Statement = { text: string; values: string[] }
/** Writes a checked text as a value of a type: as a parameter where there can be some. */
type Write = (text: string, type: PortType) => string

const MARKS = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=', like: 'LIKE' } as const
/** Tells rows apart that have no key: equal ones are interchangeable. Qualified, so that no column can take the alias's place. */
const WHOLE_ROW = `encode(sha256(convert_to((t.*)::text, 'UTF8')), 'hex') COLLATE "C"`

/** One page and one row more, with the values of its order behind the selected columns. */
export function pageSql(schema: string, read: PageRead): Statement {
  const values: string[] = []
  const write: Write = (text, type) => {
    values.push(text)
    return `$${values.length}::${typeSql(type)}`
  }
  const order = orderOf(read)
  const conditions = read.where.map((condition) => conditionSql(condition, write))
  if (read.after) conditions.push(boundarySql(order, read.after, write))
  const text = [
    `SELECT ${[...read.select.map(columnSql), ...order.map(({ sql }) => sql)].join(', ')}`,
    `FROM ${ident(schema)}.${ident(read.object)} AS t`,
    ...(conditions.length > 0 ? [`WHERE ${conditions.join(' AND ')}`] : []),
    `ORDER BY ${order.map(({ sql, descending }) => `${sql} ${descending ? 'DESC' : 'ASC'}`).join(', ')}`,
    `LIMIT ${literal(read.limit + 1)} OFFSET ${literal(read.after?.seen ?? 0)}`,
  ].join(' ')
  return { text, values }
}

/** COPY takes no parameters: the values, checked against their types, stand in it as quoted literals. */
export function csvSql(schema: string, read: PortRead & { limit: number | null }): string {
  const write: Write = (text, type) => `${literal(text)}::${typeSql(type)}`
  const query = [
    `SELECT ${read.select.map(columnSql).join(', ')}`,
    `FROM ${ident(schema)}.${ident(read.object)} AS t`,
    ...(read.where.length > 0 ? [`WHERE ${read.where.map((condition) => conditionSql(condition, write)).join(' AND ')}`] : []),
    ...(read.order.length > 0
      ? [
          `ORDER BY ${read.order.map(({ column, descending }) => `${columnSql(column)} ${descending ? 'DESC' : 'ASC'}`).join(', ')}`,
        ]
      : []),
    ...(read.limit === null ? [] : [`LIMIT ${literal(read.limit)}`]),
  ].join(' ')
  return `COPY (${query}) TO STDOUT (FORMAT csv)`
}

/** Written by us and not by COPY: the first bytes of the answer then are those of a row, so what fails before one fails with a clean error. */
export function csvHeader(columns: readonly string[]): string {
  return `${columns.map((name) => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)).join(',')}\n`
}

type OrderPart = { sql: string; type: PortType; descending: boolean }

/** What was asked for, then the key: an order in which no two different rows are equal. */
function orderOf({ order, key }: PageRead): OrderPart[] {
  const rest = key.filter(({ column }) => !order.some((part) => part.column === column))
  const parts = [...order, ...rest].map(({ column, ...part }: PortOrder) => ({ ...part, sql: columnSql(column) }))
  return key.length > 0 ? parts : [...parts, { sql: WHOLE_ROW, type: 'text', descending: false }]
}

/** Rows from the boundary on, itself included: those seen already are skipped by number. NULL comes last, or first when descending. */
function boundarySql(order: readonly OrderPart[], { values }: PortBoundary, write: Write): string {
  return order.reduceRight<string>((within, { sql, type, descending }, index) => {
    const value = values[index] ?? null
    if (value === null)
      return descending ? `(${sql} IS NOT NULL OR (${sql} IS NULL AND ${within}))` : `(${sql} IS NULL AND ${within})`
    const [after, equal] = [write(value, type), write(value, type)]
    const beyond = descending ? `${sql} < ${after}` : `(${sql} > ${after} OR ${sql} IS NULL)`
    return `(${beyond} OR (${sql} = ${equal} AND ${within}))`
  }, 'true')
}

function conditionSql(condition: PortCondition, write: Write): string {
  const column = columnSql(condition.column)
  switch (condition.op) {
    case 'null':
      return `${column} IS NULL`
    case 'not-null':
      return `${column} IS NOT NULL`
    case 'in':
      return `${column} IN (${condition.values.map((value) => write(value, condition.type)).join(', ')})`
    default:
      return `${column} ${MARKS[condition.op]} ${write(condition.value, condition.type)}`
  }
}

function columnSql(name: string): string {
  return `t.${ident(name)}`
}

/** From the closed list, never from the request. */
function typeSql(type: PortType): string {
  return type === 'character varying' ? 'text' : type === 'character' ? 'bpchar' : type
}
