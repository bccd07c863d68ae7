import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { TestPlatform } from '../platform.ts'
import { push, waitForEnd } from '../small-mesh.ts'
import { isAlive, processesOf } from './processes.ts'
import { brokenInvariants, differences, type ProductState, stateOf } from './state-of.ts'
import { isNapping } from './stopped-worker.ts'
import { askFor, PRODUCTS, secondFiles, slowFiles, startFaultMesh, until, untilEnded, writeTemplate } from './world.ts'

/** Partial failure is a state with three ways out: retry from here, edit, undo. */
const [CALM, CANCELLED, SQUATTED, UNDONE] = PRODUCTS as [string, string, string, string]
let platform: TestPlatform
let warehouse: pg.Client
let calm: ProductState

before(async () => {
  platform = await startFaultMesh()
  await askFor(platform, CALM)
  await untilEnded(platform, CALM, 2)
  calm = await stateOf(platform, CALM)
  warehouse = await platform.warehouse('prod')
})
after(() => platform?.dispose())

const sqlName = (address: string) => address.replace('/', '_').replaceAll('-', '_')
const names = async (sql: string, pattern: string) =>
  (await warehouse.query<{ name: string }>(sql, [pattern])).rows.map((row) => row.name)
const objectsOf = async (address: string) => [
  ...(await names('select nspname as name from pg_namespace where nspname like $1 order by 1', `${sqlName(address)}%`)),
  ...(await names(
    'select rolname as name from pg_roles where rolname like $1 order by 1',
    `prod\\_\\_${sqlName(address).replace('_pro', '__pro')}\\_\\_%`,
  )),
]
const requestOf = async (address: string) => {
  const { items } = await platform.client().requests({})
  return items.find((each) => each.payload.domain === address.split('/')[0])!
}

test('a deploy cancelled while dbt builds: the job ends, the login is shut, nothing is published; retry goes on from there', {
  timeout: 120_000,
}, async () => {
  await writeTemplate(platform, CANCELLED, slowFiles(2))
  await askFor(platform, CANCELLED)
  await until('dbt naps', 30, () => isNapping(platform))
  const { jobs } = await processesOf(platform)
  const { items } = await platform.client().runs({ product: CANCELLED })
  const number = items[0]!.number
  const began = performance.now()
  await platform.client().decideRun(number, 'cancel')
  const run = await waitForEnd(platform, number)
  assert.ok(performance.now() - began < 10_000, 'ended at once, not with the model')
  assert.equal(run.state, 'cancelled')
  assert.equal(run.problem?.code, 'RUN_CANCELLED')
  assert.equal(run.steps.find((step) => step.state === 'cancelled')?.command, 'transform')
  assert.ok(!(await isAlive(jobs[0]!)), 'the dbt process is gone')
  // The build schema may hold what dbt had made: the next build clears it.
  assert.deepEqual(
    (await brokenInvariants(platform)).filter((what) => !what.startsWith('left in the build schema')),
    [],
  )
  assert.deepEqual((await platform.client().product(CANCELLED)).served, [])

  await platform.client().decideRun(number, 'retry')
  const retried = await waitForEnd(platform, number)
  assert.equal(retried.state, 'succeeded', JSON.stringify(retried.problem))
  assert.equal(retried.steps.find((step) => step.command === 'ingest')?.attempt, 1, 'finished steps are not done again')
  assert.deepEqual(differences(await stateOf(platform, CANCELLED), calm), [])
})

test('a second deploy cancelled: consumers still read the first', { timeout: 90_000 }, async () => {
  const before = await servedRows(CANCELLED)
  const tree = await platform.clone(CANCELLED)
  const pushed = await push(platform, tree, slowFiles(5))
  await until('dbt naps', 30, () => isNapping(platform))
  await platform.client().decideRun(pushed.run!, 'cancel')
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'cancelled')
  assert.deepEqual(await servedRows(CANCELLED), before)
  const next = await push(platform, tree, secondFiles())
  assert.equal((await waitForEnd(platform, next.run!)).state, 'succeeded')
  assert.equal((await servedRows(CANCELLED)).length, before.length + 1)
  assert.deepEqual(await brokenInvariants(platform), [])
})

