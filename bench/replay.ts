import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { createClient } from '../src/client/client.ts'
import { atMost, type Bench, figure, median } from './figures.ts'
import { HEDDLE, launch } from './launch.ts'
import { readCpuSeconds, sampleMemory } from './process-tree.ts'
import { untilSucceeded } from './until-succeeded.ts'

const execute = promisify(execFile)
const PRODUCT = 'fleet/planes'
const EVERY_MS = 8_000

/** The whole replay of the sample, with somebody who pushes to another product and asks for the list of products all the while. */
export const replay: Bench = {
  name: 'replay',
  about: 'the 25 days of the sample: time, CPU, memory, and what others notice of it',
  async run(say) {
    if (!existsSync('/proc/self/smaps_rollup')) throw new Error('This bench reads /proc/<pid>: Linux only')
    const base = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
    await chmod(base, 0o755)
    const data = join(base, 'data')
    try {
      const platform = await launch(data, [])
      const began = performance.now()
      const cpuBefore = await readCpuSeconds(platform.pid)
      const memory = sampleMemory(platform.pid)
      let control: pg.Client | null = null
      try {
        const kept = JSON.parse(await readFile(join(data, 'postgres.json'), 'utf8')) as { listen: number; password: string }
        control = new pg.Client({
          host: '127.0.0.1',
          port: kept.listen,
          user: 'postgres',
          password: kept.password,
          database: 'heddle',
        })
        await control.connect()
        const client = createClient({ url: platform.url, token: (await readFile(join(data, 'cli-token'), 'utf8')).trim() })
        const tree = join(base, 'tree')
        await execute(HEDDLE, ['clone', PRODUCT, tree, '--quiet', '--data', data])
        const author = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.org']
        const times: Record<'started' | 'deployed' | 'listed', number[]> = { started: [], deployed: [], listed: [] }
        let next = performance.now()
        for (let days = 0; days < 25; days = await countDays(control)) {
          const asked = performance.now()
          await client.products()
          times.listed.push(performance.now() - asked)
          if (performance.now() >= next) {
            next = performance.now() + EVERY_MS
            await appendFile(join(tree, 'dbt/models/planes.sql'), '-- bench\n')
            await execute('git', [...author, 'commit', '--quiet', '--all', '--message', 'change'], { cwd: tree })
            const pushed = await execute('git', ['push', 'origin', 'HEAD:main'], { cwd: tree })
            const run = Number(/\brun (\d+) /.exec(pushed.stderr)![1])
            await untilSucceeded(control, run)
            const { rows } = await control.query<{ started: string; deployed: string }>(
              `SELECT extract(epoch FROM started_at - created_at) * 1000 AS started, extract(epoch FROM ended_at - started_at) AS deployed
               FROM run WHERE number = $1`,
              [run],
            )
            times.started.push(Number(rows[0]!.started))
            times.deployed.push(Number(rows[0]!.deployed))
            say(`day ${days} of 25, ${Math.round((performance.now() - began) / 1000)} s`)
          }
          await pause(250)
        }
        const seconds = (performance.now() - began) / 1000
        const cpu = (await readCpuSeconds(platform.pid)) - cpuBefore
        const { peak } = await memory.stop()
        const { rows } = await control.query<{ name: string; seconds: string }>(
          `SELECT p.name, extract(epoch FROM r.ended_at - r.started_at) AS seconds FROM run r JOIN product p ON p.id = r.product
           WHERE r.priority < 0 AND r.state = 'succeeded'`,
        )
        const of = (name: string) => rows.filter((row) => row.name === name).map((row) => Number(row.seconds))
        return {
          rounds: 1,
          figures: {
            'whole replay': figure([seconds], 's'),
            'CPU of everything meanwhile': figure([cpu], 's'),
            'peak memory of everything': figure([peak.totalMb], 'MB'),
            'a refresh of operations/flights': figure(of('flights'), 's'),
            'a refresh of punctuality/delays': figure(of('delays'), 's'),
            'push of another product → run started': figure(times.started, 'ms'),
            'its deploy': figure(times.deployed, 's'),
            'list of products': figure(times.listed, 'ms'),
          },
          ratios: {},
          limits: [
            atMost('whole replay', seconds / 60, 15, 'min'),
            atMost('push of another product → run started, p50', median(times.started), 100, 'ms'),
            atMost('push of another product → run started, worst', Math.max(...times.started), 1_000, 'ms'),
            atMost('peak memory of everything', peak.totalMb, 1536, 'MB'),
          ],
          notes: [
            'The CPU holds the deploys of the other product and the questions asked meanwhile, too.',
            'From the moment the run is stored, which is while the push is still answered, to its start.',
          ],
        }
      } finally {
        await memory.stop()
        await control?.end().catch(() => {})
        await platform.stop()
      }
    } finally {
      await rm(base, { recursive: true, force: true })
    }
  },
}

async function countDays(control: pg.Client): Promise<number> {
  const { rows } = await control.query<{ days: number }>(
    `SELECT count(*)::int AS days FROM run WHERE detail ? 'sourceDay' AND state = 'succeeded'`,
  )
  return rows[0]!.days
}
