import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { HeddleError } from '../../src/core/fail.ts'
import { newId } from '../../src/core/id.ts'
import type { PlannedObject, Revision } from '../../src/platform/warehouse.ts'
import { column, consume, csv, makeProduct, openWorld, type Product, stateOf, type World } from '../attacks/world.ts'

// The whole path of one product in one environment, from nothing to nothing, on a real PostgreSQL 18. Plain SQL as the service login stands in for dbt.
let world: World
let product: Product
let revision: Revision
const published: { id: string; payload: Record<string, unknown> }[] = []

const PLANES: PlannedObject = {
  name: 'planes',
  from: 'planes',
  columns: [
    column('tailnum', 'string', { primaryKey: true, required: true }),
    column('year', 'integer'),
    column('seats', 'integer', { required: true }),
  ],
  quality: [
    {
      id: 'enough',
      severity: 'error',
      check: { kind: 'library', metric: 'rowCount', columns: [] },
      operator: 'mustBeGreaterOrEqualTo',
      operands: [3],
    },
    {
      id: 'few-unknown',
      severity: 'warning',
      check: { kind: 'library', metric: 'nullValues', columns: ['year'] },
      operator: 'mustBe',
      operands: [0],
    },
  ],
}
const COLUMNS = [
  { name: 'tailnum', type: 'text' },
  { name: 'year', type: 'integer' },
  { name: 'seats', type: 'integer' },
]

before(async () => {
  world = await openWorld()
  product = await makeProduct(world, { domain: 'fleet', product: 'planes' })
})
after(() => world.dispose())

function isCode(code: string) {
  return (error: unknown) => error instanceof HeddleError && error.code === code
}

test('initialise repairs what is missing and changes nothing when all stands', async () => {
  assert.deepEqual(await world.warehouse.initialise(), { did: [] })
  const admin = await world.superuser()
  await admin.query(`GRANT EXECUTE ON FUNCTION pg_catalog.query_to_xml(text, boolean, boolean, text) TO PUBLIC`)
  await admin.query(`ALTER ROLE heddle_provisioner PASSWORD 'other'`)
  const { did } = await world.warehouse.initialise()
  assert.deepEqual(did, ['renewed the password of heddle_provisioner', 'took 1 built-ins that run SQL text from PUBLIC'])
})

test('every resource reads as made, converges again from a hole somebody tore, and lists itself', async () => {
  const { warehouse } = world
  const { place, at, names } = product
  const admin = await world.superuser()
  assert.deepEqual(await warehouse.budget.read({ id: { domain: 'fleet' } }), {
    state: 'owned',
    attributes: { connections: 12, statementMs: 60_000, tempFileBytes: 2 ** 28 },
  })
  const roles = await warehouse.roles.read({ id: place })
  assert.equal(roles.state, 'owned')
  assert.equal(roles.state === 'owned' && roles.attributes.roles.length, 5)
  await admin.query(`DROP SCHEMA ${names.build}`)
  await admin.query(`DROP OWNED BY ${names.role.consumer}`)
  await admin.query(`DROP ROLE ${names.role.consumer}`)
  await admin.query(`REVOKE prod__job FROM ${names.role.service}`)
  await product.nextRun()
  for (let time = 0; time < 2; time++) {
    await warehouse.roles.reconcile({ id: place, desired: { owners: [] }, context: product.context() })
    await warehouse.schemas.reconcile({ id: place, desired: {}, context: product.context() })
    await warehouse.port.reconcile({ id: at, desired: {}, context: product.context() })
  }
  assert.deepEqual(await warehouse.schemas.read({ id: place }), {
    state: 'owned',
    attributes: { schemas: [names.private, names.build] },
  })
  assert.equal((await warehouse.port.read({ id: at })).state, 'owned')
  const { rows } = await admin.query(
    `SELECT pg_has_role('${names.role.consumer}', '${names.portRole('data', 1)}', 'USAGE') AS reads`,
  )
  assert.equal(rows[0].reads, true)
})

