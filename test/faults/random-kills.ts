import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestPlatform } from '../platform.ts'
import { isAlive, killProcess, processesOf } from './processes.ts'
import { brokenInvariants, differences, type ProductState, stateOf } from './state-of.ts'
import { askFor, untilEnded } from './world.ts'

const TARGETS = ['control plane', 'control plane', 'dbt', 'fork server', 'database'] as const
const KILLS = 4
const LONGEST_WAIT_MS = 4_000

/** A small generator of equally spread numbers below 1; the same seed gives the same life. */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** F2. From request to served rows while processes are killed at random times: the product must become what it becomes in calm weather. */
export async function liveThrough(platform: TestPlatform, address: string, calm: ProductState, seed: number): Promise<string[]> {
  const next = numbersFrom(seed)
  const story: string[] = []
  try {
    await askUntilKnown(platform, address)
    for (let kill = 0; kill < KILLS; kill++) {
      const ms = Math.round(next() * LONGEST_WAIT_MS)
      const target = TARGETS[Math.floor(next() * TARGETS.length)]!
      await sleep(ms)
      story.push(`after ${ms} ms ${target}${(await killOne(platform, target)) ? '' : ' (none)'}`)
    }
    if (!(await isAlive(platform.pid()))) await platform.start()
    assert.deepEqual(await untilEnded(platform, address, 2, 90), ['bootstrap succeeded', 'deploy succeeded'])
    assert.deepEqual(differences(await stateOf(platform, address), calm), [])
    assert.deepEqual(await brokenInvariants(platform), [])
    return story
  } catch (error) {
    throw new Error(`seed ${seed}: ${story.join(', ')}`, { cause: error })
  }
}

async function killOne(platform: TestPlatform, target: (typeof TARGETS)[number]): Promise<boolean> {
  if (target === 'control plane') {
    await platform.kill('SIGKILL')
    await platform.start()
    return true
  }
  const { database, forkServer, jobs } = await processesOf(platform)
  const pid = { dbt: jobs[0] ?? 0, 'fork server': forkServer, database }[target]
  if (pid === 0 || !(await isAlive(pid))) return false
  killProcess(pid)
  return true
}

/** A request that got no answer may have been stored or not: asked again until the product is known. */
async function askUntilKnown(platform: TestPlatform, address: string): Promise<void> {
  for (let tries = 0; tries < 40; tries++) {
    const known = await platform
      .client()
      .product(address)
      .catch(() => null)
    if (known) return
    await askFor(platform, address).catch(() => {})
    await sleep(250)
  }
  throw new Error(`${address} cannot be asked for`)
}