/** Below masks and filters: what the keeper holds for the served revision. */
async function servedRows(address: string): Promise<unknown[]> {
  const { rows } = await warehouse.query<{ objects: { relation: string }[] }>(
    `select x.objects from heddle.served s join heddle.product p on p.id = s.product join heddle.sealed x on x.product = p.id and x.n = s.revision where p.base = $1 and s.state = 'live'`,
    [sqlName(address)],
  )
  return (await warehouse.query(`select * from ${rows[0]!.objects[0]!.relation} order by id`)).rows
}

test('a bootstrap that meets a foreign schema keeps what it finished; retry after the obstacle is gone succeeds', {
  timeout: 90_000,
}, async () => {
  await warehouse.query(`create schema ${sqlName(SQUATTED)}`)
  await askFor(platform, SQUATTED)
  const [ended] = await untilEnded(platform, SQUATTED, 1)
  assert.match(ended!, /^bootstrap failed: .*(PLATFORM_RESOURCE_FOREIGN|PRODUCT_NAME_TAKEN)/)
  const failed = await requestOf(SQUATTED)
  assert.equal(failed.state, 'failed')
  const run = (await platform.client().runs({ product: SQUATTED })).items[0]!
  const steps = (await platform.client().run(run.number)).steps
  assert.deepEqual(
    steps
      .filter((step) => step.state === 'succeeded')
      .map((step) => step.command)
      .slice(0, 2),
    ['provision-budget', 'provision-roles'],
  )
  assert.equal(steps.find((step) => step.state === 'failed')?.command, 'provision-schemas')

  await warehouse.query(`drop schema ${sqlName(SQUATTED)}`)
  const retried = await platform.cli(['retry', String(failed.number), '--json'])
  assert.equal(retried.status, 0, retried.stdout + retried.stderr)
  const states = await untilEnded(platform, SQUATTED, 3)
  assert.deepEqual(states.slice(1), ['bootstrap succeeded', 'deploy succeeded'])
  assert.equal((await requestOf(SQUATTED)).state, 'done')
  const [squatted, unharmed] = [await stateOf(platform, SQUATTED), calm] as { warehouse: Record<string, unknown> }[]
  for (const part of ['schemas', 'roles', 'members', 'rows', 'policies'])
    assert.deepEqual(squatted!.warehouse[part], unharmed!.warehouse[part], part)
})

test('a failed bootstrap undone: what it made is gone, the stranger is not, and the name is free', {
  timeout: 90_000,
}, async () => {
  const stranger = `${sqlName(UNDONE)}__build`
  await warehouse.query(`create schema ${stranger}; create table ${stranger}.theirs (id int)`)
  await askFor(platform, UNDONE)
  assert.match((await untilEnded(platform, UNDONE, 1))[0]!, /^bootstrap failed/)
  const failed = await requestOf(UNDONE)
  const made = await objectsOf(UNDONE)
  assert.ok(made.length > 1, made.join())
  const undone = await platform.cli(['undo', String(failed.number), '--yes', '--json'])
  assert.equal(undone.status, 0, undone.stdout + undone.stderr)
  await until('the request is withdrawn', 30, async () => ['withdrawn', 'failed'].includes((await requestOf(UNDONE)).state))
  assert.equal((await requestOf(UNDONE)).state, 'withdrawn', JSON.stringify((await platform.client().runs({})).items[0]))
  assert.deepEqual(await objectsOf(UNDONE), [stranger], 'only the stranger is left')
  assert.equal((await warehouse.query(`select from ${stranger}.theirs`)).rowCount, 0)
  for (const table of ['product', 'login', 'keeper', 'owner']) {
    const { rows } = await warehouse.query(`select t::text from heddle.${table} t where t::text like $1`, [
      `%${sqlName(UNDONE).replace('_pro', '__pro')}%`,
    ])
    assert.deepEqual(rows, [], `heddle.${table}`)
  }

  await warehouse.query(`drop schema ${stranger} cascade`)
  await askFor(platform, UNDONE)
  const states = await untilEnded(platform, UNDONE, 2)
  assert.deepEqual(states, ['bootstrap succeeded', 'deploy succeeded'])
  assert.deepEqual(await brokenInvariants(platform), [])
})