test('owners of the spec come and go with it; an owner granted by request stays', async () => {
  const { warehouse } = world
  const { place } = product
  const admin = await world.superuser()
  const ownersNow = async () => {
    const { rows } = await admin.query<{ login: string }>(
      `SELECT m.member::regrole::text AS login FROM pg_auth_members m WHERE m.roleid = '${product.names.role.owner}'::regrole
         AND m.member <> 'heddle_provisioner'::regrole AND NOT m.admin_option ORDER BY 1`,
    )
    return rows.map(({ login }) => login)
  }
  await warehouse.roles.reconcile({ id: place, desired: { owners: ['ann', 'ben'] }, context: product.context() })
  await warehouse.subject({ subject: 'cora', domain: 'fleet', attributes: {}, context: product.context() })
  await warehouse.grantOwner({ subject: 'cora', place, context: product.context() })
  assert.deepEqual(await ownersNow(), ['prod__u__ann', 'prod__u__ben', 'prod__u__cora'])
  await warehouse.roles.reconcile({ id: place, desired: { owners: ['ben'] }, context: product.context() })
  assert.deepEqual(await ownersNow(), ['prod__u__ben', 'prod__u__cora'])
})

test('a batch is loaded whole or not at all, and a bad line is named without its values', async () => {
  const { warehouse } = world
  const load = (text: string) =>
    warehouse.loadBatch({
      place: product.place,
      component: 'files',
      table: 'raw-planes',
      columns: COLUMNS,
      csv: csv(text),
      context: product.context(),
    })
  const bad = await load('N1,1999,10\nN2,secret-value,20\n').catch((error: unknown) => error)
  assert.ok(isCode('WAREHOUSE_BATCH_INVALID')(bad))
  assert.match((bad as HeddleError).message, /line 2 .* column year/)
  assert.doesNotMatch(JSON.stringify([bad, (bad as HeddleError).message, (bad as HeddleError).cause]), /secret-value/)
  await assert.rejects(load('N1,1999,10,40\n'), isCode('WAREHOUSE_BATCH_INVALID'))
  const failing = Readable.from(
    (async function* () {
      yield 'N1,1999,10\n'
      throw new HeddleError('CORE_NAME_INVALID', { what: 'the source went away' })
    })(),
  )
  await assert.rejects(
    warehouse.loadBatch({
      place: product.place,
      component: 'files',
      table: 'raw-planes',
      columns: COLUMNS,
      csv: { stream: failing, delimiter: ',', null: null },
      context: product.context(),
    }),
    isCode('CORE_NAME_INVALID'),
  )
  await assert.rejects(
    warehouse.loadBatch({
      place: product.place,
      component: 'files',
      table: 'raw-planes',
      columns: [{ name: 'a', type: 'text); DROP TABLE x; --' }],
      csv: csv('1\n'),
      context: product.context(),
    }),
    isCode('WAREHOUSE_TYPE_INVALID'),
  )
  assert.deepEqual(await load('N1,1999,10\nN2,NA,20\n"N,3",2001,30\n'), { relation: 'fleet_planes.raw_planes__b1', rows: 3 })
})

test('the service reads exactly what is pinned, builds, and the revision is sealed and counted', async () => {
  const { warehouse } = world
  const { place } = product
  await product.nextRun()
  const relation = 'fleet_planes.raw_planes__b1'
  for (const source of ['fleet_planes.raw_planes__b9', 'pg_catalog.pg_authid', 'heddle.mask_key', 'raw_planes__b1', 'a.b.c'])
    await assert.rejects(
      warehouse.pinSources({ place, sources: [{ name: 'x', relation: source }], context: product.context() }),
      isCode('WAREHOUSE_SOURCE_INVALID'),
      source,
    )
  await warehouse.pinSources({ place, sources: [{ name: 'old', relation }], context: product.context() })
  await warehouse.pinSources({ place, sources: [{ name: 'raw-planes', relation }], context: product.context() })
  const pass = await warehouse.openService({ place, validMs: 60_000, context: product.context() })
  const dbt = await world.login(pass)
  assert.equal(await stateOf(dbt, `SELECT FROM ${relation}`), '42501')
  assert.equal(await stateOf(dbt, 'SELECT FROM fleet_planes.old'), '42P01')
  await dbt.query(`CREATE VIEW ${pass.schema}.stg_planes AS SELECT * FROM fleet_planes.raw_planes`)
  await dbt.query(
    `CREATE TABLE ${pass.schema}.planes AS SELECT tailnum, year, seats, 'inside' AS undeclared FROM ${pass.schema}.stg_planes`,
  )
  await dbt.query(`CREATE TABLE ${pass.schema}.helper AS SELECT 1 AS x`)
  await warehouse.closeService({ place, context: product.context() })
  await assert.rejects(dbt.query('SELECT 1'))
  await assert.rejects(world.login(pass))
  const sealed = await warehouse.seal({ place, n: 1, objects: [PLANES], context: product.context() })
  assert.deepEqual(sealed.findings, [])
  assert.deepEqual(sealed.revision, { n: 1, objects: [{ name: 'planes', relation: 'fleet_planes__r1.planes', rows: 3 }] })
  revision = sealed.revision!
})

