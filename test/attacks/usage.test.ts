import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { UsageReading } from '../../src/platform/warehouse.ts'
import { consume, deploy, makeProduct, openWorld, type Product, stateOf, type World } from './world.ts'

// What is counted, and that nobody can count for another, for a port that is not theirs, or see what others read.
let world: World
let product: Product
let other: Product
let carol: pg.Client
let dora: pg.Client
let flights: string

before(async () => {
  world = await openWorld()
  product = await makeProduct(world)
  other = await makeProduct(world)
  await deploy(world, product, 1, { rows: 10 })
  await deploy(world, other, 1, { rows: 10 })
  carol = await consume(world, product, 'carol')
  dora = await consume(world, other, 'dora')
  flights = `${product.names.served('data', 1)}.flights`
  await reads()
})
after(() => world.dispose())

async function look(): Promise<UsageReading> {
  return world.warehouse.readUsage({ since: null, keepDays: 400 })
}

/** Sums by reader and product. */
async function reads(): Promise<Record<string, number>> {
  const sums: Record<string, number> = {}
  for (const { product: id, reader, reads: n } of (await look()).reads) {
    const key = `${reader} ${id === product.place.id ? 'product' : id === other.place.id ? 'other' : id}`
    sums[key] = (sums[key] ?? 0) + n
  }
  return sums
}

/** What carol's work adds to her reads of the product. */
async function counted(work: () => Promise<unknown>): Promise<number> {
  const [key, before] = ['carol product', await reads()]
  await work()
  return ((await reads())[key] ?? 0) - (before[key] ?? 0)
}

test('every way to read a served object counts once per object and statement', async () => {
  const run = (sql: string) => () => carol.query(sql)
  assert.equal(await counted(run(`SELECT * FROM ${flights} WHERE id = 3`)), 1)
  assert.equal(await counted(run(`SELECT count(*) FROM ${flights} a JOIN ${flights} b USING (id)`)), 2)
  assert.equal(await counted(run(`SELECT * FROM ${flights} WHERE false`)), 0)
  assert.equal(await counted(run(`EXPLAIN SELECT * FROM ${flights}`)), 0)
  assert.equal(await counted(run(`SELECT tail FROM ${flights} LIMIT 0`)), 0)
  assert.equal(await counted(run(`TABLE ${flights}`)), 1)
  assert.equal(await counted(run(`SELECT (SELECT count(*) FROM ${flights}), (SELECT max(id) FROM ${flights})`)), 2)
  const prepared = { name: 'one', text: `SELECT tail FROM ${flights} WHERE id = $1` }
  assert.equal(
    await counted(async () => {
      for (let id = 1; id <= 12; id++) await carol.query({ ...prepared, values: [id] })
    }),
    12,
  )
  assert.equal(
    await counted(async () => {
      await carol.query('BEGIN READ ONLY')
      await carol.query(`DECLARE held CURSOR FOR SELECT id FROM ${flights}`)
      await carol.query('FETCH 2 FROM held')
      await carol.query('FETCH 2 FROM held')
      await carol.query('COMMIT')
    }),
    1,
  )
  assert.equal(await counted(run(`COPY (SELECT * FROM ${flights}) TO STDOUT`)), 1)
  assert.equal(
    await counted(async () => {
      await carol.query('SET debug_parallel_query = on; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0')
      await carol.query(`SELECT count(*) FROM ${flights}`)
      await carol.query('RESET ALL')
    }),
    1,
  )
})

test('it counts across a publication, and a snapshot that is too old is refused and not counted', async () => {
  assert.equal(
    await counted(async () => {
      await carol.query(`SELECT count(*) FROM ${flights}`)
      await deploy(world, product, 2, { rows: 20 })
      await carol.query(`SELECT count(*) FROM ${flights}`)
    }),
    2,
  )
  assert.equal(
    await counted(async () => {
      await carol.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
      await carol.query('SELECT 1')
      await deploy(world, product, 3, { rows: 30 })
      assert.equal(await stateOf(carol, `SELECT count(*) FROM ${flights}`), '40001')
      await carol.query('ROLLBACK')
    }),
    0,
  )
})

test("the platform's own reads, its proofs and a product's reads of itself are not counted", async () => {
  const before = await reads()
  const { place, at } = product
  await world.warehouse.measure({
    place,
    ports: [{ port: 'data', major: 1, objects: [{ name: 'flights', element: 'id', count: true }] }],
  })
  const proofs = await world.warehouse.prove({ subject: 'carol', at, expect: 'granted', masked: [] })
  assert.ok(proofs.some(({ what, ok }) => ok && what.startsWith('read ')))
  assert.deepEqual(await reads(), before)
  // and the session after a proof counts again
  const again = await world.login(await world.warehouse.issueCredential({ subject: 'carol', validMs: 60_000 }))
  assert.equal(await counted(() => again.query(`SELECT count(*) FROM ${flights}`)), 1)
})

test('a reader can neither call, see, reset nor switch off the counting', async () => {
  const port = product.names.served('data', 1)
  for (const statement of [
    `SELECT heddle_usage.${port}()`,
    `SELECT heddle.sample_usage(400)`,
    'SELECT FROM heddle.usage',
    'SELECT FROM heddle.counter',
    'SELECT FROM heddle.usage_seen',
    'SELECT FROM heddle.pg_stat_statements',
    'SELECT FROM heddle.pg_stat_statements(false)',
    'SELECT heddle.pg_stat_statements_reset()',
    "SET pg_stat_statements.track = 'none'",
    "SET compute_query_id = 'off'",
    "ALTER ROLE CURRENT_USER SET pg_stat_statements.track = 'none'",
    `CREATE OR REPLACE FUNCTION heddle_usage.${port}() RETURNS boolean LANGUAGE internal AS 'booltrue'`,
  ])
    assert.equal(await stateOf(carol, statement), '42501', statement)
  assert.equal(await stateOf(carol, 'SELECT FROM pg_stat_statements'), '42P01')
})

