import { canonicalJson } from '../core/canonical.ts'
import { pointerOf } from './located.ts'
import type { JsonSchema } from './schema-parts.ts'

/** One mismatch: the keyword that failed, in which schema, over which value. `property` is the key it is about, `named` a key whose own text is wrong. */
export type Mismatch = {
  keyword: string
  pointer: string
  schema: JsonSchema
  value: unknown
  /** what is wrong with the value, to follow its name: "has fewer than 1 entries" */
  message: string
  property?: string
  named?: string
}

/**
 * All mismatches of a value with a JSON Schema 2020-12 of the keywords our own schemas use; KEYWORDS is the whole list and any other throws. Schemas are read,
 * not compiled to code: compiling ours takes a third of a second, which is most of a `heddle validate`. match-schema.test.ts holds it against ajv.
 */
export function matchSchema(root: JsonSchema, value: unknown): Mismatch[] {
  const found: Mismatch[] = []
  walk({ root, found }, root, value, '')
  return found
}

type Walk = { root: JsonSchema; found: Mismatch[] }
type Check = (walk: Walk, schema: JsonSchema, value: unknown, pointer: string) => void
type Fields = Record<string, unknown>

function walk(state: Walk, schema: JsonSchema, value: unknown, pointer: string): void {
  for (const keyword in schema) CHECKS[keyword]!(state, schema, value, pointer)
}

const silent: Check = () => {}

