import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import { columnsOf, type LiteralUse, literalsOf } from '../../policy/columns.ts'
import { parseFilter } from '../../policy/parse.ts'
import { positionOf } from '../located.ts'
import { maskEdit, maskFor } from '../mask-edit.ts'
import { didYouMean } from '../nearest.ts'
import { type Plain, record, records, strings, text } from '../plain.ts'
import { isAtLeast, isFiltered, isMasked, looksPersonal } from '../sensitivity.ts'
import type { Column, OutputPort } from '../types.ts'
import { type ComponentView, componentsOf } from '../view.ts'
import { at, atPart, errorAt, type Rule, type RuleInput, warningAt } from './rule.ts'

/** SEC01 personal data is protected; SEC03 filters and masks fit their columns. */
export const protectionRules: Rule = {
  ids: ['SEC01', 'SEC03'],
  check(input) {
    const found: Diagnostic[] = []
    for (const component of componentsOf(input.document)) {
      const port = input.spec.outputs.find((candidate) => candidate.name === component.name)
      // An API port with a source has the contract, masks and filters of that source.
      if (!port || typeof component.properties.source === 'string') continue
      const view = componentsOf(input.expanded).find((candidate) => candidate.pointer === component.pointer) ?? component
      found.push(...unprotected(input, port, view))
      for (const trait of component.traits.filter((one) => one.type === 'data-policy')) {
        const written = { ...input, expanded: input.document }
        found.push(...filtersOf(written, port, trait.properties, `${trait.pointer}/properties/rowFilters`))
        found.push(...masksOf(written, port, trait.properties, `${trait.pointer}/properties/columnMasks`))
      }
    }
    return found
  },
}

function unprotected(input: RuleInput, port: OutputPort, component: ComponentView): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const object of port.objects)
    for (const column of object.columns) {
      const name = `${object.name}.${column.name}`
      const where = atPart(input, column, '/name')
      const masked = isMasked(port, object.name, column.name)
      if (column.tags.includes('pii') && !masked) {
        const mask = maskFor(object.name, column, component)
        // A mask that is there already and lets consumers through is a decision to look at.
        const isNew = !port.masks.some((one) => one.object === object.name && one.column === column.name)
        const edit = isNew ? maskEdit(input.expanded, component, mask) : null
        found.push({
          ...errorAt('SPEC_PII_UNMASKED', where, {
            what: `${name} is tagged pii and consumers would read it as it is`,
            why: 'a column with personal data needs a mask for consumers',
            fix: `Add to data-policy columnMasks: {name: ${mask.name}, columns: [${name}], method: ${mask.method}}`,
          }),
          ...(edit && { edits: [edit] }),
        })
      } else if (
        (column.tags.includes('phi') || isAtLeast(column.classification, 'restricted')) &&
        !masked &&
        !isFiltered(port, object.name)
      )
        found.push(
          errorAt('SPEC_PII_UNMASKED', where, {
            what: `${name} is ${column.tags.includes('phi') ? 'tagged phi' : 'restricted'} and has neither mask nor row filter`,
            why: 'every consumer would read every value',
            fix: 'Add a mask for the column or a row filter for the object to data-policy.',
          }),
        )
      if (looksPersonal(object.name, column) && !column.tags.some((tag) => ['pii', 'phi', 'not-pii'].includes(tag)))
        found.push(
          warningAt('SPEC_PII_UNTAGGED', where, {
            what: `${name} looks like personal data but is not tagged`,
            fix: 'Add tags: [pii], or tags: [not-pii] when it is none.',
          }),
        )
    }
  return found
}

