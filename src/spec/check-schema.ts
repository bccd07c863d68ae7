import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import type { Diagnostic } from '../core/diagnostic.ts'
import { ERRORS, type ErrorCode } from '../core/errors.ts'
import { type Located, pathOf, pointerOf, positionAt, valueAt } from './located.ts'
import { didYouMean, nearest } from './nearest.ts'
import { CONTRACT_SCHEMA, DEPLOY_SCHEMA, SPEC_SCHEMA } from './schema.ts'

const ajv = new Ajv2020({
  allErrors: true,
  verbose: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  validateFormats: false,
})
ajv.addVocabulary(['x-code', 'x-expected'])
const VALIDATORS = { spec: ajv.compile(SPEC_SCHEMA), deploy: ajv.compile(DEPLOY_SCHEMA), contract: ajv.compile(CONTRACT_SCHEMA) }

/** Keys people know from elsewhere, and what they are called here. */
const RENAMED: Record<string, string> = {
  port: 'outputPort',
  sla: 'service-level',
  cron: 'trigger with cron',
  owner: 'approvers or team',
  columns: 'properties',
  fields: 'properties',
  type: 'logicalType',
  nullable: 'required',
  pull_request: 'nothing: a branch gets a sandbox by itself',
  stages: 'nothing: the inside of a deployment is the plan',
  steps: 'nothing: the inside of a deployment is the plan',
}

const SHOWN_LIMIT = 200

/** All mismatches with the JSON Schema, at the key or value they are about. */
export function checkSchema(document: Located, kind: keyof typeof VALIDATORS): Diagnostic[] {
  const validate = VALIDATORS[kind]
  if (validate(document.value)) return []
  const errors = (validate.errors ?? []).filter((error) => !['if', 'allOf', 'propertyNames'].includes(error.keyword))
  return errors.slice(0, SHOWN_LIMIT).map((error) => toDiagnostic(document, error))
}

function toDiagnostic(document: Located, error: ErrorObject): Diagnostic {
  const schema = error.parentSchema as Record<string, unknown>
  const pointer = error.instancePath
  const path = pathOf(pointer)
  const label = labelOf(path)
  const allowed = Object.keys((schema.properties as Record<string, unknown> | undefined) ?? {})
  if (error.keyword === 'additionalProperties' || error.keyword === 'unevaluatedProperties') {
    const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty)
    const free = allowed.filter((candidate) => !Object.hasOwn(Object(valueAt(document, path)), candidate))
    const near = nearest(key, free) ?? nearest(key, allowed)
    const renamed = Object.hasOwn(RENAMED, key) ? RENAMED[key] : undefined
    return {
      severity: 'error',
      code: 'SPEC_KEY_UNKNOWN',
      what: `${label} has no key ${clip(key)}`,
      why: allowed.length > 0 ? `it has ${allowed.slice(0, 24).join(', ')}` : 'it has no keys at all',
      fix: near
        ? `Did you mean ${near}?`
        : renamed
          ? `Here it is ${renamed}.`
          : isSplitText(document, pointer, key)
            ? 'A text with a comma inside {…} needs quotes.'
            : 'Remove it.',
      at: positionAt(document, pointer + pointerOf([key]), 'key'),
    }
  }
  if (error.keyword === 'required') {
    const missing = String(error.params.missingProperty)
    const described = (schema.properties as Record<string, { description?: string }> | undefined)?.[missing]?.description
    return {
      severity: 'error',
      code: 'SPEC_KEY_MISSING',
      what: `${label} needs the key ${missing}`,
      ...(described && { why: `it says: ${described}` }),
      fix: `Add ${missing}:`,
      at: positionAt(document, pointer, 'key'),
    }
  }
  const named = error.propertyName !== undefined
  const at = named ? positionAt(document, pointer + pointerOf([error.propertyName!]), 'key') : positionAt(document, pointer)
  const value = named ? error.propertyName : error.data
  return {
    severity: 'error',
    code: codeOf(schema),
    ...sayMismatch(document, error, schema, named ? `the name of an entry of ${label}` : label, value, pointer),
    at,
  }
}

