import { after, before, test } from 'node:test'
import { DEPLOY, each } from '../faults/boundaries.ts'
import { type ProductState, stateOf } from '../faults/state-of.ts'
import { stopAndWake } from '../faults/stopped-worker.ts'
import { askFor, products, startFaultMesh, untilEnded } from '../faults/world.ts'
import type { TestPlatform } from '../platform.ts'

/** F4: stopped for a minute before and after the effect of every command of a deploy. */
const WHERE = each(DEPLOY, ['after-intent', 'after-effect'])
const MINUTES = 35
const [CALM, ...OTHERS] = products(1 + 2 * WHERE.length) as [string, ...string[]]
const began = performance.now()
let platform: TestPlatform
let calm: ProductState

before(async () => {
  platform = await startFaultMesh([CALM, ...OTHERS])
  await askFor(platform, CALM)
  await untilEnded(platform, CALM, 2)
  calm = await stateOf(platform, CALM)
})
after(() => platform?.dispose())

for (const [index, where] of WHERE.entries()) {
  test(`stopped for 60 s at ${where}`, { timeout: 240_000 }, async (t) => {
    if (performance.now() - began > MINUTES * 60_000) return t.skip(`the ${MINUTES} minutes of this soak are over`)
    const [stopped, building] = OTHERS.slice(2 * index) as [string, string]
    const isAfterDbt = DEPLOY.indexOf(where.split(':')[0]!) > DEPLOY.indexOf('transform')
    await stopAndWake(platform, calm, { where, stopped, building: isAfterDbt ? building : null, awakeAfterMs: 60_000 })
  })
}
