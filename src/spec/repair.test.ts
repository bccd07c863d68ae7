import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, DEPLOY, SPEC } from './fixtures/small-spec.ts'
import { generateSources } from './generate-sources.ts'
import { repairProduct } from './repair.ts'

const MODEL = 'dbt/models/planes.sql'
const SOURCES = 'version: 2\nsources: [{name: staging, tables: [{name: planes}]}]\n'
const COLUMNS = 'tailnum, owner_email, seats::int, built::date, base'

type Given = { spec?: string; columns?: string; yml?: string; models?: Record<string, string>; others?: Record<string, string> }

function repair({ spec = SPEC, columns = COLUMNS, yml, models, others = {} }: Given) {
  const context = {
    domain: 'fleet',
    product: 'planes',
    domainOwners: ['olu'],
    environments: null,
    sources: null,
    models: models ?? {
      'dbt/models/sources.yml': SOURCES,
      [MODEL]: `select ${columns} from {{ source('staging', 'planes') }}\n`,
      ...(yml && { 'dbt/models/planes.yml': yml }),
    },
  }
  const files = {
    spec: { name: 'data_product_spec.yml', text: spec },
    deploy: { name: 'data_product_deploy.yml', text: DEPLOY },
    contracts: {},
  }
  return repairProduct({ files, context, environment: null }, others)
}

/** Lines that are new in the spec, and those that are gone. */
function changes(result: ReturnType<typeof repair>, before = SPEC): string[] {
  const [was, is] = [before, result.changed['data_product_spec.yml'] ?? before].map((text) => text.split(/\r?\n/))
  return [
    ...was!.filter((line) => !is!.includes(line)).map((line) => `-${line.trim()}`),
    ...is!.filter((line) => !was!.includes(line)).map((line) => `+${line.trim()}`),
  ]
}

test('what is right is left alone', () => assert.deepEqual(repair({}).changed, {}))

const MISTAKES: [string, string, string][] = [
  ['key', 'completeness: {within', 'completness: {within'],
  ['enumeration value', 'logicalType: integer}', 'logicalType: intege}'],
  ['duration with a word', 'threshold: 24h}', 'threshold: 24 hours} # soon'],
  ['ISO duration', 'threshold: 24h', 'threshold: PT24H'],
  ['percentage without its sign', 'availability: 99%', 'availability: 99'],
  ['version that is a number', 'version: "1.0.0"', "version: '1.0.0'"],
  ['kind', 'kind: Application', 'kind: Aplication'],
  ['reference', 'dependsOn: [ingest]', 'dependsOn: [ingst]'],
  ['name of another product', '  namespace: fleet', '  namespace: flee'],
  ['old boolean', 'primaryKey: true', 'primaryKey: yes'],
]
for (const [name, right, wrong] of MISTAKES)
  test(`mended: ${name}`, () => {
    const spec = SPEC.replace(right, wrong)
    assert.notEqual(spec, SPEC)
    const { changed, validation } = repair({ spec })
    assert.deepEqual(validation.diagnostics, [])
    const repaired = changed['data_product_spec.yml'] ?? spec
    assert.ok(repaired.includes(right) || wrong === "version: '1.0.0'", repaired)
    if (wrong.includes('#')) assert.ok(repaired.includes('# soon'), 'comments stay')
  })

test("two candidates are nobody's choice, and a renamed thing stays its author's", () => {
  const tied = repair({ spec: SPEC.replace('logicalType: integer}', 'logicalType: date_time}') })
  assert.deepEqual(tied.changed, {})
  assert.equal(tied.validation.spec, null)
  const name = repair({ spec: SPEC.replace('    - name: ingest\n', '    - name: In_Gest\n') })
  assert.ok(!name.changed['data_product_spec.yml']?.includes('in-gest'))
})

test('every diagnostic that can be mended says so, the others do not', () => {
  const { diagnostics } = check(SPEC.replace('24h', '24 hrs').replace('metric: rowCount', 'metric: rows'))
  for (const { code, edits, fix } of diagnostics) {
    assert.equal(edits !== undefined, code === 'CORE_DURATION_INVALID', code)
    assert.equal(fix?.includes('(heddle validate --fix)') ?? false, edits !== undefined, code)
  }
  assert.ok(diagnostics.some(({ code }) => code === 'SPEC_VALUE_INVALID'))
})

test('a column that the model builds is added with its type', () => {
  const result = repair({ columns: `${COLUMNS}, engine, speed::numeric as speed, count(*) as n` })
  assert.deepEqual(changes(result), [
    '+- {name: engine, logicalType: string}',
    '+- {name: speed, logicalType: number}',
    '+- {name: "n", logicalType: integer}',
  ])
  assert.deepEqual(result.validation.diagnostics, [])
})