function filtersOf(input: RuleInput, port: OutputPort, properties: Plain, pointer: string): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const [i, filter] of records(properties.rowFilters).entries()) {
    const base = `${pointer}/${i}`
    const wanted = filter.object === undefined ? '*' : text(filter.object)
    const objects = port.objects.filter((object) => wanted === '*' || object.name === wanted)
    found.push(...exemptionsOf(input, filter, base))
    if (objects.length === 0 && wanted !== '')
      found.push(
        errorAt('SPEC_REFERENCE_UNKNOWN', at(input, `${base}/object`), {
          what: `The port ${port.name} has no object ${wanted}`,
          fix:
            didYouMean(
              wanted,
              port.objects.map((object) => object.name),
            ) ?? 'Use an object of the port, or *.',
        }),
      )
    if (typeof filter.condition !== 'string') continue
    const parsed = parseFilter(filter.condition)
    if (!parsed.ok) {
      found.push(
        errorAt('POLICY_FILTER_INVALID', insideOf(input, `${base}/condition`, filter.condition, parsed.offset), {
          what: `The row filter ${text(filter.name)} cannot be read: ${parsed.message}`,
          fix: 'Write a condition such as facility_id in subject.facility_ids',
        }),
      )
      continue
    }
    for (const object of objects) {
      const names = object.columns.map((column) => column.name)
      for (const name of columnsOf(parsed.filter).filter((one) => !names.includes(one)))
        found.push(
          errorAt(
            'POLICY_FILTER_INVALID',
            insideOf(input, `${base}/condition`, filter.condition, Math.max(0, filter.condition.indexOf(name))),
            {
              what: `The row filter ${text(filter.name)} names ${name}, which ${object.name} does not have`,
              fix: didYouMean(name, names) ?? `Use a column of ${object.name}.`,
            },
          ),
        )
      for (const use of literalsOf(parsed.filter)) {
        const column = object.columns.find((candidate) => candidate.name === use.column)
        const problem = column && literalProblem(column, use)
        if (problem)
          found.push(
            errorAt('POLICY_FILTER_INVALID', at(input, `${base}/condition`), {
              what: `The row filter ${text(filter.name)}: ${problem}`,
              fix: 'Compare the column with a value of its type.',
            }),
          )
      }
    }
  }
  return found
}

function literalProblem(column: Column, use: LiteralUse): string | null {
  const kind = typeof use.value
  const wanted = { number: 'number', integer: 'number', boolean: 'boolean' }[column.logicalType as string] ?? 'string'
  if (kind !== wanted)
    return `${column.name} is of type ${column.logicalType} and is compared with a ${kind === 'string' ? 'text' : kind}`
  if (['date', 'timestamp'].includes(column.logicalType) && !isDate(use.value))
    return `${column.name} is compared with something that is no date`
  if (['object', 'array', 'time'].includes(column.logicalType))
    return `${column.name} is of type ${column.logicalType}, which cannot be compared`
  return use.op === 'boolean-order' ? `${column.name} is a boolean and has no order` : null
}

const isDate = (value: unknown) =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(value) &&
  !Number.isNaN(Date.parse(value))

/** The place inside a scalar where its text is written as it is; else the whole scalar. */
function insideOf(input: RuleInput, pointer: string, value: string, offset: number): Position {
  const place = input.document.places.get(pointer)
  if (!place) return at(input, pointer)
  const written = place.source.text.slice(...place.value)
  const skip = written === value ? 0 : written.slice(1, -1) === value ? 1 : null
  if (skip === null) return at(input, pointer)
  const start = place.value[0] + skip + offset
  return positionOf(place.source, [
    start,
    Math.max(start + 1, Math.min(place.value[1], start + (/^[A-Za-z0-9_]+/.exec(value.slice(offset))?.[0].length ?? 1))),
  ])
}

function masksOf(input: RuleInput, port: OutputPort, properties: Plain, pointer: string): Diagnostic[] {
  const found: Diagnostic[] = []
  const bad = (where: string, what: string, fix: string) =>
    found.push(errorAt('SPEC_MASK_INVALID', at(input, where), { what, fix }))
  const claimed = new Map<string, string>()
  for (const [i, mask] of records(properties.columnMasks).entries()) {
    const base = `${pointer}/${i}`
    const name = text(mask.name)
    found.push(...exemptionsOf(input, mask, base))
    const explicit = strings(mask.columns)
    const tags = strings(record(mask.match).tags)
    if ((mask.columns === undefined) === (mask.match === undefined))
      bad(`${base}/name`, `The mask ${name} needs either columns or match`, 'Keep one of the two.')
    const all = port.objects.flatMap((object) =>
      object.columns.map((column) => ({ id: `${object.name}.${column.name}`, column })),
    )
    for (const [j, id] of explicit.entries())
      if (!all.some((one) => one.id === id))
        bad(
          `${base}/columns/${j}`,
          `The mask ${name} names ${id}, which the port does not have`,
          didYouMean(
            id,
            all.map((one) => one.id),
          ) ?? 'Write <object>.<column>.',
        )
    const touched = all.filter(({ id, column }) => explicit.includes(id) || column.tags.some((tag) => tags.includes(tag)))
    if (tags.length > 0 && touched.length === 0)
      found.push(
        warningAt('SPEC_MASK_INVALID', at(input, `${base}/match`), {
          what: `The mask ${name} matches no column`,
          fix: 'Tag the columns, or remove the mask.',
        }),
      )
    for (const { id, column } of touched) {
      const specific = explicit.includes(id)
      const key = `${specific ? 'column' : 'tag'} ${id}`
      if (claimed.has(key))
        bad(
          `${base}/name`,
          `The masks ${claimed.get(key)} and ${name} are equally specific about ${id}`,
          'Name the column explicitly in one of them, or remove one.',
        )
      claimed.set(key, name)
      const applied = port.masks.some((one) => one.name === name && `${one.object}.${one.column}` === id)
      const problem = applied ? maskProblem(mask, column) : null
      if (problem) bad(`${base}/${problem.key}`, `The mask ${name} does not fit ${id}: ${problem.what}`, problem.fix)
    }
  }
  return found
}

