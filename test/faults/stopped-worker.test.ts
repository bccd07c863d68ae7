import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { type ProductState, stateOf } from './state-of.ts'
import { stopAndWake } from './stopped-worker.ts'
import { askFor, PRODUCTS, startFaultMesh, untilEnded } from './world.ts'

/** F4 with a pause just longer than the lease of 10 s; a minute at every command: test/soak/stopped-worker.test.ts. */
const [CALM, stopped, building] = PRODUCTS as [string, string, string]
let platform: TestPlatform
let calm: ProductState

before(async () => {
  platform = await startFaultMesh([CALM, stopped, building])
  await askFor(platform, CALM)
  await untilEnded(platform, CALM, 2)
  calm = await stateOf(platform, CALM)
})
after(() => platform?.dispose())

test('a worker that freezes before it publishes and wakes after take-over changes nothing', { timeout: 150_000 }, () =>
  stopAndWake(platform, calm, { where: 'publish:after-intent', stopped, building, awakeAfterMs: 13_000 }),
)
