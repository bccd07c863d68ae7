import type { Filter, Literal, SubjectAttribute } from './types.ts'

const MARKS = { eq: '=', ne: '<>', lt: '<', le: '<=', gt: '>', ge: '>=' } as const
const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/
const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'is', 'null', 'true', 'false', 'subject'])

/** The condition as text that parses to an equal condition. */
export function printFilter(filter: Filter): string {
  switch (filter.op) {
    case 'and':
    case 'or':
      return filter.args
        .map((arg) => (arg.op === 'and' || arg.op === 'or' ? `(${printFilter(arg)})` : printFilter(arg)))
        .join(` ${filter.op} `)
    case 'not':
      return printNot(filter.arg)
    case 'in':
      return `${column(filter.column)} in ${set(filter.values)}`
    case 'is-null':
      return `${column(filter.column)} is null`
    default:
      return `${column(filter.column)} ${MARKS[filter.op]} ${operand(filter.value)}`
  }
}

function printNot(arg: Filter): string {
  if (arg.op === 'in') return `${column(arg.column)} not in ${set(arg.values)}`
  if (arg.op === 'is-null') return `${column(arg.column)} is not null`
  return arg.op === 'and' || arg.op === 'or' ? `not (${printFilter(arg)})` : `not ${printFilter(arg)}`
}

function set(values: Literal[] | SubjectAttribute): string {
  return Array.isArray(values) ? `(${values.map(literal).join(', ')})` : `subject.${values.subject}`
}

function operand(value: Literal | SubjectAttribute): string {
  return typeof value === 'object' ? `subject.${value.subject}` : literal(value)
}

function column(name: string): string {
  return PLAIN.test(name) && !KEYWORDS.has(name.toLowerCase()) ? name : `"${name.replaceAll('"', '""')}"`
}

function literal(value: Literal): string {
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