function maskProblem(mask: Plain, column: Column): { key: string; what: string; fix: string } | null {
  const given = record(mask.arguments)
  const type = column.logicalType
  const method = text(mask.method)
  if (column.primaryKey && method !== 'hash')
    return {
      key: 'method',
      what: `${method} would make keys equal`,
      fix: 'Use hash: equal keys stay equal and different ones different.',
    }
  if (method === 'hash' && type !== 'string')
    return {
      key: 'method',
      what: `hash gives a text and the column is of type ${type}`,
      fix: type === 'date' || type === 'timestamp' ? 'Use null, or round to year or month.' : 'Use null or round.',
    }
  if (method === 'regex') {
    if (type !== 'string')
      return { key: 'method', what: `regex works on texts and the column is of type ${type}`, fix: 'Use null or round.' }
    if (typeof given.pattern !== 'string' || typeof given.replacement !== 'string')
      return {
        key: 'method',
        what: 'regex needs pattern and replacement',
        fix: 'Add arguments: {pattern: ..., replacement: ...}.',
      }
    if (!isRegex(given.pattern))
      return { key: 'arguments/pattern', what: 'the pattern is not a regular expression', fix: 'Correct the pattern.' }
  }
  if (method === 'constant') {
    const wanted = { number: 'number', integer: 'number', boolean: 'boolean' }[type as string] ?? 'string'
    if (given.value === undefined) return { key: 'method', what: 'constant needs a value', fix: 'Add arguments: {value: ...}.' }
    const fits =
      typeof given.value === wanted &&
      (type !== 'integer' || Number.isSafeInteger(given.value)) &&
      (!['date', 'timestamp'].includes(type) || isDate(given.value))
    if (!fits || ['object', 'array', 'time'].includes(type))
      return { key: 'arguments/value', what: `the value is no ${type}`, fix: `Write a value of type ${type}.` }
  }
  if (method === 'round') {
    const dates = type === 'date' || type === 'timestamp'
    const numbers = type === 'number' || type === 'integer'
    if (!dates && !numbers)
      return {
        key: 'method',
        what: `round works on dates and numbers and the column is of type ${type}`,
        fix: 'Use hash or null.',
      }
    const fits = dates ? given.precision === 'year' || given.precision === 'month' : typeof given.precision === 'number'
    if (!fits)
      return {
        key: given.precision === undefined ? 'method' : 'arguments/precision',
        what: `round of a ${type} needs a precision`,
        fix: dates ? 'Add arguments: {precision: year} or month.' : 'Add arguments: {precision: 10}, 100 or 1000.',
      }
  }
  return null
}

function exemptionsOf(input: RuleInput, owner: Plain, base: string): Diagnostic[] {
  return records(owner.exempt).flatMap((one, i) => {
    const byRole = one.role !== undefined
    const byAttribute = one.attribute !== undefined && one.equals !== undefined
    if (byRole !== byAttribute && (byRole ? one.attribute === undefined && one.equals === undefined : true)) return []
    return [
      errorAt('SPEC_MASK_INVALID', at(input, `${base}/exempt/${i}`), {
        what: 'An exemption names either a role or an attribute with its value',
        fix: 'Write {role: owner} or {attribute: clearance, equals: network-wide}.',
      }),
    ]
  })
}

function isRegex(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u')
    return true
  } catch {
    return false
  }
}
