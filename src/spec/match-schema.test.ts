import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { parse } from 'yaml'
import { SPEC } from './fixtures/small-spec.ts'
import { pointerOf } from './located.ts'
import { KEYWORDS, matchSchema } from './match-schema.ts'
import { CONTRACT_SCHEMA, DEPLOY_SCHEMA, SPEC_SCHEMA } from './schema.ts'
import type { JsonSchema } from './schema-parts.ts'

const ajv = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, validateFormats: false })
ajv.addVocabulary(['x-code', 'x-expected'])
const SCHEMAS = { spec: SPEC_SCHEMA, deploy: DEPLOY_SCHEMA, contract: CONTRACT_SCHEMA }
type Kind = keyof typeof SCHEMAS
// Compiling also holds the schemas themselves against the dialect.
const compiled = Object.fromEntries(Object.entries(SCHEMAS).map(([kind, schema]) => [kind, ajv.compile(schema)]))

const fixtures = join(import.meta.dirname, 'fixtures/patient-encounters')
const read = (path: string): unknown => parse(readFileSync(join(fixtures, path), 'utf8'))
const DOCUMENTS: { kind: Kind; value: unknown }[] = [
  { kind: 'spec', value: parse(SPEC) },
  { kind: 'spec', value: read('data_product_spec.yml') },
  { kind: 'deploy', value: read('data_product_deploy.yml') },
  { kind: 'contract', value: read('contracts/adt-files.odcs.yaml') },
]

const own = (kind: Kind, value: unknown): string[] =>
  unique(matchSchema(SCHEMAS[kind], value).map((one) => `${one.keyword} ${one.pointer} ${one.property ?? ''} ${one.named ?? ''}`))

function theirs(kind: Kind, value: unknown): string[] {
  const validate = compiled[kind]!
  if (validate(value)) return []
  return unique(
    (validate.errors ?? [])
      // ajv also reports the keyword around what failed
      .filter((error) => !['if', 'propertyNames'].includes(error.keyword))
      .map(
        ({ keyword, instancePath, params, propertyName }) =>
          `${keyword} ${instancePath} ${params.missingProperty ?? params.additionalProperty ?? ''} ${propertyName ?? ''}`,
      ),
  )
}

/** ajv skips entries of another type when it looks for equal ones, so such lists are left to the type. */
const unique = (lines: string[]) =>
  [...new Set(lines)]
    .filter((line) => !line.startsWith('uniqueItems') || !lines.some((other) => other.startsWith(`type ${line.split(' ')[1]}/`)))
    .sort()

test('every keyword of the schemas is known here', () => {
  const used = new Set<string>()
  const collect = (schema: JsonSchema) => {
    for (const [keyword, inner] of Object.entries(schema)) {
      used.add(keyword)
      if (keyword === 'properties' || keyword === '$defs') Object.values(inner as object).forEach(collect)
      else if (keyword === 'allOf') (inner as JsonSchema[]).forEach(collect)
      else if (['items', 'if', 'then', 'else', 'propertyNames'].includes(keyword) || typeof inner === 'object')
        if (!Array.isArray(inner) && inner !== null) collect(inner as JsonSchema)
    }
  }
  Object.values(SCHEMAS).forEach(collect)
  assert.deepEqual(
    [...used].filter((keyword) => !KEYWORDS.includes(keyword)),
    [],
  )
  assert.throws(() => matchSchema({ oneOf: [] }, 1))
})

test('the fixtures fit', () => {
  for (const { kind, value } of DOCUMENTS) assert.deepEqual(own(kind, value), [], kind)
})

test('whatever is changed in a document, ajv finds the same mismatches', () => {
  const odd = fc.oneof(
    fc.constantFrom(null, '', 0, -1, 1.5, true, [], {}, 'PT24H', '24 hrs', 'Ä', 'a'.repeat(300), '😀'.repeat(40)),
    fc.string(),
    fc.array(fc.constantFrom('a', 'b', 'a', 1, { a: 1 }, { a: 1 }), { maxLength: 5 }),
    fc.dictionary(
      fc.constantFrom('name', 'type', 'properties', 'x', '__proto__', 'constructor'),
      fc.constantFrom('a', 1, null, []),
    ),
  )
  const change = fc.record({ at: fc.nat(), how: fc.constantFrom('replace', 'remove', 'rename', 'add'), value: odd })
  fc.assert(
    fc.property(fc.constantFrom(...DOCUMENTS), fc.array(change, { minLength: 1, maxLength: 4 }), ({ kind, value }, changes) => {
      const changed = structuredClone(value)
      for (const one of changes) mutate(changed, one)
      assert.deepEqual(own(kind, changed), theirs(kind, changed))
    }),
    { numRuns: 400 },
  )
})

/** Changes the place with this number, counting through the whole document. */
function mutate(root: unknown, { at, how, value }: { at: number; how: string; value: unknown }): void {
  const places: { owner: Record<string, unknown>; key: string; pointer: string }[] = []
  const visit = (owner: unknown, pointer: string) => {
    if (owner === null || typeof owner !== 'object') return
    for (const key of Object.keys(owner)) {
      places.push({ owner: owner as Record<string, unknown>, key, pointer: pointer + pointerOf([key]) })
      visit((owner as Record<string, unknown>)[key], pointer + pointerOf([key]))
    }
  }
  visit(root, '')
  if (places.length === 0) return
  const { owner, key } = places[at % places.length]!
  if (how === 'replace') owner[key] = structuredClone(value)
  else if (Array.isArray(owner)) owner.push(structuredClone(value))
  else if (how === 'add') owner[`${key}x`] = structuredClone(value)
  else {
    if (how === 'rename') owner[`${key}_`] = owner[key]
    delete owner[key]
  }
}
