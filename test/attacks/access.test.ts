import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { HeddleError } from '../../src/core/fail.ts'
import { consume, deploy, makeProduct, openWorld, type Product, stateOf, type World } from './world.ts'

// Grants come and go at once, and a domain's budget holds whatever a login sets on itself.
let world: World
let product: Product
let other: Product
let view: string

before(async () => {
  world = await openWorld()
  product = await makeProduct(world, { product: 'one' })
  other = await makeProduct(world, { product: 'two' })
  await deploy(world, product, 1)
  await deploy(world, other, 1)
  view = `${product.names.served('data', 1)}.flights`
})
after(() => world.dispose())

test('without a grant there is no log-in; approve to usable grant takes less than a second', async () => {
  const { warehouse } = world
  await warehouse.subject({ subject: 'ada', domain: null, attributes: {}, context: null })
  await assert.rejects(
    warehouse.issueCredential({ subject: 'ada', validMs: 1_000 }),
    (error: unknown) => error instanceof HeddleError && error.code === 'WAREHOUSE_SUBJECT_UNKNOWN',
  )
  const begun = performance.now()
  const client = await consume(world, product, 'ada')
  assert.equal(await stateOf(client, `SELECT FROM ${view}`), 'none')
  assert.ok(performance.now() - begun < 1_000)
})

test('revoke ends open sessions and refuses new ones within a second, and the proof says so', async () => {
  const { warehouse } = world
  const client = await consume(world, product, 'bob')
  const credential = await warehouse.issueCredential({ subject: 'bob', validMs: 60_000 })
  const second = await world.login(credential)
  await client.query('BEGIN')
  await client.query(`DECLARE held CURSOR FOR SELECT * FROM ${view}`)
  const running = second.query('SELECT pg_sleep(20)').then(
    () => 'finished',
    () => 'ended',
  )
  const begun = performance.now()
  const { sessionsEnded } = await warehouse.revoke({ subject: 'bob', at: product.at, context: product.context() })
  assert.ok(performance.now() - begun < 1_000)
  assert.equal(sessionsEnded, 2)
  assert.equal(await running, 'ended')
  await assert.rejects(client.query('FETCH ALL FROM held'))
  await assert.rejects(world.login(credential), (error: pg.DatabaseError) => error.code === '28P01' || error.code === '28000')
  const proofs = await warehouse.prove({ subject: 'bob', at: product.at, expect: 'revoked', masked: [] })
  assert.deepEqual(
    proofs.map(({ ok, expected }) => [ok, expected]),
    // its own login, and the one that reads for it over HTTP
    [
      [true, 'refused'],
      [true, 'refused'],
    ],
  )
})

test('a subject with another grant keeps its login and that grant; its sessions end once', async () => {
  const { warehouse } = world
  await consume(world, product, 'cid')
  await warehouse.grant({ subject: 'cid', at: other.at, context: other.context() })
  const credential = await warehouse.issueCredential({ subject: 'cid', validMs: 60_000 })
  const open = await world.login(credential)
  await warehouse.revoke({ subject: 'cid', at: product.at, context: product.context() })
  await assert.rejects(open.query('SELECT 1'))
  const again = await world.login(credential)
  assert.equal(await stateOf(again, `SELECT FROM ${view}`), '42501')
  assert.equal(await stateOf(again, `SELECT FROM ${other.names.served('data', 1)}.flights`), 'none')
  const proofs = await warehouse.prove({ subject: 'cid', at: product.at, expect: 'revoked', masked: [] })
  assert.deepEqual(
    proofs.filter(({ ok }) => !ok),
    [],
  )
  assert.ok(proofs.length > 3)
})

test('proofs are not blind: expecting what is not so fails them', async () => {
  const { warehouse } = world
  await consume(world, product, 'dan')
  const revoked = await warehouse.prove({ subject: 'dan', at: product.at, expect: 'revoked', masked: [] })
  assert.ok(revoked.some(({ ok, what }) => !ok && what === `read ${view}`))
  await warehouse.subject({ subject: 'dot', domain: null, attributes: {}, context: null })
  const granted = await warehouse.prove({ subject: 'dot', at: product.at, expect: 'granted', masked: [] })
  assert.deepEqual(
    granted.map(({ ok, sqlstate }) => [ok, sqlstate]),
    [[false, '42501']],
  )
  await assert.rejects(world.login(await warehouse.issueCredential({ subject: 'dan', validMs: -1_000 })))
})

test('a proof that was killed half-way gives the password back', async () => {
  const { warehouse } = world
  await consume(world, product, 'ed')
  const credential = await warehouse.issueCredential({ subject: 'ed', validMs: 60_000 })
  const admin = await world.superuser()
  await admin.query(
    `SELECT heddle.borrow_login('prod__u__ed', 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy', 'infinity', true)`,
  )
  await assert.rejects(world.login(credential))
  await admin.query(`UPDATE heddle.borrowed SET at = now() - interval '2 minutes'`)
  await warehouse.enforceBudgets()
  await (await world.login(credential)).query('SELECT 1')
})