test('one whose name or tags are sensitive comes with its mask, or not at all', () => {
  const yml = `models:
  - name: planes
    columns:
      - {name: pilot, tags: [phi], description: "Who flew it: first"}
      - {name: phone, config: {tags: [pii]}}
`
  const result = repair({ columns: `${COLUMNS}, pilot, phone, birth_date::date, home_address`, yml })
  const text = result.changed['data_product_spec.yml']!
  assert.deepEqual(result.validation.diagnostics, [])
  const port = result.validation.spec!.outputs[0]!
  assert.deepEqual(
    ['pilot', 'phone', 'birth_date', 'home_address'].map((name) => port.masks.find((mask) => mask.column === name)?.method),
    ['hash', 'hash', 'null', 'hash'],
  )
  assert.ok(text.includes('{name: pilot, logicalType: string, tags: [phi], description: "Who flew it: first"}'), text)
  assert.ok(text.includes('{name: home_address, logicalType: string, tags: [pii]}'), text)
})

test('a product without masks gets its data-policy, one without traits its traits', () => {
  const bare = SPEC.replace(/ {8}- type: data-policy[\s\S]*?(?= {2}policies:)/, '').replace(', tags: [pii]', ', tags: [not-pii]')
  const columns = `${COLUMNS}, phone`
  assert.deepEqual(repair({ spec: bare, columns }).validation.diagnostics, [])
  const none = bare.replace(/ {6}traits:\n {8}- type: service-level[\s\S]*?(?= {2}policies:)/, '')
  assert.notEqual(none, bare)
  const { changed, validation } = repair({ spec: none, columns })
  assert.equal(validation.spec!.outputs[0]!.masks.length, 1, changed['data_product_spec.yml'])
})

test('a tagged column of the contract without a mask gets one', () => {
  const { validation } = repair({
    spec: SPEC.replace('{name: base, logicalType: string}', '{name: base, logicalType: string, tags: [pii]}'),
  })
  assert.deepEqual(validation.diagnostics, [])
  assert.ok(validation.spec!.outputs[0]!.masks.some((mask) => mask.column === 'base'))
})

test('a type that nobody can tell is left to the author; one of the .yml is taken', () => {
  const left = repair({ columns: `${COLUMNS}, seats::int / 2 as half` })
  assert.deepEqual(left.changed, {})
  assert.deepEqual(
    left.validation.diagnostics.map(({ code, edits }) => [code, edits]),
    [['SPEC_COLUMN_UNSERVED', undefined]],
  )
  const yml = 'models: [{name: planes, columns: [{name: half, data_type: "numeric(10,2)"}]}]\n'
  assert.deepEqual(changes(repair({ columns: `${COLUMNS}, seats::int / 2 as half`, yml })), [
    '+- {name: half, logicalType: number}',
  ])
})

test('meta: {served: false} keeps a column back', () => {
  for (const meta of ['meta: {served: false}', 'config: {meta: {served: false}}']) {
    const yml = `models: [{name: planes, columns: [{name: secret, ${meta}}]}]\n`
    const result = repair({ columns: `${COLUMNS}, secret`, yml })
    assert.deepEqual([result.changed, result.validation.diagnostics], [{}, []])
  }
})

test('columns are followed through table expressions, stars and other models', () => {
  const models = {
    'dbt/models/sources.yml': SOURCES,
    [MODEL]: `with base as (select * from {{ ref('stg_planes') }}), final as (select b.*, upper(b.base) as place from base b)\nselect * from final\n`,
    'dbt/models/stg_planes.sql': `select ${COLUMNS}, engine from {{ source('staging', 'planes') }}\n`,
  }
  assert.deepEqual(changes(repair({ models })), [
    '+- {name: engine, logicalType: string}',
    '+- {name: place, logicalType: string}',
  ])
})

test('layout stays: block style, CRLF, comments', () => {
  const block = SPEC.replace(
    '                - {name: base, logicalType: string}\n',
    '                # where it stands\n                - name: base   # airport\n                  logicalType: string\n',
  )
  const result = repair({ spec: block, columns: `${COLUMNS}, engine` })
  assert.ok(
    result.changed['data_product_spec.yml']!.includes(
      '- name: base   # airport\n                  logicalType: string\n                - name: engine\n                  logicalType: string\n',
    ),
    result.changed['data_product_spec.yml'],
  )
  const windows = repair({ spec: SPEC.replaceAll('\n', '\r\n'), columns: `${COLUMNS}, engine` })
  const text = windows.changed['data_product_spec.yml']!
  assert.equal(text.replaceAll('\r\n', '').includes('\n'), false)
  assert.ok(text.includes('- {name: engine, logicalType: string}\r\n'))
})

test('generated files are refreshed, written ones are not', () => {
  const wanted = generateSources(repair({}).validation.spec!)
  const stale = {
    [MODEL]: `select ${COLUMNS} from {{ source('staging', 'planes') }}`,
    'dbt/models/sources.yml': wanted.replace('planes', 'plans'),
  }
  assert.deepEqual(repair({ models: stale, others: { '.heddle/schemas/data_product_spec.schema.json': '{}' } }).refreshed, [
    'dbt/models/sources.yml',
    '.heddle/schemas/data_product_spec.schema.json',
  ])
  const own = { ...stale, 'dbt/models/sources.yml': 'version: 2\nsources: [{name: staging}]\n' }
  assert.deepEqual(repair({ models: own }).refreshed, [])
})
