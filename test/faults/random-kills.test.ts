import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { liveThrough } from './random-kills.ts'
import { type ProductState, stateOf } from './state-of.ts'
import { askFor, products, startFaultMesh, untilEnded } from './world.ts'

/** F2: the seeds that failed once, each with what was wrong. New ones are searched for in test/soak/random-kills.test.ts. */
const FAILED_ONCE: [seed: number, why: string][] = [
  [5, 'the fork server killed again while it came back: the run failed instead of waiting'],
  [8, 'the same, with the control plane killed afterwards'],
]
const [CALM, ...LIVES] = products(FAILED_ONCE.length + 1) as [string, ...string[]]
let platform: TestPlatform
let calm: ProductState

before(async () => {
  platform = await startFaultMesh([CALM, ...LIVES])
  await askFor(platform, CALM)
  await untilEnded(platform, CALM, 2)
  calm = await stateOf(platform, CALM)
})
after(() => platform?.dispose())

for (const [index, [seed, why]] of FAILED_ONCE.entries()) {
  test(`seed ${seed}: ${why}`, { timeout: 120_000 }, async (t) => {
    t.diagnostic((await liveThrough(platform, LIVES[index]!, calm, seed)).join(', '))
  })
}