test('proofs of one subject at the same time all hold, and neither they nor a revoke wait for locks a consumer takes', async () => {
  const { warehouse } = world
  const client = await consume(world, product, 'fay')
  // any login may take advisory locks; nothing of the platform's hangs on them
  await client.query(
    `SELECT pg_advisory_lock(hashtextextended(k, 0)) FROM unnest(ARRAY['login prod__u__fay', 'heddle outbox', 'heddle initialise']) k`,
  )
  const all = await Promise.all(
    [1, 2, 3, 4].map(() => warehouse.prove({ subject: 'fay', at: product.at, expect: 'granted', masked: [] })),
  )
  assert.deepEqual(
    all.flat().filter(({ ok }) => !ok),
    [],
  )
  await warehouse.initialise()
  const begun = performance.now()
  await warehouse.revoke({ subject: 'fay', at: product.at, context: product.context() })
  assert.ok(performance.now() - begun < 1_000)
})

test('foreign roles and schemas are refused, never taken over', async () => {
  const { warehouse } = world
  const admin = await world.superuser()
  const place = { id: '00000000-0000-7000-8000-000000000001', domain: 'air', product: 'squat' }
  await admin.query('CREATE ROLE prod__air__squat__service')
  assert.equal((await warehouse.roles.read({ id: place })).state, 'foreign')
  const context = { ...product.context(), fence: { ...product.context().fence, product: place.id } }
  const taken = (error: unknown) => error instanceof HeddleError && error.code === 'PRODUCT_NAME_TAKEN'
  await assert.rejects(warehouse.roles.reconcile({ id: place, desired: { owners: [] }, context }), taken)
  await warehouse.roles.remove({ id: place, context })
  assert.equal((await admin.query(`SELECT FROM pg_roles WHERE rolname = 'prod__air__squat__service'`)).rowCount, 1)
  await admin.query('DROP ROLE prod__air__squat__service')
  // a-b/c and a/b-c would share the schema a_b_c
  const first = { id: '00000000-0000-7000-8000-000000000002', domain: 'a-b', product: 'c' }
  const second = { id: '00000000-0000-7000-8000-000000000003', domain: 'a', product: 'b-c' }
  const as = (id: string, step: string) => ({ ...context, fence: { ...context.fence, product: id, step } })
  await warehouse.roles.reconcile({ id: first, desired: { owners: [] }, context: as(first.id, 'first') })
  await assert.rejects(
    warehouse.roles.reconcile({ id: second, desired: { owners: [] }, context: as(second.id, 'second') }),
    taken,
  )
  await admin.query('CREATE SCHEMA a_b_c__build')
  await assert.rejects(warehouse.schemas.reconcile({ id: first, desired: {}, context: as(first.id, 'schemas') }), taken)
})

test('a statement over its domain’s budget is ended though its login lifted the timeout; others answer', async () => {
  const { warehouse } = world
  const slow = await makeProduct(world, { domain: 'slow', product: 'one' })
  await deploy(world, slow, 1)
  const runaway = await consume(world, slow, 'sly')
  await warehouse.subject({ subject: 'sly', domain: 'slow', attributes: {}, context: null })
  await slow.nextRun()
  await warehouse.budget.reconcile({
    id: { domain: 'slow' },
    desired: { connections: 2, statementMs: 300, tempFileBytes: 2 ** 20 },
    context: slow.context(),
  })
  await runaway.query('SET statement_timeout = 0')
  const calm = await consume(world, product, 'cal')
  const failing = stateOf(runaway, 'SELECT count(*) FROM generate_series(1, 100000000000) g')
  const begun = performance.now()
  let ended: Awaited<ReturnType<typeof warehouse.enforceBudgets>> = []
  while (ended.length === 0 && performance.now() - begun < 5_000) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.equal(await stateOf(calm, `SELECT FROM ${view}`), 'none')
    ended = await warehouse.enforceBudgets()
  }
  assert.deepEqual(
    ended.map(({ domain, login }) => [domain, login]),
    [['slow', 'prod__u__sly']],
  )
  assert.equal(await failing, '57014')
  assert.equal(await stateOf(calm, 'SELECT 1'), 'none')
  // the limit of connections and of temporary files bind new log-ins, and cannot be lifted
  const credential = await warehouse.issueCredential({ subject: 'sly', validMs: 60_000 })
  const again = await world.login(credential)
  assert.equal(await stateOf(again, 'SET temp_file_limit = -1'), '42501')
  assert.equal(await stateOf(again, 'SELECT count(*) FROM (SELECT DISTINCT g FROM generate_series(1, 3000000) g) d'), '53400')
  await assert.rejects(world.login(credential), (error: pg.DatabaseError) => error.code === '53300')
})
