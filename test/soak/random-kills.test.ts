import { after, before, test } from 'node:test'
import { liveThrough } from '../faults/random-kills.ts'
import { type ProductState, stateOf } from '../faults/state-of.ts'
import { askFor, products, startFaultMesh, untilEnded } from '../faults/world.ts'
import type { TestPlatform } from '../platform.ts'

/** F2. A seed that fails goes, as a case, into test/faults/random-kills.test.ts. HEDDLE_SOAK_SEED begins elsewhere, HEDDLE_SOAK_SEEDS sets how many. */
const FIRST = Number(process.env.HEDDLE_SOAK_SEED ?? 1)
const SEEDS = Number(process.env.HEDDLE_SOAK_SEEDS ?? 40)
const MINUTES = 20
const [CALM, ...LIVES] = products(SEEDS + 1) as [string, ...string[]]
let platform: TestPlatform
let calm: ProductState
const began = performance.now()

before(async () => {
  platform = await startFaultMesh([CALM, ...LIVES])
  await askFor(platform, CALM)
  await untilEnded(platform, CALM, 2)
  calm = await stateOf(platform, CALM)
})
after(() => platform?.dispose())

for (const [index, address] of LIVES.entries()) {
  test(`seed ${FIRST + index}`, { timeout: 180_000 }, async (t) => {
    if (performance.now() - began > MINUTES * 60_000) return t.skip(`the ${MINUTES} minutes of this soak are over`)
    t.diagnostic((await liveThrough(platform, address, calm, FIRST + index)).join(', '))
  })
}
