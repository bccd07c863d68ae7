import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { writeSource } from '../small-mesh.ts'
import { isAlive, killProcess, processesOf } from './processes.ts'
import { brokenInvariants, differences, type ProductState, stateOf } from './state-of.ts'
import { isNapping } from './stopped-worker.ts'
import { askFor, PRODUCTS, slowFiles, startFaultMesh, until, untilEnded, writeTemplate } from './world.ts'

const [CALM, CHILD, SERVER, PLANE, BULK] = PRODUCTS as [string, string, string, string, string]
const BULK_ROWS = 600_000
let platform: TestPlatform
let calm: ProductState

before(async () => {
  platform = await startFaultMesh()
  await askFor(platform, CALM)
  await untilEnded(platform, CALM, 2)
  calm = await stateOf(platform, CALM)
  for (const address of [CHILD, SERVER, PLANE]) await writeTemplate(platform, address, slowFiles(2))
})
after(() => platform?.dispose())

/** Asks for the product and waits until dbt is in the middle of its model. */
async function askAndWait(address: string): Promise<{ forkServer: number; job: number }> {
  await askFor(platform, address)
  await until('dbt naps', 30, () => isNapping(platform))
  const { forkServer, jobs } = await processesOf(platform)
  return { forkServer, job: jobs[0]! }
}

async function endsAsInCalmWeather(address: string): Promise<void> {
  assert.deepEqual(await untilEnded(platform, address, 2), ['bootstrap succeeded', 'deploy succeeded'])
  assert.deepEqual(differences(await stateOf(platform, address), calm), [])
  assert.deepEqual(await brokenInvariants(platform), [])
}

test('the dbt process killed in the middle of a model: the step is tried again', { timeout: 90_000 }, async () => {
  const { job } = await askAndWait(CHILD)
  killProcess(job)
  await endsAsInCalmWeather(CHILD)
})

test('the fork server killed in the middle of a model: it comes back and the step is tried again', {
  timeout: 90_000,
}, async () => {
  const { forkServer, job } = await askAndWait(SERVER)
  killProcess(forkServer)
  await endsAsInCalmWeather(SERVER)
  assert.notEqual((await processesOf(platform)).forkServer, forkServer)
  assert.ok(!(await isAlive(job)), 'its job died with it')
})

test('the control plane killed while dbt builds: the job and its login die with it', { timeout: 90_000 }, async () => {
  const { forkServer, job } = await askAndWait(PLANE)
  await platform.kill('SIGKILL')
  await until('fork server and job are gone', 5, async () => !(await isAlive(forkServer)) && !(await isAlive(job)))
  await platform.start()
  await endsAsInCalmWeather(PLANE)
})

test('the control plane killed in the middle of a COPY: one batch, all of its rows', { timeout: 120_000 }, async () => {
  const lines = Array.from({ length: BULK_ROWS }, (_, n) => `${n + 1},pen,${n % 100}`)
  await writeSource(platform, 'files/orders.csv', `id,item,amount\n${lines.join('\n')}\n`)
  const warehouse = await platform.warehouse('prod')
  await askFor(platform, BULK)
  // 0 rows done would be before, all done after.
  await until('the COPY runs', 30, async () => {
    const { rows } = await warehouse.query('select tuples_processed::int as n from pg_stat_progress_copy')
    return rows.some(({ n }) => n > 0 && n < BULK_ROWS)
  })
  await platform.kill('SIGKILL')
  await platform.start()
  assert.deepEqual(await untilEnded(platform, BULK, 2), ['bootstrap succeeded', 'deploy succeeded'])
  const place = BULK.replace('/', '_').replaceAll('-', '_')
  const count = async (sql: string) => Number((await warehouse.query(sql)).rows[0].n)
  assert.equal(await count(`select count(*) as n from ${place}.orders__b1`), BULK_ROWS)
  assert.equal(await count(`select count(*) as n from ${place}__r1.orders`), BULK_ROWS)
  assert.equal(
    await count(
      `select count(*) as n from pg_class where relname like 'orders\\_\\_b%' and relnamespace = '${place}'::regnamespace`,
    ),
    1,
  )
  assert.equal(
    await count(
      `select count(*) as n from heddle.applied a join heddle.product p on p.id = a.product where p.base = '${place}' and verb = 'loadBatch'`,
    ),
    1,
  )
  assert.deepEqual(await brokenInvariants(platform), [])
})
