import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { Mask, RowFilter } from '../../src/policy/types.ts'
import { column, consume, deploy, makeProduct, openWorld, type Product, publish, serve, stateOf, type World } from './world.ts'

// Masks and row filters as consumers meet them, and the ways around them.
let world: World
let product: Product
let view: string

const mask = (name: string, method: Mask['method'], args: Mask['arguments'] = {}, exempt: Mask['exempt'] = []): Mask => ({
  name: `hide-${name}`,
  object: 'visits',
  column: name,
  method,
  arguments: args,
  exempt,
})
const OWNER = { role: 'owner' } as const
const MASKS: Mask[] = [
  mask('ssn', 'hash', {}, [OWNER]),
  mask('patient', 'constant', { value: 'someone' }, [OWNER, { attribute: 'clearance', equals: 'high' }]),
  mask('born', 'round', { precision: 'year' }, [OWNER]),
  mask('phone', 'regex', { pattern: '[0-9]', replacement: 'x' }, [OWNER]),
  mask('note', 'null', {}, [OWNER]),
  mask('age', 'round', { precision: 10 }, [OWNER]),
]
const FILTER: RowFilter = {
  name: 'own-facilities',
  object: 'visits',
  condition: { op: 'in', column: 'facility', values: { subject: 'facility_ids' } },
  exempt: [OWNER, { attribute: 'scope', equals: 'all' }],
}
const VISITS = {
  name: 'visits',
  from: 'visits',
  columns: [
    column('id', 'integer'),
    column('facility'),
    column('ssn'),
    column('patient'),
    column('born', 'date'),
    column('phone'),
    column('note'),
    column('age', 'integer'),
  ],
  quality: [],
}
const TABLE = `AS SELECT g AS id, chr(65 + g % 3) AS facility, 'ssn-' || g AS ssn, 'Pat ' || g AS patient, date '1990-05-07' + g AS born, '555-' || g AS phone,
  'seen ' || g AS note, 40 + g AS age, 'secret' AS undeclared FROM generate_series(1, 12) g`

const plan = () => ({
  extra: [`CREATE TABLE ${product.names.build}.visits ${TABLE}`],
  objects: [VISITS],
  masks: MASKS,
  rowFilters: [FILTER],
})

before(async () => {
  world = await openWorld()
  product = await makeProduct(world, { domain: 'care', product: 'visits' })
  await deploy(world, product, 1, plan())
  view = `${product.names.served('data', 1)}.visits`
})
after(() => world.dispose())

async function rowsOf(client: pg.Client, sql = `SELECT * FROM ${view} ORDER BY id`): Promise<Record<string, unknown>[]> {
  return (await client.query(sql)).rows
}

test('a consumer sees own rows only, masked, and only declared columns', async () => {
  const client = await consume(world, product, 'ann', { facility_ids: ['B'] })
  const rows = await rowsOf(client, `SELECT *, born::text AS born_text FROM ${view} ORDER BY id`)
  assert.deepEqual(
    rows.map(({ id }) => id),
    [1, 4, 7, 10],
  )
  const { ssn, born: _, ...first } = rows[0]!
  assert.deepEqual(first, {
    id: 1,
    facility: 'B',
    patient: 'someone',
    phone: 'xxx-x',
    note: null,
    age: 40,
    born_text: '1990-01-01',
  })
  const admin = await world.superuser()
  const pads = (await admin.query<{ inner_pad: Buffer }>(`SELECT inner_pad FROM heddle.mask_key WHERE domain = 'care'`)).rows[0]!
    .inner_pad
  const key = Buffer.from(pads.subarray(0, 32).map((byte) => byte ^ 0x36))
  assert.equal(ssn, createHmac('sha256', key).update('ssn-1').digest('hex'))
})

