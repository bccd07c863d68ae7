import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestPlatform } from '../platform.ts'
import { processesOf } from './processes.ts'
import { brokenInvariants, differences, type ProductState, stateOf } from './state-of.ts'
import { askFor, slowFiles, until, untilEnded, writeTemplate } from './world.ts'

const NAP_SECONDS = 8

export type Stop = {
  /** `<command>:<boundary>` of the product's deploy where the control plane freezes */
  where: string
  stopped: string
  /** another product, whose dbt runs at that moment; null where it would meet the boundary itself before */
  building: string | null
  awakeAfterMs: number
}

/**
 * The control plane freezes (SIGSTOP) at a boundary of one product's deploy while dbt builds another; both leases end; a second worker takes both runs
 * over and finishes them; then the first wakes and goes on where it was. It must change nothing, in the journal or in the warehouse.
 */
export async function stopAndWake(platform: TestPlatform, calm: ProductState, stop: Stop): Promise<void> {
  await platform.kill('SIGKILL')
  await platform.start({ failpoint: `${stop.where}:stop` })
  if (stop.building !== null) {
    await writeTemplate(platform, stop.building, slowFiles(NAP_SECONDS))
    await askFor(platform, stop.building)
    await until('dbt naps', 30, () => isNapping(platform))
  }
  await askFor(platform, stop.stopped)
  await until('the control plane freezes', 30, () => isStopped(platform.pid()))
  const frozenAt = performance.now()
  const second = await startSecond(platform)
  try {
    const products = [stop.stopped, ...(stop.building === null ? [] : [stop.building])]
    for (const address of products) {
      assert.deepEqual(await untilEnded(platform, address, 2, 90), ['bootstrap succeeded', 'deploy succeeded'])
    }
    await sleep(Math.max(0, stop.awakeAfterMs - (performance.now() - frozenAt)))
    const before = await Promise.all(products.map((address) => written(platform, address)))
    process.kill(platform.pid(), 'SIGCONT')
    const loss = /run (\d+): (another worker has taken it over|.* has lost lane|.* no longer holds run)/g
    await until('the woken worker says what it lost', 20, async () => {
      const log = await readFile(join(platform.data, 'logs/heddle.log'), 'utf8')
      return new Set([...log.matchAll(loss)].map((match) => match[1])).size >= products.length
    })
    await sleep(1_000)
    assert.deepEqual(await Promise.all(products.map((address) => written(platform, address))), before)
    // The second worker has no loops: the outbox was drained by the woken one, as any control plane would.
    for (const address of products) assert.deepEqual(differences(await stateOf(platform, address), calm), [])
    assert.deepEqual(await brokenInvariants(platform), [])
  } finally {
    second.stdin!.end()
  }
}

async function startSecond(platform: TestPlatform): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'second-worker.ts')
  const child = spawn(process.execPath, [script, platform.data], { stdio: ['pipe', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => line === 'ready' && resolve())
    child.once('exit', (code) => reject(new Error(`the second worker ended with ${code}`)))
  })
  return child
}

async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
}

/** dbt's statement is in its nap. */
export async function isNapping(platform: TestPlatform): Promise<boolean> {
  const { jobs } = await processesOf(platform)
  if (jobs.length === 0) return false
  const client = await platform.warehouse('prod')
  const { rowCount } = await client.query(`select from pg_stat_activity where wait_event = 'PgSleep'`)
  await client.end()
  return rowCount! > 0
}

/** Every row by which a product's runs and effects are told, with epochs and times: what the woken worker must not touch. */
async function written(platform: TestPlatform, address: string) {
  const [control, warehouse] = await Promise.all([platform.control(), platform.warehouse('prod')])
  try {
    const journal = await control.query(
      `select r.number, r.state, r.epoch, r.owner, r.ended_at, s.id, s.state as step, s.attempt, s.epoch as tried, s.result, s.problem, s.started_at, s.ended_at as done
       from run r join step s on s.run = r.id join product p on p.id = r.product where p.domain || '/' || p.name = $1 order by r.number, s.ordinal`,
      [address],
    )
    const effects: unknown[] = []
    for (const table of ['applied', 'lease', 'batch', 'sealed', 'served', 'revision']) {
      const told = await warehouse.query(
        `select t::text from heddle.${table} t join heddle.product p on p.id = t.product where p.domain || '/' || p.name = $1 order by 1`,
        [address],
      )
      effects.push(told.rows)
    }
    return { journal: journal.rows, effects }
  } finally {
    await Promise.all([control.end(), warehouse.end()])
  }
}
