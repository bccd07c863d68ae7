import type { Diagnostic, TextEdit } from '../core/diagnostic.ts'
import { ERRORS, type ErrorCode } from '../core/errors.ts'
import { rewriteOf } from './edits.ts'
import { type Located, pathOf, pointerOf, positionAt, positionOf, valueAt } from './located.ts'
import { type Mismatch, matchSchema } from './match-schema.ts'
import { didYouMean, nearest, onlyNearest } from './nearest.ts'
import { CONTRACT_SCHEMA, DEPLOY_SCHEMA, SPEC_SCHEMA } from './schema.ts'

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
const SCHEMAS = { spec: SPEC_SCHEMA, deploy: DEPLOY_SCHEMA, contract: CONTRACT_SCHEMA }

/** All mismatches with the JSON Schema, at the key or value they are about. */
export function checkSchema(document: Located, kind: keyof typeof SCHEMAS): Diagnostic[] {
  return matchSchema(SCHEMAS[kind], document.value)
    .slice(0, SHOWN_LIMIT)
    .map((mismatch) => toDiagnostic(document, mismatch))
}

function toDiagnostic(document: Located, mismatch: Mismatch): Diagnostic {
  const { keyword, schema, pointer, named } = mismatch
  const label = labelOf(pathOf(pointer))
  if (keyword === 'additionalProperties') return unknownKey(document, mismatch, label)
  if (keyword === 'required') {
    const missing = mismatch.property!
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
  const at = named === undefined ? positionAt(document, pointer) : positionAt(document, pointer + pointerOf([named]), 'key')
  const said = sayMismatch(document, mismatch, named === undefined ? label : `the name of an entry of ${label}`)
  return { severity: 'error', code: codeOf(schema), ...said, at }
}

function unknownKey(document: Located, { schema, pointer, property }: Mismatch, label: string): Diagnostic {
  const key = property!
  const allowed = Object.keys((schema.properties as Record<string, unknown> | undefined) ?? {})
  const free = allowed.filter((candidate) => !Object.hasOwn(Object(valueAt(document, pathOf(pointer))), candidate))
  const near = nearest(key, free) ?? nearest(key, allowed)
  const renamed = Object.hasOwn(RENAMED, key) ? RENAMED[key] : undefined
  const where = pointer + pointerOf([key])
  const meant = onlyNearest(key, free)
  const edits = meant === undefined ? null : rewriteOf(document, where, key, meant, 'key')
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
    at: positionAt(document, where, 'key'),
    ...(edits && { edits }),
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
  { keyword, schema, value: read, pointer, named, message }: Mismatch,
  label: string,
): Pick<Diagnostic, 'what' | 'why' | 'fix' | 'edits'> {
  const value = named ?? read
  const expected = typeof schema['x-expected'] === 'string' ? schema['x-expected'] : null
  const description = typeof schema.description === 'string' ? { why: `it is: ${schema.description}` } : {}
  const writing = (text: string | null | undefined): { edits?: TextEdit[] } => {
    const edits = text && named === undefined ? writtenAnew(document, pointer, text) : null
    return edits ? { edits } : {}
  }
  switch (keyword) {
    case 'enum': {
      const values = (schema.enum as unknown[]).map(String)
      return {
        what: `${label} is ${show(value)}`,
        why: `it is one of ${values.join(', ')}`,
        fix: didYouMean(String(value), values) ?? `Write one of ${values.join(', ')}.`,
        ...writing(onlyNearest(String(value), values)),
      }
    }
    case 'const': {
      const only = String(schema.const)
      return { what: `${label} is ${show(value)}`, ...description, fix: `Write ${only}.`, ...writing(only) }
    }
    case 'type': {
      const wanted = [schema.type].flat().map(String)
      const scalar = value !== null && typeof value !== 'object'
      const form = wanted.includes('boolean') ? TRUTH[String(value).toLowerCase()] : suggest(String(value), schema)
      const quoted = wanted.includes('string') && scalar ? `"${writtenAt(document, pointer)}"` : null
      return {
        what: `${label} is ${kindOf(value)}, not ${articleFor(wanted)}`,
        ...description,
        fix: form ? `Write ${form}.` : quoted ? `Put it in quotes: ${quoted}.` : `Write ${articleFor(wanted)}.`,
        ...writing(form ?? quoted),
      }
    }
    case 'pattern': {
      const form = suggest(value, schema)
      // A name may be referred to from elsewhere, so nobody changes it but its author.
      const isName = schema['x-code'] === 'CORE_NAME_INVALID'
      return {
        what: `${label} is ${show(value)}`,
        why: `expected ${expected ?? 'another form'}`,
        fix: form ? `Write ${form}.` : `Write ${expected ?? 'it in the form of the schema'}.`,
        ...(!isName && writing(form)),
      }
    }
    case 'uniqueItems':
      return { what: `${label} names something twice`, fix: 'Keep one of them.' }
    default:
      return {
        what: `${label} ${message}`,
        ...description,
        fix: expected ? `Write ${expected}.` : 'Change it accordingly.',
      }
  }
}

const TRUTH: Record<string, string> = { yes: 'true', on: 'true', true: 'true', no: 'false', off: 'false', false: 'false' }
const UNIT = '(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)'
const DURATION = new RegExp(`^\\s*(\\d{1,6})\\s*${UNIT}\\s*$`, 'i')
const ISO_DURATION = /^P(?:(\d{1,6})([DW])|T(\d{1,6})([HMS]))$/i
const SHARE = /^\s*(\d{1,3}(?:\.\d{1,4})?)\s*(?:%|percent|pct)?\s*$/i

/** A corrected value where the mistake is a common one: `24 hrs` and `PT24H` → `24h`, `99` → `99%`. */
function suggest(value: unknown, schema: Record<string, unknown>): string | null {
  if (typeof value !== 'string') return null
  if (schema['x-code'] === 'CORE_DURATION_INVALID') {
    const iso = ISO_DURATION.exec(value)
    const found = DURATION.exec(value)
    const [amount, unit] = found ? [found[1], found[2]] : [iso?.[1] ?? iso?.[3], iso?.[2] ?? iso?.[4]]
    return Number(amount) > 0 ? `${Number(amount)}${unit![0]!.toLowerCase()}` : null
  }
  if (schema['x-code'] === 'CORE_NAME_INVALID') {
    const hyphens = String(schema.pattern).includes('-(?=')
    const cleaned = hyphens
      ? value
          .toLowerCase()
          .replace(/[^a-z0-9]+/g, '-')
          .replace(/^[^a-z]+|-+$/g, '')
      : value.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^[^A-Za-z_]+/, '')
    return cleaned && new RegExp(String(schema.pattern)).test(cleaned) ? cleaned : null
  }
  if (String(schema['x-expected']).startsWith('a percentage')) {
    const share = SHARE.exec(value)?.[1]
    // 0.99 may mean 99 % or 0.99 %.
    return share !== undefined && Number(share) >= 1 && Number(share) <= 100 ? `${share}%` : null
  }
  return null
}

/** The value at the pointer written anew, when it stands there on one line. */
function writtenAnew(document: Located, pointer: string, text: string): TextEdit[] | null {
  const place = document.places.get(pointer)
  if (!place || !/^[^*&!|>\n][^\n]*$/.test(place.source.text.slice(...place.value))) return null
  return [{ at: positionOf(place.source, place.value), text }]
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

function articleFor(types: readonly string[]): string {
  const words: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    object: 'a map',
    array: 'a list',
  }
  return types.map((one) => words[one] ?? one).join(' or ')
}

function show(value: unknown): string {
  return typeof value === 'object' && value !== null ? kindOf(value) : clip(JSON.stringify(value) ?? 'nothing')
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
