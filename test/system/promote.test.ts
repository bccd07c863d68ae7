import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { RunSummary } from '../../src/client/types.ts'
import type { TestPlatform } from '../platform.ts'
import {
  connectAs,
  makeProduct,
  ORDERS_SQL,
  orderFiles,
  push,
  SMALL_MESH,
  startSmallMesh,
  waitForEnd,
  waitForRun,
  writeFiles,
} from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const MODEL = 'dbt/models/orders.sql'
const DEPLOY = `apiVersion: heddle.dev/v1alpha1
kind: Pipeline
metadata: {name: orders}
environments:
  dev: {protected: false}
  prod: {protected: true, approvals: {required: 1, from: [platform]}}
`
const said = (word: string) => ORDERS_SQL.replace('item,', `item || ' (${word})' as item,`)

let platform: TestPlatform
let tree: string
before(async () => {
  const one = '  prod: {warehouse: {adapter: postgres}}\n'
  platform = await startSmallMesh({ mesh: SMALL_MESH.replace(one, `  dev: {warehouse: {adapter: postgres}}\n${one}`) })
  await writeFiles(`${platform.data}/work/templates/orders`, { ...orderFiles(), 'data_product_deploy.yml': DEPLOY })
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  tree = await platform.clone(ORDERS)
})
after(() => platform?.dispose())

const place = async (name: string) => (await platform.client().product(ORDERS)).environments.find((one) => one.name === name)!
const waiting = (run: RunSummary) => run.state === 'waiting'

async function items(environment: string): Promise<string[]> {
  const reader = await connectAs(platform, ORDERS, undefined, environment)
  try {
    const { rows } = await reader.query<{ item: string }>('select item from shop_orders_orders_v1.orders order by id')
    return rows.map((row) => row.item)
  } finally {
    await reader.end()
  }
}

async function approved(run: { number: number }): Promise<void> {
  await platform.client('platform').decideRun(run.number, 'approve')
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
}

test('a release goes on by hand, approved as a push would be, and once', async () => {
  const automatic = await waitForRun(platform, ORDERS, waiting)
  await platform.client('platform').decideRun(automatic.number, 'deny')
  assert.equal((await place('prod')).release, null)

  const promoted = await platform.cli(['promote', ORDERS, '--json'])
  assert.equal(promoted.status, 6, promoted.stderr)
  const run = await waitForRun(platform, ORDERS, waiting)
  assert.deepEqual([run.kind, run.environment], ['promote', 'prod'])
  assert.match(run.because, /promoted from r1 · 1\.0\.0 of dev/)
  assert.deepEqual((await platform.client().run(run.number)).approvers, ['platform'])
  await approved(run)
  const [dev, prod] = [await place('dev'), await place('prod')]
  assert.equal(prod.release!.commit, dev.release!.commit)

  const again = await platform.cli(['promote', ORDERS])
  assert.equal(again.status, 1)
  assert.match(again.stderr, /RELEASE_NOTHING_NEWER[\s\S]*dev has nothing newer[\s\S]*prod serves that commit as r1/)
})

test('only owners promote, and only along the deploy file', async () => {
  const stranger = await platform.cli(['promote', ORDERS, '--as', 'stranger'])
  assert.equal(stranger.status, 4, stranger.stderr)
  const backwards = await platform.cli(['promote', ORDERS, '--from', 'prod', '--to', 'dev'])
  assert.match(backwards.stderr, /ENVIRONMENT_UNKNOWN[\s\S]*--from dev --to prod/)
})

test('a roll back pins: refreshes run that release until it is unpinned', async () => {
  const pushed = await push(platform, tree, { [MODEL]: said('new') })
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded')
  await approved(await waitForRun(platform, ORDERS, waiting))
  assert.deepEqual(await items('prod'), ['pen (new)', 'ink (new)', 'paper (new)'])

  const back = await platform.cli(['rollback', ORDERS, '--env', 'prod', '--yes'])
  assert.equal(back.status, 0, back.stderr)
  assert.match(back.stderr, /heddle unpin shop\/orders --env prod/)
  const pinned = await place('prod')
  assert.equal(pinned.release!.number, 1)
  assert.equal(pinned.pinned!.by, 'developer')
  assert.equal((await place('dev')).pinned, null)
  assert.match((await platform.cli(['show', ORDERS])).stdout, /pinned by developer/)

  assert.equal((await platform.cli(['refresh', ORDERS, '--env', 'prod'])).status, 0)
  assert.deepEqual(await items('prod'), ['pen', 'ink', 'paper'], 'the release, never the head of main')
  assert.ok((await place('prod')).pinned)

  const older = await platform.cli(['unpin', ORDERS, '--env', 'dev'])
  assert.match(older.stderr, /RELEASE_NOT_PINNED/)
  const unpinned = await platform.cli(['unpin', ORDERS, '--env', 'prod', '--json'])
  assert.equal(unpinned.status, 6, unpinned.stderr)
  assert.ok((await place('prod')).pinned, 'until it is served')
  await approved(await waitForRun(platform, ORDERS, waiting))
  const after = await place('prod')
  assert.deepEqual([after.release!.number, after.release!.commit, after.pinned], [3, pushed.commit, null])
  assert.deepEqual(await items('prod'), ['pen (new)', 'ink (new)', 'paper (new)'])
})

test('rolling forward to the newest release pins nothing', async () => {
  assert.equal((await platform.cli(['rollback', ORDERS, '--env', 'dev', '--yes'])).status, 0)
  assert.ok((await place('dev')).pinned)
  assert.equal((await platform.cli(['rollback', ORDERS, '--env', 'dev', '--to', 'r2', '--yes'])).status, 0)
  assert.equal((await place('dev')).pinned, null)
})

test('the next push deploys and unpins', async () => {
  assert.equal((await platform.cli(['rollback', ORDERS, '--env', 'dev', '--yes'])).status, 0)
  const pushed = await push(platform, tree, { [MODEL]: said('third') })
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded')
  const dev = await place('dev')
  assert.deepEqual([dev.release!.commit, dev.pinned], [pushed.commit, null])
  const next = await waitForRun(platform, ORDERS, waiting)
  await platform.client('platform').decideRun(next.number, 'deny')
})

test('what was on its way when an environment was rolled back does not go on to it', async () => {
  const slow = `${said('slow').trimEnd()} where pg_sleep(1.5) is not null\n`
  const pushed = await push(platform, tree, { [MODEL]: slow })
  const back = await platform.cli(['rollback', ORDERS, '--env', 'prod', '--yes'])
  assert.equal(back.status, 0, back.stderr)
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded')
  const { items: runs } = await platform.client().runs({ product: ORDERS })
  assert.deepEqual(
    runs.filter((run) => run.number > pushed.run! && run.kind !== 'rollback').map((run) => run.number),
    [],
  )
  // By hand it does: whoever promotes has seen the pin.
  const promoted = await platform.cli(['promote', ORDERS, '--json'])
  assert.equal(promoted.status, 6, promoted.stderr)
  await approved(await waitForRun(platform, ORDERS, waiting))
  const prod = await place('prod')
  assert.deepEqual([prod.release!.commit, prod.pinned], [pushed.commit, null])
})
