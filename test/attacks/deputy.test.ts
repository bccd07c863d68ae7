import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { QualityRule } from '../../src/spec/types.ts'
import { buildAs, cleanBuild, deploy, FLIGHTS, makeProduct, openWorld, type Product, stateOf, type World } from './world.ts'

// A view, function or built-in of a product acts with the rights of whoever reads it. The readers tried here: a superuser in psql, the platform's prober
// and the platform's own count(*). The canary is an advisory lock: whoever evaluates the planted expression would hold or have taken it.
let world: World
let product: Product

before(async () => {
  world = await openWorld()
  product = await makeProduct(world)
})
after(() => world.dispose())

const DEPUTIES = [
  `SELECT g AS id, query_to_xml('SELECT rolname FROM pg_authid', true, true, '')::text AS origin, 'x' AS tail FROM generate_series(1, 3) g`,
  `SELECT g AS id, 'A' AS origin, pg_notify('leak', query_to_xml('SELECT 1', true, true, '')::text)::text AS tail FROM generate_series(1, 3) g`,
  `SELECT g AS id, lo_creat(1)::text AS origin, 'x' AS tail FROM generate_series(1, 3) g`,
]

for (const [index, body] of DEPUTIES.entries())
  test(`a port that is a deputy (${index + 1}) is refused, and reads as nothing for a superuser afterwards`, async () => {
    const { build } = product.names
    await product.nextRun()
    await buildAs(world, product, [`CREATE VIEW ${build}.flights AS ${body}`])
    const { findings, revision } = await world.warehouse.seal({
      place: product.place,
      n: 1,
      objects: [FLIGHTS],
      context: product.context(),
    })
    assert.equal(revision, null)
    assert.deepEqual(
      findings.map(({ code }) => code),
      ['VERIFY_PORT_NOT_A_TABLE'],
    )
    // the next run finds none of it
    await product.nextRun()
    const pass = await world.warehouse.openService({ place: product.place, validMs: 60_000, context: product.context() })
    const admin = await world.superuser()
    assert.equal(await stateOf(admin, `SELECT count(*) FROM ${pass.schema}.flights`), '42P01')
    await world.warehouse.closeService({ place: product.place, context: product.context() })
  })

test('views beside a clean port are dropped at the seal, so nobody can read them with rights of their own', async () => {
  const { build, revision } = product.names
  const seal = await deploy(world, product, 1, {
    extra: [`CREATE VIEW ${build}.innocent AS SELECT pg_try_advisory_lock(4242), count(*) FROM ${build}.flights GROUP BY 1`],
  })
  assert.equal(seal.objects[0]?.rows, 9)
  const admin = await world.superuser()
  const { rows } = await admin.query<{ kind: string }>(
    `SELECT DISTINCT relkind AS kind FROM pg_class WHERE relnamespace = '${revision(1)}'::regnamespace AND relkind <> 'i'`,
  )
  assert.deepEqual(rows, [{ kind: 'r' }])
  assert.equal((await admin.query(`SELECT count(*) AS n FROM ${product.names.served('data', 1)}.flights`)).rows[0].n, '9')
  assert.equal((await admin.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242`)).rowCount, 0)
})

test('the platform evaluates nothing of an unsealed build: a policy, a rule and a computed column stay unread', async () => {
  const { build } = product.names
  await product.nextRun()
  await buildAs(world, product, [
    ...cleanBuild(build),
    `ALTER TABLE ${build}.flights ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE ${build}.flights FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY p ON ${build}.flights USING (pg_try_advisory_lock(4242))`,
  ])
  const admin = await world.superuser()
  const before = await readsOf(admin, `${build}.flights`)
  const { revision } = await world.warehouse.seal({ place: product.place, n: 2, objects: [FLIGHTS], context: product.context() })
  assert.equal(revision, null)
  assert.equal(await readsOf(admin, `${build}.flights`), before)
  assert.equal((await admin.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242`)).rowCount, 0)
})

async function readsOf(admin: import('pg').Client, relation: string): Promise<number> {
  await admin.query('SELECT pg_stat_clear_snapshot()')
  const { rows } = await admin.query<{ scans: string }>(
    `SELECT seq_scan AS scans FROM pg_stat_all_tables WHERE relid = '${relation}'::regclass`,
  )
  return Number(rows[0]!.scans)
}

test('a quality rule in SQL is run as the prober, which cannot act, write or read elsewhere', async () => {
  const other = await makeProduct(world)
  await deploy(world, other, 1)
  const revision = await deploy(world, product, 2)
  const rule = (id: string, query: string): QualityRule => ({
    id,
    severity: 'error',
    check: { kind: 'sql', query },
    operator: 'mustBe',
    operands: [9],
  })
  const hostile: [id: string, query: string][] = [
    ['sql-in-text', `SELECT length(query_to_xml('SELECT 1', true, true, '')::text) FROM \${object}`],
    ['other-product', `SELECT count(*) FROM ${other.names.revision(1)}.flights`],
    ['build', `SELECT count(*) FROM ${product.names.build}.anything`],
    ['platform', 'SELECT count(*) FROM heddle.lease'],
    ['role', `SELECT length(set_config('role', 'heddle_provisioner', false)) FROM \${object}`],
    ['two-statements', `SELECT count(*) FROM \${object}; DROP TABLE \${object}`],
    ['write', `WITH gone AS (DELETE FROM \${object} RETURNING 1) SELECT count(*) FROM gone`],
    ['text', `SELECT tail FROM \${object} LIMIT 1`],
    ['nothing', 'SELECT NULL'],
  ]
  const quality = [rule('right', `SELECT count(*) FROM \${object}`), ...hostile.map(([id, query]) => rule(id, query))]
  const findings = await world.warehouse.checkQuality({
    place: product.place,
    revision,
    objects: [{ ...FLIGHTS, quality }],
    context: product.context(),
  })
  assert.deepEqual(
    findings.map(({ code, what }) => [code, what]),
    hostile.map(([id]) => ['VERIFY_QUALITY_BROKEN', `flights: rule ${id} was not measured`]),
  )
  assert.doesNotMatch(JSON.stringify(findings), /N[0-9]/)
})
