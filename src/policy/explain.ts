import type { Exemption, Filter, Literal, Mask, RowFilter, SubjectAttribute } from './types.ts'

const WORDS = { eq: 'is', ne: 'is not', lt: 'is less than', le: 'is at most', gt: 'is more than', ge: 'is at least' } as const

/** @example `Readers see only rows of encounter where facility_id is one of their facility_ids. Not for the owner role.` */
export function explainRowFilter(filter: RowFilter): string {
  return `Readers see only rows of ${filter.object} where ${explainFilter(filter.condition)}.${explainExemptions(filter.exempt)}`
}

/** @example `patient.birth_date shows only the year. Not for the owner role.` */
export function explainMask(mask: Mask): string {
  return `${mask.object}.${mask.column} ${explainMethod(mask)}.${explainExemptions(mask.exempt)}`
}

export function explainFilter(filter: Filter): string {
  switch (filter.op) {
    case 'and':
    case 'or':
      if (filter.args.length === 0) return filter.op === 'and' ? 'anything holds' : 'nothing can hold'
      return filter.args.map((arg) => ('args' in arg ? `(${explainFilter(arg)})` : explainFilter(arg))).join(` ${filter.op} `)
    case 'not':
      if (filter.arg.op === 'is-null') return `${filter.arg.column} is known`
      return filter.arg.op === 'in'
        ? `${filter.arg.column} is none of ${listed(filter.arg.values)}`
        : `it is not so that ${explainFilter(filter.arg)}`
    case 'in':
      return `${filter.column} is one of ${listed(filter.values)}`
    case 'is-null':
      return `${filter.column} is unknown`
    default:
      return typeof filter.value === 'object'
        ? `${filter.column} ${WORDS[filter.op]} one of their ${filter.value.subject}`
        : `${filter.column} ${WORDS[filter.op]} ${shown(filter.value)}`
  }
}

function explainMethod(mask: Mask): string {
  switch (mask.method) {
    case 'null':
      return 'is empty'
    case 'constant':
      return `always shows ${shown(mask.arguments.value ?? '')}`
    case 'hash':
      return 'shows a code instead of the value; equal values have equal codes within the domain'
    case 'regex':
      return `shows ${shown(mask.arguments.replacement ?? '')} wherever it matches ${shown(mask.arguments.pattern ?? '')}`
    case 'round':
      return typeof mask.arguments.precision === 'number'
        ? `is cut down to multiples of ${mask.arguments.precision}`
        : `shows only the ${mask.arguments.precision === 'month' ? 'month' : 'year'}`
    default:
      return mask.method satisfies never
  }
}

function explainExemptions(exempt: readonly Exemption[]): string {
  if (exempt.length === 0) return ''
  const who = exempt.map((one) =>
    'role' in one ? `the ${one.role} role` : `subjects whose ${one.attribute} has ${shown(one.equals)}`,
  )
  return ` Not for ${who.join(' or ')}.`
}

function listed(values: Literal[] | SubjectAttribute): string {
  return Array.isArray(values) ? values.map(shown).join(', ') : `their ${values.subject}`
}

function shown(value: Literal): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}