test('who runs the counted statement itself counts nowhere but where it may read anyway', async () => {
  const port = other.names.served('data', 1)
  const before = await reads()
  // nested under EXPLAIN ANALYZE and COPY it looks to the statistics as if a view had called the counter
  for (let n = 0; n < 5; n++) await carol.query(`EXPLAIN ANALYZE SELECT FROM (SELECT) AS ${port}`)
  await carol.query('SET search_path = public')
  await carol.query(`SELECT FROM (SELECT) AS ${port}`)
  await carol.query('RESET ALL')
  assert.deepEqual(await reads(), before)
  const admin = await world.superuser()
  const seen = await admin.query(
    `SELECT sum(calls)::integer AS n FROM heddle.pg_stat_statements(false) s JOIN heddle.counter c USING (queryid)
     WHERE NOT toplevel AND userid = 'prod__u__carol'::regrole AND c.port = $1`,
    [port],
  )
  assert.equal(seen.rows[0].n, 5, 'the statistics do hold what was forged')
  await admin.query(`SELECT count(*) FROM ${port}.flights`)
  assert.deepEqual(await reads(), before, 'nor does a superuser')
})

test('a reader who is let go is counted until then', async () => {
  await dora.query(`SELECT count(*) FROM ${other.names.served('data', 1)}.flights`)
  await other.nextRun()
  await world.warehouse.revoke({ subject: 'dora', at: other.at, context: other.context() })
  assert.equal((await reads())['dora other'], 1)
})

test('looking twice, and two at once, counts once', async () => {
  const added = await counted(async () => {
    await carol.query(`SELECT count(*) FROM ${flights}`)
    const second = world.another()
    await Promise.all([look(), second.readUsage({ since: null, keepDays: 400 }), look()])
  })
  assert.equal(added, 1)
  const { asOf } = await look()
  assert.deepEqual((await world.warehouse.readUsage({ since: asOf, keepDays: 400 })).reads, [])
})

test('statistics that are reset are a gap, and count on', async () => {
  const admin = await world.superuser()
  const before = (await look()).gaps.length
  const added = await counted(async () => {
    await carol.query(`SELECT count(*) FROM ${flights}`)
    await look()
    await admin.query('SELECT heddle.pg_stat_statements_reset()')
    await carol.query(`SELECT count(*) FROM ${flights}`)
    await carol.query(`SELECT count(*) FROM ${flights}`)
  })
  assert.equal(added, 3)
  const { gaps } = await look()
  assert.equal(gaps.length, before + 1)
  assert.equal(gaps.at(-1)!.why, 'the statistics were reset')
  assert.ok(gaps.at(-1)!.from <= gaps.at(-1)!.to)
})

test('entries that were pushed out count anew and are a gap', async () => {
  const admin = await world.superuser()
  const most = Number((await admin.query('SHOW pg_stat_statements.max')).rows[0]['pg_stat_statements.max'])
  const added = await counted(async () => {
    await carol.query(`SELECT count(*) FROM ${flights}`)
    await look()
    // every number of columns is a statement of its own
    for (let wave = 0; wave * 400 < most + 1200; wave++)
      await carol.query(Array.from({ length: 400 }, (_, n) => `SELECT FROM (SELECT) AS w${wave}x${n}`).join('; '))
    await carol.query(`SELECT count(*) FROM ${flights}`)
  })
  assert.equal(added, 2)
  assert.ok((await look()).gaps.some(({ why }) => why === 'the statistics were full and forgot statements'))
})

test('views of the guard before go on, are told apart, and their next publication counts', async () => {
  const old = await makeProduct(world)
  await deploy(world, old, 1, { rows: 5 })
  const admin = await world.superuser()
  const schema = old.names.served('data', 1)
  const eva = await consume(world, old, 'eva')
  // as a version before left it
  await admin.query(
    `CREATE OR REPLACE VIEW ${schema}.flights AS SELECT id, origin, tail FROM ${old.names.revision(1)}.flights WHERE (SELECT heddle.seen('${schema}', 1))`,
  )
  await admin.query(`SELECT heddle.drop_counters($1, NULL)`, [old.place.id])
  await eva.query(`SELECT count(*) FROM ${schema}.flights`)
  const port = async () => (await look()).ports.find((each) => each.product === old.place.id)
  assert.equal((await port())?.countedSince, null)
  await deploy(world, old, 2, { rows: 6 })
  assert.ok((await port())?.countedSince)
  await eva.query(`SELECT count(*) FROM ${schema}.flights`)
  const found = (await look()).reads.filter((each) => each.product === old.place.id)
  assert.deepEqual(
    found.map(({ reader, reads: n }) => [reader, n]),
    [['eva', 1]],
  )
})

test('with a product goes all that counted it', async () => {
  const { place } = product
  await carol.end()
  await product.nextRun()
  assert.deepEqual((await world.warehouse.standing(place)).functions, [`heddle_usage.${product.names.served('data', 1)}()`])
  await world.warehouse.removeProduct({ place, context: product.context() })
  const standing = await world.warehouse.standing(place)
  assert.deepEqual([standing.functions, standing.registry, standing.schemas], [[], [], []])
  const reading = await look()
  assert.ok(reading.reads.every((each) => each.product !== place.id) && reading.ports.every((each) => each.product !== place.id))
})