test('quality: what fails is named, with counts and no values', async () => {
  const findings = await world.warehouse.checkQuality({
    place: product.place,
    revision,
    objects: [PLANES],
    context: product.context(),
  })
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['VERIFY_QUALITY_FAILED', 'warning']],
  )
  const strict = {
    ...PLANES,
    quality: [],
    columns: [
      column('year', 'integer', { required: true }),
      column('seats', 'integer', { unique: true }),
      column('undeclared', 'string', { unique: true }),
    ],
  }
  const more = await world.warehouse.checkQuality({
    place: product.place,
    revision,
    objects: [strict],
    context: product.context(),
  })
  assert.deepEqual(
    more.map(({ code, what }) => [code, what]),
    [
      ['VERIFY_VALUE_MISSING', 'planes.year is empty in 1 rows'],
      ['VERIFY_VALUE_DUPLICATE', 'planes.undeclared has 1 repeated values'],
    ],
  )
})

test('publishing serves it, tells the outbox once, and the warehouse says what is served', async () => {
  const { warehouse } = world
  const { place, at } = product
  await assert.rejects(
    warehouse.publish({ place, revision, ports: [at], release: 'r1', context: product.context() }),
    isCode('WAREHOUSE_OBJECT_MISSING'),
  )
  const missing = { name: 'planes', columns: ['nothing'], masks: [], rowFilters: [] }
  await assert.rejects(
    warehouse.buildServed({ at, revision, objects: [missing], context: product.context() }),
    isCode('WAREHOUSE_COLUMN_MISSING'),
  )
  const objects = [{ name: 'planes', columns: ['tailnum', 'year', 'seats'], masks: [], rowFilters: [] }]
  const { schema } = await warehouse.buildServed({ at, revision, objects, context: product.context() })
  assert.match(schema, /^fleet_planes_data_v1__r[0-9]+$/)
  const context = product.context('publish')
  const first = await warehouse.publish({ place, revision, ports: [at], release: 'r1 · 1.0.0', context })
  assert.deepEqual(await warehouse.publish({ place, revision, ports: [at], release: 'r1 · 1.0.0', context }), first)
  const [served] = await warehouse.served(place)
  assert.deepEqual(served, {
    port: 'data',
    major: 1,
    schema: 'fleet_planes_data_v1',
    publication: 1,
    revision: 1,
    publishedAt: first.publishedAt,
    objects: [{ name: 'planes', relation: 'fleet_planes__r1.planes', columns: ['tailnum', 'year', 'seats'], rows: 3 }],
  })
  await assert.rejects(
    warehouse.drainOutbox(async () => {
      throw new HeddleError('CORE_NAME_INVALID', { what: 'the handler failed' })
    }),
    isCode('CORE_NAME_INVALID'),
  )
  const drained = await warehouse.drainOutbox(async (event) => void published.push(event))
  assert.equal(drained, 1)
  assert.equal(await warehouse.drainOutbox(async (event) => void published.push(event)), 0)
  assert.equal(published.length, 1)
  assert.equal(published[0]!.payload.release, 'r1 · 1.0.0')
  const client = await consume(world, product, 'cora')
  assert.deepEqual((await client.query('SELECT tailnum, year FROM fleet_planes_data_v1.planes ORDER BY 1')).rows, [
    { tailnum: 'N,3', year: 2001 },
    { tailnum: 'N1', year: 1999 },
    { tailnum: 'N2', year: null },
  ])
})

test('grants that somebody took from what is served come back with the port', async () => {
  const admin = await world.superuser()
  const reader = product.names.portRole('data', 1)
  await admin.query(`REVOKE ALL ON SCHEMA fleet_planes_data_v1 FROM ${reader}`)
  await admin.query(`REVOKE ALL ON fleet_planes_data_v1.planes FROM ${reader}`)
  const client = await world.login(await world.warehouse.issueCredential({ subject: 'cora', validMs: 60_000 }))
  assert.equal(await stateOf(client, 'SELECT FROM fleet_planes_data_v1.planes'), '42501')
  await world.warehouse.port.reconcile({ id: product.at, desired: {}, context: product.context() })
  assert.equal(await stateOf(client, 'SELECT FROM fleet_planes_data_v1.planes'), 'none')
})

