import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { connectAs, makeProduct, ORDERS_SQL, push, servedOrders, startSmallMesh, waitForEnd } from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const MODEL = 'dbt/models/orders.sql'

let platform: TestPlatform
let tree: string
before(async () => {
  platform = await startSmallMesh()
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  tree = await platform.clone(ORDERS)
  const pushed = await push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', `item || ' (new)' as item,`) })
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded')
})
after(() => platform?.dispose())

const items = async () => (await servedOrders(platform)).map((row) => row.item)
const release = async () => (await platform.client().product(ORDERS)).environments[0]!.release!

const freshness = async () => (await platform.client().products()).items.find(({ address }) => address === ORDERS)!.freshness!
/** The control plane drains publications a moment after the switch. */
async function untilPublications(count: number): Promise<void> {
  const control = await platform.control()
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20)))
    if ((await control.query('select from publication')).rowCount === count) return
  assert.fail(`not ${count} publications after 10 s`)
}

test('a dry run shows the switch and changes nothing', async () => {
  const shown = await platform.cli(['rollback', ORDERS, '--dry-run', '--json'])
  assert.equal(shown.status, 0, shown.stderr)
  const { plan } = shown.json<{ plan: { steps: { command: string }[] } }>()
  assert.deepEqual(
    plan.steps.map((step) => step.command),
    ['reuse-revision', 'serve-port', 'publish', 'apply-monitors', 'list-entry', 'reinstate-release'],
  )
  assert.equal((await release()).number, 2)
})

test('a roll back serves the earlier release under an open reader, without dbt, and forward again', async (t) => {
  const reader = await connectAs(platform, ORDERS)
  await reader.query('begin')
  await reader.query('select count(*) from shop_orders_orders_v1.orders')
  const before = await freshness()
  const began = performance.now()
  const back = await platform.cli(['rollback', ORDERS, '--yes', '--json'])
  const ms = performance.now() - began
  assert.equal(back.status, 0, back.stderr + back.stdout)
  assert.deepEqual(await items(), ['pen', 'ink', 'paper'])
  assert.equal((await release()).number, 1)
  await reader.query('rollback')
  await reader.end()
  const [run] = (await platform.client().runs({ product: ORDERS })).items
  assert.equal(run!.kind, 'rollback')
  assert.equal((await platform.client().run(run!.number)).nodes.length, 0, 'no dbt')
  t.diagnostic(`roll back: ${run!.ms} ms, ${Math.round(ms)} ms with the command`)
  assert.ok(run!.ms! <= 2000, `${run!.ms} ms`)
  // The rows of r1 are older than those of r2, and no roll back makes them younger.
  await untilPublications(3)
  assert.ok((await freshness()) > before, `status says ${await freshness()} s, it said ${before} s of newer rows`)

  assert.equal((await platform.cli(['rollback', ORDERS, '--to', 'r2', '--yes', '--json'])).status, 0)
  assert.deepEqual(await items(), ['pen (new)', 'ink (new)', 'paper (new)'])
})

test('a release that is not there is refused with those that are', async () => {
  const refused = await platform.cli(['rollback', ORDERS, '--to', 'r9', '--yes'])
  assert.notEqual(refused.status, 0)
  assert.match(refused.stderr, /RELEASE_UNKNOWN[\s\S]*r2, r1/)
})

test('a refresh reads the sources again and keeps the release', async () => {
  const refreshed = await platform.cli(['refresh', ORDERS, '--json'])
  assert.equal(refreshed.status, 0, refreshed.stderr + refreshed.stdout)
  assert.equal((await release()).number, 2)
  assert.deepEqual(await items(), ['pen (new)', 'ink (new)', 'paper (new)'])
})

test('two pushes in a row: the release served a moment before is kept, and a roll back finds it', async () => {
  const slow = `${ORDERS_SQL.replace('item,', `item || ' (slow)' as item,`)} where pg_sleep(0.2) is not null\n`
  const first = await push(platform, tree, { [MODEL]: slow })
  const second = await push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', `item || ' (last)' as item,`) })
  for (const { run } of [first, second]) assert.equal((await waitForEnd(platform, run!)).state, 'succeeded')
  assert.deepEqual(await items(), ['pen (last)', 'ink (last)', 'paper (last)'])
  const back = await platform.cli(['rollback', ORDERS, '--yes', '--json'])
  assert.equal(back.status, 0, back.stderr + back.stdout)
  assert.deepEqual(await items(), ['pen (slow)', 'ink (slow)', 'paper (slow)'])
})

test('a release whose data is gone is refused before there is a run, with its commit', async () => {
  const before = (await platform.client().runs({ product: ORDERS })).items[0]!.number
  const refused = await platform.cli(['rollback', ORDERS, '--to', 'r1', '--yes'])
  assert.notEqual(refused.status, 0)
  assert.match(refused.stderr, /RELEASE_REVISION_GONE[\s\S]*--commit [0-9a-f]{40}/)
  assert.equal((await platform.client().runs({ product: ORDERS })).items[0]!.number, before)
})

test('the history says what was released by whom, which is current, and whose data is kept', async () => {
  const { items } = await platform.client().releases(ORDERS)
  assert.deepEqual(
    items.map(({ number, environment, current, kept, by }) => ({ number, environment, current, kept, by })),
    [
      { number: 4, environment: 'prod', current: false, kept: true, by: 'developer' },
      { number: 3, environment: 'prod', current: true, kept: true, by: 'developer' },
      { number: 2, environment: 'prod', current: false, kept: false, by: 'developer' },
      { number: 1, environment: 'prod', current: false, kept: false, by: 'developer' },
    ],
  )
  for (const { run, commit } of items) assert.equal((await platform.client().run(run)).commit, commit)
})
