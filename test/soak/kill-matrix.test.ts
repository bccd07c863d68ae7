import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BOOTSTRAP, BOUNDARIES, DEPLOY, each, SECOND } from '../faults/boundaries.ts'
import { brokenInvariants, differences, type ProductState, stateOf } from '../faults/state-of.ts'
import { askFor, products, secondFiles, startFaultMesh, untilEnded } from '../faults/world.ts'
import type { TestPlatform } from '../platform.ts'
import { push } from '../small-mesh.ts'

/** F1, the complete cross product: one product for each command and boundary, one kill in its life; for most a second one in its second deploy. */
const FIRST_KILLS = each([...BOOTSTRAP, ...DEPLOY], BOUNDARIES)
const SECOND_KILLS = each(SECOND, BOUNDARIES)
const MINUTES = 45
const [CALM, ...LIVES] = products(FIRST_KILLS.length + 1) as [string, ...string[]]
const calm: ProductState[] = []
const began = performance.now()
let platform: TestPlatform

before(async () => {
  platform = await startFaultMesh([CALM, ...LIVES])
  await askFor(platform, CALM)
  await untilEnded(platform, CALM, 2)
  calm.push(await stateOf(platform, CALM))
  await push(platform, await platform.clone(CALM), secondFiles())
  await untilEnded(platform, CALM, 3)
  calm.push(await stateOf(platform, CALM))
})
after(() => platform?.dispose())

async function killedOnce(failpoint: string, begin: () => Promise<unknown>): Promise<void> {
  await platform.stop()
  await platform.start({ failpoint })
  await begin()
  await platform.ended()
  await platform.start()
}

for (const [index, first] of FIRST_KILLS.entries()) {
  const second = SECOND_KILLS[index]
  test(`killed at ${first}${second ? `, then at ${second} of the second deploy` : ''}`, { timeout: 240_000 }, async (t) => {
    if (performance.now() - began > MINUTES * 60_000) return t.skip(`the ${MINUTES} minutes of this soak are over`)
    const address = LIVES[index]!
    await killedOnce(first, () => askFor(platform, address))
    assert.deepEqual(await untilEnded(platform, address, 2), ['bootstrap succeeded', 'deploy succeeded'])
    assert.deepEqual(differences(await stateOf(platform, address), calm[0]!), [])
    if (second) {
      const tree = await platform.clone(address)
      await killedOnce(second, () => push(platform, tree, secondFiles()))
      assert.deepEqual((await untilEnded(platform, address, 3)).at(-1), 'deploy succeeded')
      assert.deepEqual(differences(await stateOf(platform, address), calm[1]!), [])
    }
    assert.deepEqual(await brokenInvariants(platform), [])
  })
}