test('a downstream product pins a served object of another once it was granted, and keeps it through a publication', async () => {
  const { warehouse } = world
  const down = await makeProduct(world, { domain: 'ops', product: 'reports' })
  const source = { name: 'planes', relation: 'fleet_planes_data_v1.planes' }
  const pin = () => warehouse.pinSources({ place: down.place, sources: [source], context: down.context() })
  await assert.rejects(pin(), isCode('WAREHOUSE_ACCESS_DENIED'))
  const admin = await world.superuser()
  await admin.query(`GRANT ${product.names.portRole('data', 1)} TO ${down.names.role.keeper} WITH INHERIT TRUE, SET FALSE`)
  await pin()
  const pass = await warehouse.openService({ place: down.place, validMs: 60_000, context: down.context() })
  const dbt = await world.login(pass)
  const objects = [{ name: 'planes', columns: ['tailnum'], masks: [], rowFilters: [] }]
  await warehouse.buildServed({ at: product.at, revision, objects, context: product.context() })
  await warehouse.publish({ place: product.place, revision, ports: [product.at], release: 'r2', context: product.context() })
  assert.equal((await dbt.query('SELECT seats FROM ops_reports.planes')).rowCount, 3)
  const { kept } = await warehouse.collect({ place: product.place, keep: [1], context: product.context() })
  assert.equal(kept.length, 1)
  await warehouse.closeService({ place: down.place, context: down.context() })
  await warehouse.pinSources({ place: down.place, sources: [], context: down.context() })
  assert.deepEqual((await warehouse.collect({ place: product.place, keep: [1], context: product.context() })).kept, [])
  await warehouse.port.remove({ id: down.at, context: down.context() })
  await warehouse.schemas.remove({ id: down.place, context: down.context() })
  await warehouse.roles.remove({ id: down.place, context: down.context() })
})

test('a second environment on the same server shares nothing but the provisioner', async () => {
  const dev = world.another('dev')
  await assert.rejects(dev.served(product.place), isCode('WAREHOUSE_NOT_INITIALISED'))
  const { did } = await dev.initialise()
  assert.deepEqual(did.slice(0, 2), ['made database dev', 'made group dev__connect'])
  const context = product.context()
  await dev.roles.reconcile({ id: product.place, desired: { owners: [] }, context })
  assert.deepEqual((await dev.roles.read({ id: product.place })).state, 'owned')
  assert.deepEqual(await dev.served(product.place), [])
  assert.equal((await world.warehouse.served(product.place)).length, 1)
  const credential = await world.warehouse.issueCredential({ subject: 'cora', validMs: 60_000 })
  await assert.rejects(world.login(credential, 'dev'), (error: { code?: string }) => error.code === '42501')
})

test('a cancelled effect leaves nothing', async () => {
  const abort = new AbortController()
  const context = { ...product.context(), signal: abort.signal }
  const endless = Readable.from(
    (async function* () {
      for (;;) {
        yield 'N1,1999,10\n'
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })(),
  )
  const loading = world.warehouse.loadBatch({
    place: product.place,
    component: 'files',
    table: 'endless',
    columns: COLUMNS,
    csv: { stream: endless, delimiter: ',', null: null },
    context,
  })
  setTimeout(() => abort.abort(), 60)
  await assert.rejects(loading, isCode('WAREHOUSE_CANCELLED'))
  assert.equal(await world.warehouse.confirm({ fence: context.fence }), null)
})

test('removing is complete, in the order ports, schemas, roles; and removing what is gone succeeds', async () => {
  const { warehouse } = world
  const { place, at } = product
  await product.nextRun()
  await assert.rejects(warehouse.schemas.remove({ id: place, context: product.context() }), isCode('WAREHOUSE_OBJECT_USED'))
  for (let time = 0; time < 2; time++) {
    await warehouse.port.remove({ id: at, context: product.context() })
    await warehouse.schemas.remove({ id: place, context: product.context() })
    await warehouse.roles.remove({ id: place, context: product.context() })
  }
  assert.deepEqual(await warehouse.port.read({ id: at }), { state: 'absent' })
  assert.deepEqual(await warehouse.schemas.read({ id: place }), { state: 'absent' })
  assert.deepEqual(await warehouse.roles.read({ id: place }), { state: 'absent' })
  const admin = await world.superuser()
  const { rows } = await admin.query(
    `SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'fleet%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'prod\\_\\_fleet%'`,
  )
  assert.deepEqual(rows, [])
  assert.equal((await admin.query('SELECT FROM heddle.product WHERE id = $1', [place.id])).rowCount, 0)
  // the name is free for another product, whose numbers go on
  const again = { ...place, id: newId() }
  const context = { ...product.context(), fence: { ...product.context().fence, product: again.id } }
  await warehouse.roles.reconcile({ id: again, desired: { owners: [] }, context })
})
