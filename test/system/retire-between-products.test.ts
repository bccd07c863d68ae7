import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { addressOf, arrive, startMeshOfFour } from '../mesh-of-four.ts'
import type { TestPlatform } from '../platform.ts'
import { connectAs, waitForEnd, waitForRun } from '../small-mesh.ts'

/** A product that reads another by a trigger, and the one it reads: what ends with the one, and what keeps the other. */
const [TOP, LEFT] = [addressOf('top'), addressOf('left')]
let platform: TestPlatform
let control: pg.Client
let warehouse: pg.Client

before(async () => {
  platform = await startMeshOfFour()
  ;[control, warehouse] = await Promise.all([platform.control(), platform.warehouse('prod')])
  await make(TOP)
  await make(LEFT, async () => {
    await waitForRun(platform, LEFT, (run) => run.kind === 'deploy' && run.state === 'waiting')
    await approveInputs()
  })
})
after(() => platform?.dispose())

async function make(address: string, meanwhile = async () => {}): Promise<void> {
  const made = await platform.cli(['new', address, '--yes', '--template', address.split('/')[1]!])
  assert.equal(made.status, 0, made.stderr + made.stdout)
  await meanwhile()
  await waitForRun(platform, address, (run) => run.kind === 'deploy' && run.state === 'succeeded')
}

async function approveInputs(): Promise<number> {
  const { rows } = await control.query<{ number: number }>(
    `select number::int from request where state = 'submitted' and payload ->> 'subject' = $1`,
    [`service:${LEFT}`],
  )
  for (const { number } of rows) await platform.client('owner').decideRequest(number, 'approve')
  return rows.length
}

const retire = (address: string) => platform.cli(['retire', address, '--confirm', address, '--json'])
const triggers = async () => (await control.query('select component from trigger')).rowCount
const readersOfTop = async () =>
  (
    await warehouse.query(
      `select u.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles u on u.oid = m.member where g.rolname = 'prod__lab_top_top_v1__read' and u.rolname like '%hall%'`,
    )
  ).rowCount
const leftRuns = async () => (await platform.client().runs({ product: LEFT, limit: 100 })).items

async function servedByLeft(): Promise<number> {
  const reader = await connectAs(platform, LEFT)
  try {
    return (await reader.query('select count(*)::int as n from hall_left_left_v1.left')).rows[0].n
  } finally {
    await reader.end()
  }
}

async function publishTop(numbers: number): Promise<void> {
  await arrive(platform, numbers)
  const { number } = await platform.client().refresh(TOP)
  assert.equal((await waitForEnd(platform, number)).state, 'succeeded')
}

test('what another product reads is not retired; the product is named', async () => {
  const refused = await retire(TOP)
  assert.notEqual(refused.status, 0)
  assert.match(refused.stdout + refused.stderr, /RETIRE_CONSUMERS_ACTIVE/)
  assert.match(refused.stdout + refused.stderr, /service:hall\/left/)
})

test('with a consuming product go its schedule and what it held of others', async () => {
  assert.equal(await triggers(), 1)
  assert.equal(await readersOfTop(), 1)
  const retired = await retire(LEFT)
  assert.equal(retired.status, 0, retired.stderr + retired.stdout)
  assert.equal(await triggers(), 0)
  assert.equal(await readersOfTop(), 0)
  const { items } = await platform.client().agreements({ product: TOP })
  assert.deepEqual(
    items.map(({ state, endedBecause }) => [state, endedBecause]),
    [['revoked', 'the consumer was retired']],
  )
  const before = (await leftRuns()).length
  await publishTop(2)
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  assert.equal((await leftRuns()).length, before, 'a publication starts nothing for it')
})

test('restored, it has its schedule again and asks again for what it reads', async () => {
  const restored = await platform.cli(['restore', LEFT, '--yes', '--json'])
  assert.equal(restored.status, 0, restored.stderr + restored.stdout)
  assert.equal(await triggers(), 1)
  assert.equal(await readersOfTop(), 0)
  assert.equal(await approveInputs(), 1)
  for (const end = Date.now() + 20_000; (await readersOfTop()) === 0; ) assert.ok(Date.now() < end, 'granted')
  await publishTop(3)
  // What was published while it was retired may come first, as a run of its own.
  for (const end = Date.now() + 40_000; (await servedByLeft()) !== 3; ) {
    assert.ok(Date.now() < end, 'it refreshes because its input published')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
})

test('both can go, the reader first', async () => {
  for (const address of [LEFT, TOP]) {
    const retired = await retire(address)
    assert.equal(retired.status, 0, retired.stderr + retired.stdout)
  }
  assert.equal((await warehouse.query(`select from pg_namespace where nspname ~ '^(lab|hall)_'`)).rowCount, 0)
  assert.equal((await warehouse.query(`select from pg_roles where rolname ~ '^prod__(lab|hall)_'`)).rowCount, 0)
})
