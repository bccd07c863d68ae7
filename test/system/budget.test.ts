import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { TestPlatform } from '../platform.ts'
import { connectAs, makeProduct, push, SMALL_MESH, startSmallMesh, waitForEnd } from '../small-mesh.ts'

let platform: TestPlatform

before(async () => {
  platform = await startSmallMesh({
    mesh: SMALL_MESH.replace(
      'clinic: {title: Clinic, owners: [owner]}',
      'clinic: {title: Clinic, owners: [owner], budget: {connections: 3, statement: 2s, tempFiles: 16MB}}',
    ),
  })
  await makeProduct(platform, 'shop/orders', ['--template', 'orders'])
  const request = await platform
    .client('consumer')
    .createRequest({ kind: 'access', payload: { product: 'shop/orders', port: 'orders', purpose: 'analytics' } })
  await platform.client().decideRequest(request.number, 'approve')
  for (let state = ''; state !== 'done'; ) state = (await platform.client().request(request.number)).state
})
after(() => platform?.dispose())

/** Hours of work without a temporary file. */
const RUNAWAY = 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b where (a * b) % 7 = 3'
const timed = async (work: () => Promise<unknown>) => {
  const began = performance.now()
  await work()
  return Math.round(performance.now() - began)
}

test("a runaway query is ended by its domain's budget while others and the control plane answer", async (t) => {
  const runaway: pg.Client[] = []
  for (let n = 0; n < 3; n++) runaway.push(await connectAs(platform, 'shop/orders', 'consumer'))
  // Whoever lifts the setting meets the watchdog.
  await runaway[1]!.query("set statement_timeout = '0'")
  const began = performance.now()
  const ended = runaway.map((client) =>
    client.query(RUNAWAY).then(
      () => null,
      (error: { code: string }) => ({ code: error.code, ms: Math.round(performance.now() - began) }),
    ),
  )

  const shop = await connectAs(platform, 'shop/orders')
  const answers: number[] = []
  const pings: number[] = []
  while (performance.now() - began < 1_800) {
    answers.push(await timed(() => shop.query('select count(*) from shop_orders_orders_v1.orders')))
    pings.push(await timed(() => platform.client().products()))
  }
  const pushed = await push(platform, await platform.clone('shop/orders'), {
    'dbt/macros/note.sql': '{# during a runaway query #}\n',
  })
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded')
  const results = await Promise.all(ended)
  assert.deepEqual([results[0]!.code, results[2]!.code], ['57014', '57014'])
  assert.ok(['57014', '57P01'].includes(results[1]!.code), results[1]!.code)
  assert.ok(results[0]!.ms < 4_000 && results[1]!.ms < 8_000, JSON.stringify(results))
  const worst = (values: number[]) => Math.max(...values)
  t.diagnostic(
    `runaway ended after ${results.map((each) => each!.ms).join(', ')} ms (budget 2 s); meanwhile other domain: worst ${worst(answers)} ms of ${answers.length}, control plane: worst ${worst(pings)} ms`,
  )
  assert.ok(worst(answers) < 1_500 && worst(pings) < 2_000)
  await shop.end()
  for (const client of runaway) await client.end().catch(() => {})
})

test('a domain has its number of connections and its temporary files, and no more', async () => {
  const held: pg.Client[] = []
  const { url } = await platform.client('consumer').connect('shop/orders')
  const open = async () => {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    await client.connect()
    held.push(client)
    return client
  }
  for (let n = 0; n < 3; n++) await open()
  await assert.rejects(open(), (error: { code: string }) => error.code === '53300')
  await assert.rejects(
    held[0]!.query(
      "set work_mem = '64kB'; select count(*) from (select n from generate_series(1, 3000000) n order by n::text) s",
    ),
    (error: { code: string }) => ['53400', '57014'].includes(error.code),
  )
  const other = await connectAs(platform, 'shop/orders')
  await other.query('select 1 from shop_orders_orders_v1.orders')
  await other.end()
  for (const client of held) await client.end()
})

test('a revocation does not wait behind as many builds as the platform runs at once', async (t) => {
  const slow = '{{ config(pre_hook="select pg_sleep(4)") }}\n'
  const addresses = ['shop/a', 'shop/b', 'shop/c', 'shop/d']
  await Promise.all(addresses.map((address) => makeProduct(platform, address)))
  const trees = await Promise.all(addresses.map((address) => platform.clone(address)))
  const numbers: number[] = []
  for (const tree of trees) {
    const model = (await platform.git(['show', 'HEAD:dbt/models/example.sql'], tree)).stdout
    numbers.push((await push(platform, tree, { 'dbt/models/example.sql': slow + model })).run!)
  }
  const agreement = (await platform.client().agreements({ product: 'shop/orders' })).items.find(
    (each) => each.state === 'active',
  )!
  const began = performance.now()
  await platform.client().revokeAgreement(agreement.number, 'test')
  while ((await platform.client().agreement(agreement.number)).state !== 'revoked') {
    assert.ok(performance.now() - began < 10_000)
  }
  const ms = Math.round(performance.now() - began)
  const states = await Promise.all(numbers.map(async (number) => (await platform.client().run(number)).state))
  assert.deepEqual([...new Set(states)], ['running'], 'the builds were on all the while')
  t.diagnostic(`revoked after ${ms} ms while ${states.length} builds ran`)
  assert.ok(ms <= 1_500, `${ms} ms`)
  for (const number of numbers) assert.equal((await waitForEnd(platform, number)).state, 'succeeded')
})