test('an attribute changes what an open session sees at its next statement; without it there are no rows', async () => {
  const { warehouse } = world
  const client = await consume(world, product, 'bea', { facility_ids: ['A', 'B'] })
  assert.equal((await rowsOf(client)).length, 8)
  await warehouse.subject({ subject: 'bea', domain: null, attributes: { facility_ids: ['C'] }, context: null })
  assert.equal((await rowsOf(client)).length, 4)
  await warehouse.subject({ subject: 'bea', domain: null, attributes: {}, context: null })
  assert.equal((await rowsOf(client)).length, 0)
})

test('exemptions lift what they name and nothing else', async () => {
  const cleared = await consume(world, product, 'cleo', { facility_ids: ['A'], clearance: ['high'] })
  const [row] = await rowsOf(cleared)
  assert.equal(row?.patient, 'Pat 3')
  assert.equal(row?.phone, 'xxx-x')
  const everywhere = await consume(world, product, 'eve', { scope: ['all'] })
  assert.equal((await rowsOf(everywhere)).length, 12)
  await world.warehouse.subject({ subject: 'olga', domain: null, attributes: {}, context: null })
  await world.warehouse.grantOwner({ subject: 'olga', place: product.place, context: product.context() })
  const owner = await world.login(await world.warehouse.issueCredential({ subject: 'olga', validMs: 60_000 }))
  const [first] = await rowsOf(owner)
  assert.equal(first?.ssn, 'ssn-1')
  assert.equal(await stateOf(owner, `SELECT count(*) FROM ${product.names.revision(1)}.visits`), 'none')
  assert.equal(await stateOf(owner, `SELECT count(*) FROM ${product.names.build}.visits`), '42501')
})

test('ways around a filter and a mask: leaky casts, predicates, settings, catalogs', async () => {
  const client = await consume(world, product, 'mallory', { facility_ids: ['A'] })
  // a cast that would fail on hidden rows only does not, so nothing is evaluated on them
  assert.equal(await stateOf(client, `SELECT CASE WHEN facility = 'B' THEN facility::int ELSE 0 END FROM ${view}`), 'none')
  assert.equal(await stateOf(client, `SELECT FROM ${view} WHERE facility = 'B' AND id / (id - 1) > 0`), 'none')
  // a predicate on a masked column meets the mask
  assert.equal((await rowsOf(client, `SELECT id FROM ${view} WHERE ssn = 'ssn-3'`)).length, 0)
  assert.equal((await rowsOf(client, `SELECT id FROM ${view} WHERE patient LIKE 'Pat%'`)).length, 0)
  // switching row security off makes the read fail, not unfiltered
  assert.equal(await stateOf(client, 'SET row_security = off'), 'none')
  assert.equal(await stateOf(client, `SELECT FROM ${view}`), '42501')
  await client.query('RESET row_security')
  assert.equal((await rowsOf(client)).length, 4)
  assert.equal(await stateOf(client, 'SET ROLE prod__care__visits__owner'), '42501')
  assert.equal(await stateOf(client, `SELECT undeclared FROM ${view}`), '42703')
  const { rows } = await client.query(`SELECT count(*)::int AS n FROM pg_stats WHERE schemaname = '${product.names.revision(1)}'`)
  assert.equal(rows[0].n, 0)
})

test('prove logs in as the subject, finds every policy standing, and leaves its password good', async () => {
  const { warehouse } = world
  await consume(world, product, 'paula', { facility_ids: ['A'] })
  const credential = await warehouse.issueCredential({ subject: 'paula', validMs: 60_000 })
  const proofs = await warehouse.prove({
    subject: 'paula',
    at: product.at,
    expect: 'granted',
    masked: MASKS.map((one) => one.column),
  })
  assert.deepEqual(
    proofs.filter(({ ok }) => !ok),
    [],
  )
  // by its own login, and by the one that reads for it over HTTP
  assert.equal(proofs.filter(({ expected }) => expected === 'masked').length, 2 * MASKS.length)
  assert.equal(proofs.filter(({ expected }) => expected === 'filtered').length, 2)
  assert.ok(proofs.filter(({ expected }) => expected === 'refused').length >= 6)
  assert.doesNotMatch(JSON.stringify(proofs), /ssn-|Pat [0-9]|555/)
  await (await world.login(credential)).query('SELECT 1')
  const admin = await world.superuser()
  assert.equal((await admin.query('SELECT FROM heddle.borrowed')).rowCount, 0)
})