/** A keyword of one kind of value: others pass, `type` is what refuses them. */
function about<T>(
  isKind: (value: unknown) => value is T,
  keyword: string,
  wrong: (value: T, limit: never) => string | false,
): Check {
  return (state, schema, value, pointer) => {
    const message = isKind(value) && wrong(value, schema[keyword] as never)
    if (message) state.found.push({ keyword, pointer, schema, value, message })
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isList = (value: unknown): value is unknown[] => Array.isArray(value)
const isMap = (value: unknown): value is Fields => value !== null && typeof value === 'object' && !Array.isArray(value)
const plural = (n: number, noun: string) => `${n} ${n === 1 ? noun : noun === 'entry' ? 'entries' : `${noun}s`}`
const letters = (text: string) => (text.length > 0 ? [...text].length : 0)

const TYPES: Record<string, (value: unknown) => boolean> = {
  string: isText,
  number: isNumber,
  integer: Number.isInteger,
  boolean: (value) => typeof value === 'boolean',
  array: isList,
  object: isMap,
  null: (value) => value === null,
}

const patterns = new Map<string, RegExp>()
function patternOf(text: string): RegExp {
  const known = patterns.get(text)
  if (known) return known
  const made = new RegExp(text, 'u')
  patterns.set(text, made)
  return made
}

const CHECKS: Record<string, Check> = {
  $schema: silent,
  $id: silent,
  $defs: silent,
  title: silent,
  description: silent,
  deprecated: silent,
  'x-code': silent,
  'x-expected': silent,
  // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema
  then: silent,
  else: silent,

  $ref(state, schema, value, pointer) {
    const name = (schema.$ref as string).slice('#/$defs/'.length)
    walk(state, (state.root.$defs as Record<string, JsonSchema>)[name]!, value, pointer)
  },
  allOf(state, schema, value, pointer) {
    for (const part of schema.allOf as JsonSchema[]) walk(state, part, value, pointer)
  },
  if(state, schema, value, pointer) {
    const tried: Walk = { root: state.root, found: [] }
    walk(tried, schema.if as JsonSchema, value, pointer)
    const next = tried.found.length === 0 ? schema.then : schema.else
    if (next) walk(state, next as JsonSchema, value, pointer)
  },

  type(state, schema, value, pointer) {
    const types = [schema.type].flat() as string[]
    if (types.some((type) => TYPES[type]!(value))) return
    state.found.push({ keyword: 'type', pointer, schema, value, message: `is not of type ${types.join(' or ')}` })
  },
  enum(state, schema, value, pointer) {
    if ((schema.enum as unknown[]).includes(value)) return
    state.found.push({ keyword: 'enum', pointer, schema, value, message: 'is none of the allowed values' })
  },
  const(state, schema, value, pointer) {
    if (schema.const === value) return
    state.found.push({ keyword: 'const', pointer, schema, value, message: 'is not the one allowed value' })
  },

  pattern: about(isText, 'pattern', (text, pattern: string) => !patternOf(pattern).test(text) && 'has another form'),
  minLength: about(
    isText,
    'minLength',
    (text, least: number) => letters(text) < least && `has fewer than ${plural(least, 'character')}`,
  ),
  maxLength: about(
    isText,
    'maxLength',
    (text, most: number) => letters(text) > most && `has more than ${plural(most, 'character')}`,
  ),
  minimum: about(isNumber, 'minimum', (number, least: number) => number < least && `is less than ${least}`),
  maximum: about(isNumber, 'maximum', (number, most: number) => number > most && `is more than ${most}`),
  exclusiveMinimum: about(
    isNumber,
    'exclusiveMinimum',
    (number, limit: number) => number <= limit && `is not more than ${limit}`,
  ),
  exclusiveMaximum: about(
    isNumber,
    'exclusiveMaximum',
    (number, limit: number) => number >= limit && `is not less than ${limit}`,
  ),

  minItems: about(
    isList,
    'minItems',
    (items, least: number) => items.length < least && `has fewer than ${plural(least, 'entry')}`,
  ),
  maxItems: about(isList, 'maxItems', (items, most: number) => items.length > most && `has more than ${plural(most, 'entry')}`),
  uniqueItems: about(
    isList,
    'uniqueItems',
    (items, wanted: boolean) => wanted && new Set(items.map(canonicalJson)).size < items.length && 'names something twice',
  ),
  items(state, schema, value, pointer) {
    if (!isList(value)) return
    for (const [i, item] of value.entries()) walk(state, schema.items as JsonSchema, item, `${pointer}/${i}`)
  },

  minProperties: about(
    isMap,
    'minProperties',
    (map, least: number) => Object.keys(map).length < least && `has fewer than ${plural(least, 'entry')}`,
  ),
  maxProperties: about(
    isMap,
    'maxProperties',
    (map, most: number) => Object.keys(map).length > most && `has more than ${plural(most, 'entry')}`,
  ),
  required(state, schema, value, pointer) {
    if (!isMap(value)) return
    for (const property of schema.required as string[])
      if (!Object.hasOwn(value, property))
        state.found.push({ keyword: 'required', pointer, schema, value, property, message: `needs ${property}` })
  },
  properties(state, schema, value, pointer) {
    if (!isMap(value)) return
    const known = schema.properties as Record<string, JsonSchema>
    for (const key of Object.keys(value))
      if (Object.hasOwn(known, key)) walk(state, known[key]!, value[key], pointer + pointerOf([key]))
  },
  additionalProperties(state, schema, value, pointer) {
    if (!isMap(value)) return
    const known = (schema.properties as Record<string, JsonSchema> | undefined) ?? {}
    for (const property of Object.keys(value)) {
      if (Object.hasOwn(known, property)) continue
      const other = schema.additionalProperties
      if (other === false)
        state.found.push({
          keyword: 'additionalProperties',
          pointer,
          schema,
          value,
          property,
          message: `has no key ${property}`,
        })
      else if (isMap(other)) walk(state, other, value[property], pointer + pointerOf([property]))
    }
  },
  propertyNames(state, schema, value, pointer) {
    if (!isMap(value)) return
    for (const named of Object.keys(value)) {
      const tried: Walk = { root: state.root, found: [] }
      walk(tried, schema.propertyNames as JsonSchema, named, pointer)
      state.found.push(...tried.found.map((mismatch) => ({ ...mismatch, named })))
    }
  },
}

/** What a schema may say; `pattern` has the meaning of JavaScript's `u` flag. */
export const KEYWORDS: readonly string[] = Object.keys(CHECKS)
