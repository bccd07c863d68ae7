import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import pg from 'pg'
import {
  consume,
  deploy,
  deployUnpublished,
  makeProduct,
  openWorld,
  type Product,
  publish,
  serve,
  stateOf,
  type World,
} from './world.ts'

// What readers see while what they read is switched below them.
let world: World
let product: Product
let consumer: pg.Client
let flights: string

before(async () => {
  world = await openWorld()
  product = await makeProduct(world)
  await deploy(world, product, 1, { rows: 10 })
  consumer = await consume(world, product, 'carol')
  flights = `${product.names.served('data', 1)}.flights`
})
after(() => world.dispose())
afterEach(() => consumer.query('ROLLBACK'))

async function count(client: pg.Client): Promise<number> {
  return Number((await client.query(`SELECT count(*) AS n FROM ${flights}`)).rows[0].n)
}

test('what is built and not published cannot be used, and after the switch the old schema cannot', async () => {
  const revision = await deployUnpublished(world, product, 2, { rows: 20 })
  assert.equal(await count(consumer), 10)
  assert.equal(await stateOf(consumer, `SELECT FROM ${product.names.servedRevision('data', 1, 2)}.flights`), '42501')
  await publish(world, product, revision)
  assert.equal(await count(consumer), 20)
  assert.equal(await stateOf(consumer, `SELECT FROM ${product.names.servedRevision('data', 1, 1)}.flights`), '42501')
})

test('an open READ COMMITTED transaction and a prepared statement follow; an open cursor finishes on the old rows', async () => {
  const prepared = { name: 'counting', text: `SELECT count(*) AS n FROM ${flights}` }
  assert.equal((await consumer.query(prepared)).rows[0].n, '20')
  await consumer.query('BEGIN')
  await consumer.query(`DECLARE held CURSOR FOR SELECT id FROM ${flights}`)
  assert.equal((await consumer.query('FETCH 5 FROM held')).rowCount, 5)
  await deploy(world, product, 3, { rows: 30 })
  assert.equal((await consumer.query('FETCH ALL FROM held')).rowCount, 15)
  assert.equal(await count(consumer), 30)
  await consumer.query('COMMIT')
  assert.equal((await consumer.query(prepared)).rows[0].n, '30')
})

for (const first of [false, true])
  test(`a REPEATABLE READ snapshot older than a publication gets 40001, never 0 rows (${first ? 'has read before' : 'reads first'})`, async () => {
    const n = first ? 5 : 4
    await consumer.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await consumer.query(first ? `SELECT count(*) FROM ${flights}` : 'SELECT 1')
    await deploy(world, product, n, { rows: n * 10 })
    assert.equal(await stateOf(consumer, `SELECT count(*) FROM ${flights}`), '40001')
    await consumer.query('ROLLBACK')
    assert.equal(await count(consumer), n * 10)
  })

test('after a roll back no snapshot reads new and then old: the old tables are a new publication', async () => {
  const old = await deploy(world, product, 6, { rows: 60 })
  await deploy(world, product, 7, { rows: 70 })
  await consumer.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  assert.equal(await count(consumer), 70)
  await product.nextRun()
  await serve(world, product, old)
  await publish(world, product, old)
  assert.equal(await stateOf(consumer, `SELECT count(*) FROM ${flights}`), '40001')
  await consumer.query('ROLLBACK')
  assert.equal(await count(consumer), 60)
  const [served] = await world.warehouse.served(product.place)
  assert.equal(served?.revision, 6)
})

test('a publication does not wait for a reader that holds its transaction open, and new readers do not wait for it', async () => {
  const reader = await world.login(await world.warehouse.issueCredential({ subject: 'carol', validMs: 60_000 }))
  await reader.query('BEGIN')
  await reader.query(`SELECT count(*) FROM ${flights}`)
  const slow = reader.query(`SELECT count(*) FROM ${flights}, pg_sleep(1.5)`)
  const revision = await deployUnpublished(world, product, 8, { rows: 80 })
  const newcomers = await Promise.all([1, 2, 3].map(async () => world.login(await credentialOf('dora'))))
  const begun = performance.now()
  await publish(world, product, revision)
  const switched = performance.now() - begun
  const counts = await Promise.all(newcomers.map(count))
  const answered = performance.now() - begun
  assert.deepEqual(counts, [80, 80, 80])
  assert.ok(switched <= 500, `the switch took ${switched} ms`)
  assert.ok(answered <= 700, `new readers waited ${answered} ms`)
  assert.equal((await slow).rows.length, 1)
  await reader.query('COMMIT')
})

let password: { user: string; password: string } | null = null
async function credentialOf(subject: string) {
  if (password === null) {
    await world.warehouse.grant({ subject, at: product.at, context: product.context() })
    password = await world.warehouse.issueCredential({ subject, validMs: 60_000 })
  }
  return password
}

test('readers during many switches see one whole publication each time', async () => {
  const one = await deploy(world, product, 9, { rows: 100 })
  const two = await deploy(world, product, 10, { rows: 200 })
  let reading = true
  const seen = new Set<number>()
  const failures: string[] = []
  const reader = (async () => {
    while (reading)
      try {
        seen.add(await count(consumer))
      } catch (error) {
        failures.push(error instanceof pg.DatabaseError ? (error.code ?? '') : 'lost')
      }
  })()
  for (let swap = 0; swap < 20; swap++) {
    const revision = swap % 2 === 0 ? one : two
    await product.nextRun()
    await serve(world, product, revision)
    await publish(world, product, revision)
  }
  reading = false
  await reader
  assert.deepEqual(
    [...seen].filter((n) => n !== 100 && n !== 200),
    [],
  )
  assert.ok(seen.size === 2, 'the reader saw both')
  assert.deepEqual(failures, [])
})

test('collect drops what nobody uses, keeps what somebody reads or stands on, never CASCADE', async () => {
  const { warehouse } = world
  const admin = await world.superuser()
  const standing = product.names.servedRevision('data', 1, 1)
  await admin.query(`CREATE VIEW public.foreign_view AS SELECT * FROM ${standing}.flights`)
  await consumer.query('BEGIN')
  const before = await warehouse.served(product.place)
  await consumer.query(`SELECT FROM ${flights}`)
  const revision = await deploy(world, product, 11, { rows: 110 })
  await product.nextRun()
  const { dropped, kept } = await warehouse.collect({ place: product.place, keep: [11], context: product.context() })
  const demoted = (await admin.query(`SELECT max(n) AS n FROM heddle.served WHERE state = 'demoted'`)).rows[0].n
  // the foreign view keeps publication 1 and its tables; the open transaction keeps the one it read
  assert.deepEqual(kept.toSorted(), [standing, product.names.servedRevision('data', 1, demoted)].toSorted())
  assert.ok(dropped.includes(product.names.revision(3)))
  assert.ok(!dropped.includes(product.names.revision(1)) && !dropped.includes(product.names.revision(before[0]!.revision)))
  await consumer.query('COMMIT')
  await admin.query('DROP VIEW public.foreign_view')
  await product.nextRun()
  const again = await warehouse.collect({ place: product.place, keep: [11], context: product.context() })
  assert.deepEqual(again.kept, [])
  assert.ok(again.dropped.includes(product.names.revision(1)))
  assert.equal(await count(consumer), revision.objects[0]!.rows)
})