test('prove finds a filter and a mask that somebody took away', async () => {
  const { warehouse } = world
  await consume(world, product, 'petra', { facility_ids: ['A'] })
  const admin = await world.superuser()
  const proveNow = async () => {
    const proofs = await warehouse.prove({
      subject: 'petra',
      at: product.at,
      expect: 'granted',
      masked: ['visits.patient', 'phone'],
    })
    return proofs.filter(({ ok }) => !ok).map(({ what }) => what)
  }
  assert.deepEqual(await proveNow(), [])
  await admin.query(`ALTER TABLE ${product.names.revision(1)}.visits DISABLE ROW LEVEL SECURITY`)
  assert.deepEqual(await proveNow(), [`see only allowed rows of ${view}`, `see only allowed rows of ${view} over HTTP`])
  await admin.query(`ALTER TABLE ${product.names.revision(1)}.visits ENABLE ROW LEVEL SECURITY`)
  await admin.query(
    `UPDATE heddle.attribute SET vals = '{high}' WHERE role IN ('prod__u__petra', 'prod__h__petra') AND name = 'facility_ids'`,
  )
  await admin.query(
    `INSERT INTO heddle.attribute SELECT role, name, vals FROM unnest(ARRAY['prod__u__petra', 'prod__h__petra']) role,
       (VALUES ('clearance', '{high}'::text[]), ('scope', '{all}')) a (name, vals)`,
  )
  assert.deepEqual(await proveNow(), [`see ${view}.patient masked`, `see ${view}.patient masked over HTTP`])
  await admin.query(`GRANT USAGE ON SCHEMA ${product.names.revision(1)} TO PUBLIC`)
  await admin.query(`GRANT SELECT ON ${product.names.revision(1)}.visits TO PUBLIC`)
  assert.ok((await proveNow()).includes(`read schema ${product.names.revision(1)}`))
  await admin.query(`REVOKE ALL ON SCHEMA ${product.names.revision(1)} FROM PUBLIC`)
  await admin.query(`REVOKE ALL ON ${product.names.revision(1)}.visits FROM PUBLIC`)
})

test('a roll back builds over tables in use without waiting for their readers; platform roles still count every row', async () => {
  const client = await consume(world, product, 'rita', { facility_ids: ['A'] })
  await client.query('BEGIN')
  assert.equal((await rowsOf(client)).length, 4)
  const [served] = await world.warehouse.served(product.place)
  const revision = { n: served!.revision, objects: served!.objects }
  await product.nextRun()
  const begun = performance.now()
  await serve(world, product, revision, plan())
  await publish(world, product, revision)
  assert.ok(performance.now() - begun < 500)
  assert.equal((await rowsOf(client)).length, 4)
  await client.query('COMMIT')
  const quality = [
    {
      id: 'all-rows',
      severity: 'error' as const,
      check: { kind: 'library' as const, metric: 'rowCount' as const, columns: [] },
      operator: 'mustBe' as const,
      operands: [12],
    },
  ]
  const findings = await world.warehouse.checkQuality({
    place: product.place,
    revision,
    objects: [{ ...VISITS, quality }],
    context: product.context(),
  })
  assert.deepEqual(findings, [])
})

test('filter, mask key and guard are looked up once per statement, not per row', async () => {
  const client = await consume(world, product, 'quinn', { facility_ids: ['A'] })
  const plan = (await client.query(`EXPLAIN (VERBOSE, COSTS OFF) SELECT * FROM ${view}`)).rows
    .map((row) => row['QUERY PLAN'])
    .join('\n')
  assert.match(plan, /InitPlan/)
  assert.doesNotMatch(plan, /SubPlan [0-9]+\n?/)
})