/** `{description: one, two}` reads as a key `two` without a value. */
function isSplitText(document: Located, pointer: string, key: string): boolean {
  return key.includes(' ') && valueAt(document, [...pathOf(pointer), key]) === null
}

function codeOf(schema: Record<string, unknown>): ErrorCode {
  const code = schema['x-code']
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'SPEC_VALUE_INVALID'
}

function sayMismatch(
  document: Located,
  error: ErrorObject,
  schema: Record<string, unknown>,
  label: string,
  value: unknown,
  pointer: string,
): Pick<Diagnostic, 'what' | 'why' | 'fix'> {
  const expected = typeof schema['x-expected'] === 'string' ? schema['x-expected'] : null
  const description = typeof schema.description === 'string' ? { why: `it is: ${schema.description}` } : {}
  const params = error.params as Record<string, unknown>
  switch (error.keyword) {
    case 'enum': {
      const values = (params.allowedValues as unknown[]).map(String)
      const fix = didYouMean(String(value), values)
      return {
        what: `${label} is ${show(value)}`,
        why: `it is one of ${values.join(', ')}`,
        fix: fix ?? `Write one of ${values.join(', ')}.`,
      }
    }
    case 'const':
      return { what: `${label} is ${show(value)}`, ...description, fix: `Write ${String(params.allowedValue)}.` }
    case 'type': {
      const wanted = String(params.type)
      const scalar = value !== null && typeof value !== 'object'
      const fix =
        wanted === 'string' && scalar ? `Put it in quotes: "${writtenAt(document, pointer)}".` : `Write ${articleFor(wanted)}.`
      return { what: `${label} is ${kindOf(value)}, not ${articleFor(wanted)}`, ...description, fix }
    }
    case 'pattern':
      return {
        what: `${label} is ${show(value)}`,
        why: `expected ${expected ?? 'another form'}`,
        fix: suggest(value, schema) ?? `Write ${expected ?? 'it in the form of the schema'}.`,
      }
    case 'uniqueItems':
      return { what: `${label} names something twice`, fix: 'Keep one of them.' }
    default:
      return {
        what: `${label} ${error.message ?? 'does not fit'}`,
        ...description,
        fix: expected ? `Write ${expected}.` : 'Change it accordingly.',
      }
  }
}

/** A corrected value where the mistake is a common one: `24 hrs` → `24h`. */
function suggest(value: unknown, schema: Record<string, unknown>): string | null {
  if (typeof value !== 'string') return null
  if (schema['x-code'] === 'CORE_DURATION_INVALID') {
    const found = /^\s*(\d{1,6})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)\s*$/i.exec(value)
    return found ? `Write ${Number(found[1])}${found[2]![0]!.toLowerCase()}.` : null
  }
  if (schema['x-code'] === 'CORE_NAME_INVALID') {
    const hyphens = String(schema.pattern).includes('-(?=')
    const cleaned = hyphens
      ? value
          .toLowerCase()
          .replace(/[^a-z0-9]+/g, '-')
          .replace(/^[^a-z]+|-+$/g, '')
      : value.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^[^A-Za-z_]+/, '')
    return cleaned && new RegExp(String(schema.pattern)).test(cleaned) ? `Write ${cleaned}.` : null
  }
  return null
}

function labelOf(path: string[]): string {
  const last = path.at(-1)
  if (last === undefined) return 'the file'
  if (!/^\d+$/.test(last)) return clip(last)
  const owner = path.at(-2) ?? 'the list'
  return `item ${Number(last) + 1} of ${owner === 'properties' ? 'the columns' : clip(owner)}`
}

function writtenAt(document: Located, pointer: string): string {
  const place = document.places.get(pointer)
  return place ? clip(place.source.text.slice(...place.value)) : ''
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return (
    { string: 'a text', number: 'a number', boolean: 'a boolean', object: 'a map' }[typeof value as string] ?? 'something else'
  )
}

function articleFor(type: string): string {
  const words: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    object: 'a map',
    array: 'a list',
  }
  return type
    .split(',')
    .map((one) => words[one] ?? one)
    .join(' or ')
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null ? kindOf(value) : clip(JSON.stringify(value) ?? 'nothing')
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
