import type { NamedObject } from './expand.ts'
import type { Origins } from './origins.ts'
import { type Plain, record, records, strings, text, textOr } from './plain.ts'
import type { Column, DataObject, QualityRule } from './types.ts'

export const OPERATORS = [
  'mustBe',
  'mustNotBe',
  'mustBeGreaterThan',
  'mustBeGreaterOrEqualTo',
  'mustBeLessThan',
  'mustBeLessOrEqualTo',
  'mustBeBetween',
  'mustNotBeBetween',
] as const satisfies readonly QualityRule['operator'][]

/** One object of an ODCS schema; columns and quality rules remember where they were written. */
export function normaliseObject({ name, value, document, pointer }: NamedObject, origins: Origins): DataObject {
  const keep = <T extends object>(inside: string, part: T): T => {
    origins.set(part, { document, pointer: pointer + inside })
    return part
  }
  return keep('', {
    name,
    columns: records(value.properties).map((property, i) => keep(`/properties/${i}`, column(property))),
    quality: records(value.quality)
      .map((rule, i) => ({ rule, i }))
      .filter(({ rule }) => rule.type !== 'text')
      .map(({ rule, i }) => keep(`/quality/${i}`, qualityRule(rule, i))),
    description: textOr(value.description, null),
  })
}

function column(property: Plain): Column {
  return {
    name: text(property.name),
    logicalType: textOr(property.logicalType, 'string') as Column['logicalType'],
    physicalType: textOr(property.physicalType, null),
    required: property.required === true || property.primaryKey === true,
    unique: property.unique === true,
    primaryKey: property.primaryKey === true,
    classification: textOr(property.classification, null) as Column['classification'],
    tags: strings(property.tags),
    description: textOr(property.description, null),
  }
}

function qualityRule(rule: Plain, index: number): QualityRule {
  const operator = OPERATORS.find((candidate) => rule[candidate] !== undefined) ?? 'mustBe'
  const operand = rule[operator]
  const given = record(rule.arguments)
  const validValues = Array.isArray(given.validValues) ? given.validValues.map(String) : undefined
  return {
    id: textOr(rule.id, textOr(rule.name, `rule_${index + 1}`)),
    severity: rule.severity === 'warning' ? 'warning' : 'error',
    check:
      rule.type === 'sql'
        ? { kind: 'sql', query: text(rule.query) }
        : {
            kind: 'library',
            metric: textOr(rule.metric, 'rowCount') as 'rowCount',
            columns: strings(given.properties),
            ...(validValues && { validValues }),
          },
    operator,
    operands: (Array.isArray(operand) ? operand : [operand]).filter((value): value is number => typeof value === 'number'),
  }
}
