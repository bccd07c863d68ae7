import type { Diagnostic } from '../../core/diagnostic.ts'
import { checkSelect } from '../../sql/read-only.ts'
import { didYouMean } from '../nearest.ts'
import { OPERATORS } from '../normalise-contract.ts'
import { record } from '../plain.ts'
import type { DataObject, QualityRule } from '../types.ts'
import { componentsOf } from '../view.ts'
import { at, atPart, errorAt, type Rule, type RuleInput, warningAt } from './rule.ts'

/** Stands for the relation in a query of a contract. */
const RELATION = `\${object}`

const OF_COLUMNS = new Set(['nullValues', 'missingValues', 'invalidValues', 'duplicateValues'])

/** CON05 quality rules, CON06 keys and ranges, CON07 exactly one contract. */
export const contractRules: Rule = {
  ids: ['CON05', 'CON06', 'CON07'],
  check(input) {
    const found: Diagnostic[] = []
    for (const component of componentsOf(input.document)) {
      const { properties, pointer } = component
      const written = ['contract', 'contractRef'].filter((key) => properties[key] !== undefined)
      const where = at(input, `${pointer}/name`)
      if (component.type === 'data-product-input-port' && properties.version === '*')
        found.push(
          warningAt('SPEC_VERSION_OPEN', at(input, `${pointer}/properties/version`), {
            what: `${component.name} accepts every version of its upstream port`,
            why: 'a breaking change upstream would reach this product unannounced',
            fix: 'Write the range it was tested with, such as "^1.2.0".',
          }),
        )
      if (component.definition?.role === 'input-port' && written.length > 1)
        found.push(
          errorAt('SPEC_CONTRACT_COUNT', at(input, `${pointer}/properties/contractRef`, 'key'), {
            what: `${component.name} has both contract and contractRef`,
            fix: 'Keep one of them.',
          }),
        )
      if (component.definition?.role !== 'output-port') continue
      const inherits = typeof properties.source === 'string'
      if (inherits && written.length > 0)
        found.push(
          errorAt('SPEC_CONTRACT_COUNT', at(input, `${pointer}/properties/${written[0]}`, 'key'), {
            what: `${component.name} has a source and a contract of its own`,
            why: 'an API port with a source inherits the contract',
            fix: `Remove ${written[0]}.`,
          }),
        )
      if (!inherits && written.length === 0)
        found.push(
          errorAt('SPEC_CONTRACT_COUNT', where, {
            what: `The output port ${component.name} has no contract`,
            why: 'consumers would not know what they get',
            fix:
              component.type === 'api-output-port' ? 'Add source:, contract: or contractRef:.' : 'Add contract: or contractRef:.',
          }),
        )
      if (!inherits && written.length > 1)
        found.push(
          errorAt('SPEC_CONTRACT_COUNT', at(input, `${pointer}/properties/contractRef`, 'key'), {
            what: `${component.name} has both contract and contractRef`,
            fix: 'Keep one of them.',
          }),
        )
    }
    for (const port of input.spec.outputs)
      if (port.kind === 'sql')
        for (const object of port.objects) {
          found.push(...keysOf(input, object))
          for (const rule of object.quality) found.push(...qualityOf(input, object, rule))
        }
    for (const port of input.spec.inputs)
      if (port.kind === 'file' && port.contract)
        for (const rule of port.contract.quality) found.push(...qualityOf(input, port.contract, rule))
    return found
  },
}

function keysOf(input: RuleInput, object: DataObject): Diagnostic[] {
  const keys = object.columns.filter((column) => column.primaryKey)
  if (keys.length === 0)
    return [
      warningAt('SPEC_OBJECT_KEYLESS', atPart(input, object, '/name'), {
        what: `${object.name} has no primary key`,
        why: 'consumers cannot join or deduplicate it safely',
        fix: 'Add primaryKey: true to the columns that make a row unique.',
      }),
    ]
  return keys
    .filter((column) => writtenAt(input, column, 'required') === false)
    .map((column) =>
      warningAt('SPEC_OBJECT_KEYLESS', atPart(input, column, '/required'), {
        what: `The key column ${object.name}.${column.name} says required: false`,
        why: 'a key is never null',
        fix: 'Write required: true.',
      }),
    )
}

function writtenAt(input: RuleInput, part: object, key: string): unknown {
  const origin = input.origins.get(part)
  if (!origin) return undefined
  let value: unknown = origin.document.value
  for (const step of origin.pointer.split('/').slice(1))
    value = record(value)[step] ?? (Array.isArray(value) ? value[Number(step)] : undefined)
  return record(value)[key]
}

function qualityOf(input: RuleInput, object: DataObject, rule: QualityRule): Diagnostic[] {
  const found: Diagnostic[] = []
  const bad = (inside: string, what: string, fix: string) =>
    found.push(
      errorAt('SPEC_QUALITY_INVALID', atPart(input, rule, inside), {
        what: `Quality rule ${rule.id} of ${object.name}: ${what}`,
        fix,
      }),
    )
  const operators = OPERATORS.filter((operator) => writtenAt(input, rule, operator) !== undefined)
  if (operators.length === 0) bad('', 'it compares with nothing', 'Add an operator such as mustBe: 0.')
  if (operators.length > 1) bad(`/${operators[1]}`, `it has two operators, ${operators.join(' and ')}`, 'Keep one of them.')
  if (rule.operands.length === 2 && rule.operands[0]! > rule.operands[1]!)
    bad(`/${rule.operator}`, 'the lowest value is above the highest', `Write [${rule.operands[1]}, ${rule.operands[0]}].`)
  if (rule.check.kind === 'sql') {
    const problem = rule.check.query === '' ? 'it has no query' : checkSelect(rule.check.query.replaceAll(RELATION, '"object"'))
    if (problem)
      bad(rule.check.query === '' ? '' : '/query', problem, `Write one read-only SELECT that gives one number, over ${RELATION}.`)
    else if (!rule.check.query.includes(RELATION))
      bad('/query', `it does not read ${RELATION}`, `Read from ${RELATION}: it becomes the relation to be checked.`)
    return found
  }
  const names = object.columns.map((column) => column.name)
  for (const [i, column] of rule.check.columns.entries())
    if (!names.includes(column))
      bad(
        `/arguments/properties/${i}`,
        `there is no column ${column}`,
        didYouMean(column, names) ?? 'Use a column of the object.',
      )
  // A metric that there is not is said by the schema.
  if (OF_COLUMNS.has(rule.check.metric) && rule.check.columns.length === 0)
    bad('', `${rule.check.metric} needs columns`, 'Add arguments: {properties: [<column>]}.')
  if (rule.check.metric === 'invalidValues' && rule.check.validValues === undefined)
    bad('', 'invalidValues needs the valid values', 'Add arguments: {validValues: [...]}.')
  return found
}
