import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { ORDERS_SQL, orderFiles, push, SMALL_MESH, servedOrders, startSmallMesh, waitForEnd, waitForRun } from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const DEPLOY = 'data_product_deploy.yml'
/** The products of this mesh protect nothing themselves. */
const MESH = SMALL_MESH.replace('prod: {', 'prod: {approval: {by: [governance]}, ')

let platform: TestPlatform
before(async () => {
  platform = await startSmallMesh({ mesh: MESH })
})
after(() => platform?.dispose())

const code = (expected: string) => (error: { code?: string }) => error.code === expected
const approve = (number: number, as: string) => platform.client(as).decideRun(number, 'approve')

test('the first release waits too, though its own deploy file asks nobody', async () => {
  const made = await platform.cli(['new', ORDERS, '--yes', '--template', 'orders'])
  assert.equal(made.status, 0, made.stderr)
  const waiting = await waitForRun(platform, ORDERS, (run) => run.kind === 'deploy')
  assert.equal(waiting.state, 'waiting')
  await assert.rejects(approve(waiting.number, 'developer'), code('APPROVAL_NOT_YOURS'))

  // Cancelled and retried it would be queued, if a retry were not judged.
  await platform.client().decideRun(waiting.number, 'cancel')
  await platform.client().decideRun(waiting.number, 'retry')
  assert.equal((await platform.client().run(waiting.number)).state, 'waiting')
  assert.deepEqual((await platform.client().product(ORDERS)).served, [])

  await approve(waiting.number, 'governance')
  assert.equal((await waitForEnd(platform, waiting.number)).state, 'succeeded')
  assert.equal((await servedOrders(platform)).length, 3)
})

test('no deploy file loosens it: not by naming others, not by asking nobody, not by another way to deploy', async () => {
  const tree = await platform.clone(ORDERS)
  const deploy = orderFiles()[DEPLOY]!
  const named = 'prod: {protected: true, approvals: {required: 1, from: [developer, stranger]}}'
  for (const [index, text] of [deploy.replace('prod: {protected: false}', named), deploy].entries()) {
    const pushed = await push(platform, tree, { [DEPLOY]: text, 'dbt/models/orders.sql': `${ORDERS_SQL}-- ${index}\n` })
    const waiting = await platform.client().run(pushed.run!)
    assert.equal(waiting.state, 'waiting')
    assert.ok(waiting.approvers.includes('governance'))
    await assert.rejects(approve(waiting.number, 'developer'), (error: { code?: string }) => /^APPROVAL_/.test(error.code!))
    if (waiting.approvers.includes('stranger')) await approve(waiting.number, 'stranger')
    assert.equal((await platform.client().run(waiting.number)).state, 'waiting', 'without governance nothing runs')
    await approve(waiting.number, 'governance')
    assert.equal((await waitForEnd(platform, waiting.number)).state, 'succeeded')
  }
  const pushed = await push(platform, tree, { 'dbt/models/orders.sql': `${ORDERS_SQL}-- last\n` })
  const again = await platform.cli(['deploy', ORDERS, '--env', 'prod', '--json'])
  assert.notEqual(again.status, 1, again.stderr)
  const runs = (await platform.client().runs({ product: ORDERS })).items.filter((run) => run.commit === pushed.commit)
  assert.deepEqual(
    [...new Set(runs.map((run) => run.state))].filter((state) => state !== 'superseded'),
    ['waiting'],
  )
})
