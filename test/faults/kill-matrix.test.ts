import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { push } from '../small-mesh.ts'
import { BOOTSTRAP, BOUNDARIES, DEPLOY, each } from './boundaries.ts'
import { brokenInvariants, differences, type ProductState, stateOf } from './state-of.ts'
import { askFor, PRODUCTS, secondFiles, startFaultMesh, untilEnded } from './world.ts'

/**
 * F1. One product lives in calm weather; for another the control plane is killed at every boundary of every command in turn, each start carrying the run
 * on to the next kill. Then both must have become the same: control database, git, and every effect counted in PostgreSQL.
 *
 * Covered here: bootstrap and first deploy, every command × after-intent, after-effect, after-result, and before-intent of the very first (of any other
 * command it is the same durable state as after-result of the command before); second deploy, whose publish switches and whose collect drops, every
 * command that acts on the warehouse × after-effect, after-result. One kill for each life of a product: test/soak/kill-matrix.test.ts.
 */
const KEPT = BOUNDARIES.slice(1)
const ON_WAREHOUSE = ['ingest', 'transform', 'seal', 'serve-port', 'publish', 'record-release', 'collect']
const [CALM, STORMY] = PRODUCTS as [string, string]
let platform: TestPlatform
const calm: ProductState[] = []

before(async () => {
  platform = await startFaultMesh([CALM, STORMY])
  await askFor(platform, CALM)
  assert.deepEqual(await untilEnded(platform, CALM, 2), ['bootstrap succeeded', 'deploy succeeded'])
  calm.push(await stateOf(platform, CALM))
  await push(platform, await platform.clone(CALM), secondFiles())
  assert.deepEqual((await untilEnded(platform, CALM, 3)).at(-1), 'deploy succeeded')
  calm.push(await stateOf(platform, CALM))
})
after(() => platform?.dispose())

/** Kills the control plane at each failpoint; what goes on meanwhile began at the first one. */
async function killAtEach(failpoints: string[], begin: () => Promise<unknown>): Promise<void> {
  await platform.kill('SIGKILL')
  await platform.start({ failpoint: failpoints[0]! })
  await begin()
  await platform.ended()
  for (const failpoint of failpoints.slice(1)) await platform.startUntilKilled(failpoint)
  await platform.start()
}

/** A command that is new in a plan belongs into boundaries.ts. */
async function everyCommandKnown(): Promise<void> {
  const control = await platform.control()
  const { rows } = await control.query<{ command: string }>('select distinct command from step order by 1')
  assert.deepEqual(
    rows.map(({ command }) => command),
    [...BOOTSTRAP, ...DEPLOY].sort(),
  )
}

test('bootstrap and first deploy, killed at every boundary, end as without a kill', { timeout: 400_000 }, async (t) => {
  const kills = ['provision-budget:before-intent', ...each([...BOOTSTRAP, ...DEPLOY], KEPT)]
  const began = performance.now()
  await killAtEach(kills, () => askFor(platform, STORMY))
  await everyCommandKnown()
  assert.deepEqual(await untilEnded(platform, STORMY, 2), ['bootstrap succeeded', 'deploy succeeded'])
  t.diagnostic(`${kills.length} kills, ${((performance.now() - began) / 1000 / kills.length).toFixed(2)} s each`)
  assert.deepEqual(differences(await stateOf(platform, STORMY), calm[0]!), [])
  assert.deepEqual(await brokenInvariants(platform), [])
})

test('a second deploy, killed while it works on the warehouse, ends as without a kill', { timeout: 150_000 }, async () => {
  const tree = await platform.clone(STORMY)
  await killAtEach(each(ON_WAREHOUSE, ['after-effect', 'after-result']), () => push(platform, tree, secondFiles()))
  assert.deepEqual((await untilEnded(platform, STORMY, 3)).at(-1), 'deploy succeeded')
  assert.deepEqual(differences(await stateOf(platform, STORMY), calm[1]!), [])
  assert.deepEqual(await brokenInvariants(platform), [])
})
