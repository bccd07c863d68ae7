import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { killProcess, processesOf } from '../faults/processes.ts'
import { brokenInvariants } from '../faults/state-of.ts'
import { askFor, products, secondFiles, startFaultMesh, untilEnded } from '../faults/world.ts'
import type { TestPlatform } from '../platform.ts'
import { push } from '../small-mesh.ts'

/** F3. The database is killed every 5 to 10 s while products are pushed to: every push that was accepted is deployed or superseded by a later one. */
const MINUTES = Number(process.env.HEDDLE_SOAK_DATABASE_MINUTES ?? 5)
const PRODUCTS = products(3)
let platform: TestPlatform

before(async () => {
  platform = await startFaultMesh(PRODUCTS)
  for (const address of PRODUCTS) {
    await askFor(platform, address)
    await untilEnded(platform, address, 2)
  }
})
after(() => platform?.dispose())

test(`pushes for ${MINUTES} minutes over a database that is killed again and again`, {
  timeout: (MINUTES + 4) * 60_000,
}, async (t) => {
  const end = Date.now() + MINUTES * 60_000
  const accepted = new Map<string, string>()
  let [kills, pushes] = [0, 0]
  const killing = (async () => {
    while (Date.now() < end) {
      await sleep(5_000 + Math.random() * 5_000)
      killProcess((await processesOf(platform)).database)
      kills++
      // Down until it has recovered: a second kill before that would meet nothing.
      await (await platform.control()).end()
    }
  })()
  const pushing = PRODUCTS.map(async (address) => {
    const tree = await platform.clone(address)
    for (let n = 1; Date.now() < end; n++) {
      const text = secondFiles()['dbt/models/orders.sql']!.replace("'glue'", `'glue ${n}'`)
      const pushed = await push(platform, tree, { 'dbt/models/orders.sql': text })
      pushes++
      if (pushed.status === 0) accepted.set(address, pushed.commit)
      await sleep(1_000 + Math.random() * 2_000)
    }
  })
  await Promise.all([killing, ...pushing])
  const states: string[] = []
  for (const address of PRODUCTS) states.push(...(await untilEnded(platform, address, 2, 120)))
  const failed = states.filter((state) => !/ (succeeded|superseded)$/.test(state))
  t.diagnostic(`${kills} kills, ${pushes} pushes, ${states.length} runs, ${failed.length} of them failed`)
  assert.deepEqual(failed, [])
  const control = await platform.control()
  for (const [address, commit] of accepted) {
    const { rows } = await control.query<{ commit_id: string }>(
      `select r.commit_id from release r join product p on p.id = r.product where p.domain || '/' || p.name = $1 and r.current`,
      [address],
    )
    assert.equal(rows[0]?.commit_id, commit, `${address} serves the last push that was accepted`)
  }
  assert.deepEqual(await brokenInvariants(platform), [])
})
