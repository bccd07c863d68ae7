import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import pg from 'pg'
import { evaluateFilter, maskValue, type PolicySubject, type Row } from '../../src/policy/evaluate.ts'
import { arbitraryFilter } from '../../src/policy/fixtures/arbitrary-filter.ts'
import { parseFilter } from '../../src/policy/parse.ts'
import { type FilterSql, type MaskSql, renderFilter, renderMask } from '../../src/policy/render-postgres.ts'
import type { Literal, Mask } from '../../src/policy/types.ts'
import { ident, literal } from '../../src/sql/quote.ts'
import { startTestPostgres } from '../postgres-server.ts'

const TYPES: Record<string, string> = { s: 'string', n: 'integer', x: 'number', b: 'boolean', d: 'date' }
const PHYSICAL: Record<string, string> = { s: 'text', n: 'bigint', x: 'numeric', b: 'boolean', d: 'date' }
const SUBJECT: PolicySubject = {
  roles: ['consumer'],
  attributes: { facility_ids: ['F01', "F'2", '7', 'true', '2025-03-04', '\\'], empty: [] },
}
const FILTER_SQL: FilterSql = {
  type: (column) => TYPES[column],
  attribute: (name) => `SELECT a.vals FROM attribute a WHERE a.role = current_user AND a.name = ${literal(name)}`,
}

let server: Awaited<ReturnType<typeof startTestPostgres>>
let client: pg.Client

before(async () => {
  server = await startTestPostgres()
  client = new pg.Client({
    host: server.host,
    port: server.port,
    user: server.superuser.user,
    password: server.superuser.password,
    database: 'postgres',
  })
  await client.connect()
  await client.query(
    'CREATE TABLE attribute (role text, name text, vals text[]); CREATE TABLE canary (one int); INSERT INTO canary VALUES (1)',
  )
  for (const [name, values] of Object.entries(SUBJECT.attributes))
    await client.query('INSERT INTO attribute VALUES (current_user, $1, $2)', [name, values])
})

after(async () => {
  await client?.end()
  await server?.dispose()
})

const texts = fc.oneof(
  fc.constantFrom('F01', "F'2", '\\', '7', '"; DROP TABLE canary; --', "'; DROP TABLE canary; --", 'é', 'Z', 'a', ''),
  fc.string({ maxLength: 5 }).filter((text) => !text.includes('\0')),
)
const dates = fc.integer({ min: 0, max: 800 }).map((day) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(0, 10))
const values: Record<string, fc.Arbitrary<Literal>> = {
  s: texts,
  n: fc.integer({ min: -9, max: 9 }),
  x: fc.integer({ min: -90, max: 90 }).map((n) => n / 10),
  b: fc.boolean(),
  d: dates,
}
const row = fc.record(Object.fromEntries(Object.entries(values).map(([column, value]) => [column, fc.option(value)])))

test('PostgreSQL decides as evaluate does, for whatever condition and row', async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryFilter((column) => values[column]!, Object.keys(values)),
      fc.array(row, { minLength: 1, maxLength: 4 }),
      async (filter, rows) => {
        const columns = Object.keys(values)
        const tuples = rows.map(
          (one: Row, i: number) =>
            `(${i}, ${columns.map((column) => `${literal(one[column] ?? null)}::${PHYSICAL[column]}`).join(', ')})`,
        )
        const { rows: found } = await client.query(
          `SELECT ${renderFilter(filter, FILTER_SQL)} AS seen FROM (VALUES ${tuples.join(', ')}) AS t(i, ${columns.map(ident).join(', ')}) ORDER BY i`,
        )
        assert.deepEqual(
          found.map((one) => one.seen),
          rows.map((one: Row) => evaluateFilter(filter, one, SUBJECT)),
        )
      },
    ),
    { numRuns: 400 },
  )
  assert.equal((await client.query('SELECT count(*)::int AS n FROM canary')).rows[0].n, 1)
})

test('an attribute is evaluated once per statement and can use an index', async () => {
  const parsed = parseFilter('s in subject.facility_ids')
  assert.ok(parsed.ok)
  await client.query(
    "CREATE TABLE big AS SELECT 'F' || (i % 5000) AS s FROM generate_series(1, 50000) i; CREATE INDEX ON big (s); ANALYZE big",
  )
  const { rows } = await client.query(`EXPLAIN SELECT * FROM big WHERE ${renderFilter(parsed.filter, FILTER_SQL)}`)
  const plan = rows.map((one) => one['QUERY PLAN']).join('\n')
  assert.match(plan, /InitPlan/)
  assert.match(plan, /Index Cond|Bitmap Index/)
  assert.doesNotMatch(plan, /SubPlan/)
})

test('masks show what evaluate says', async () => {
  const sql = (logicalType: string): MaskSql => ({
    ...FILTER_SQL,
    role: (role) => `SELECT ${role === 'consumer'}`,
    logicalType,
    hash: (text) => `'mac:' || ${text}`,
  })
  const mask = (method: Mask['method'], given: Mask['arguments'] = {}, exempt: Mask['exempt'] = []): Mask => ({
    name: 'm',
    object: 'o',
    column: 'c',
    method,
    arguments: given,
    exempt,
  })
  const cases: [mask: Mask, type: string, physical: string, value: Literal | null][] = [
    [mask('null'), 'string', 'text', 'x'],
    [mask('null', {}, [{ role: 'consumer' }]), 'string', 'text', 'x'],
    [mask('null', {}, [{ role: 'owner' }]), 'string', 'text', 'x'],
    [mask('null', {}, [{ attribute: 'facility_ids', equals: 'F01' }]), 'string', 'text', 'x'],
    [mask('null', {}, [{ attribute: 'unknown', equals: 'F01' }]), 'string', 'text', 'x'],
    [mask('constant', { value: "'; DROP TABLE canary; --" }), 'string', 'text', 'x'],
    [mask('constant', { value: 5 }), 'integer', 'bigint', null],
    [mask('round', { precision: 'year' }), 'date', 'date', '1980-05-17'],
    [mask('round', { precision: 'month' }), 'date', 'date', '1980-05-17'],
    [mask('round', { precision: 10 }), 'integer', 'bigint', -7],
    [mask('round', { precision: 100 }), 'number', 'numeric', 250],
    [mask('regex', { pattern: '[0-9]', replacement: '\\1&$' }), 'string', 'text', 'a1b2'],
    [mask('regex', { pattern: '[0-9]', replacement: '#' }), 'string', 'text', null],
  ]
  for (const [one, type, physical, value] of cases) {
    const { rows } = await client.query(
      `SELECT ${renderMask(one, 't.c', sql(type))}::text AS shown FROM (VALUES (${literal(value)}::${physical})) AS t(c)`,
    )
    const expected = maskValue(one, value, SUBJECT, Buffer.from('k'))
    assert.equal(rows[0].shown, expected === null ? null : String(expected), `${one.method} of ${value}`)
  }
  await client.query("SET timezone = 'Pacific/Kiritimati'")
  const { rows } = await client.query(
    `SELECT ${renderMask(mask('round', { precision: 'year' }), 't.c', sql('timestamp'))} AS shown FROM (VALUES ('2024-12-31T20:00:00Z'::timestamptz)) AS t(c)`,
  )
  assert.equal(rows[0].shown.toISOString(), '2024-01-01T00:00:00.000Z')
})
