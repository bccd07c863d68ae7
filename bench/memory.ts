import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Client, createClient } from '../src/client/client.ts'
import { atMost, type Bench, figure } from './figures.ts'
import { HEDDLE, launch } from './launch.ts'
import { readUsage, type Sampler, sampleMemory, type Usage } from './process-tree.ts'

const execute = promisify(execFile)
const PRODUCT = 'fleet/planes'

/** The largest sum of memory over everything a start made: from its first process, over building the sample, to the end of a deploy. */
export const memory: Bench = {
  name: 'memory',
  about: 'peak of everything during a start with the sample and a deploy; at rest',
  async run(say) {
    if (!existsSync('/proc/self/smaps_rollup')) throw new Error('This bench reads /proc/<pid>/smaps_rollup: Linux only')
    const base = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
    await chmod(base, 0o755)
    const data = join(base, 'data')
    let starting: Sampler | undefined
    try {
      const platform = await launch(data, ['--no-replay'], (pid) => {
        starting = sampleMemory(pid)
      })
      try {
        const sample = await starting!.stop()
        say(`sample served after ${(platform.readyMs / 1000).toFixed(1)} s`)
        const tree = join(base, 'tree')
        await execute(HEDDLE, ['clone', PRODUCT, tree, '--quiet', '--data', data])
        await appendFile(join(tree, 'dbt/models/planes.sql'), '-- bench\n')
        const author = ['-c', 'user.name=Bench', '-c', 'user.email=bench@example.org']
        await execute('git', [...author, 'commit', '--quiet', '--all', '--message', 'change'], { cwd: tree })
        const client = createClient({ url: platform.url, token: (await readFile(join(data, 'cli-token'), 'utf8')).trim() })
        const deploying = sampleMemory(platform.pid)
        await execute('git', ['push', '--quiet', 'origin', 'HEAD:main'], { cwd: tree })
        while (await isWorking(client)) await pause(100)
        const deploy = await deploying.stop()
        await pause(3_000)
        const rest = await readUsage(platform.pid)
        const mb = (usage: Usage) => figure([usage.totalMb], 'MB')
        return {
          rounds: 1,
          figures: {
            'peak of the start with the sample': mb(sample.peak),
            'peak of the deploy': mb(deploy.peak),
            'at rest': mb(rest),
            'sample: spawn to Ready': figure([platform.readyMs / 1000], 's'),
            ...Object.fromEntries(
              Object.entries(worse(sample.peak, deploy.peak).parts).map(([name, value]) => [
                `at the peak: ${name}`,
                figure([value], 'MB'),
              ]),
            ),
            ...Object.fromEntries(Object.entries(rest.parts).map(([name, value]) => [`at rest: ${name}`, figure([value], 'MB')])),
          },
          ratios: {},
          limits: [atMost('peak memory of everything', worse(sample.peak, deploy.peak).totalMb, 1024, 'MB')],
          notes: [
            `Proportional set sizes of all descendants of ./heddle start, shared pages counted once, every 100 ms (${sample.samples + deploy.samples} samples).`,
            `Processes at the peak: ${worse(sample.peak, deploy.peak).processes}, at rest: ${rest.processes}.`,
          ],
        }
      } finally {
        await starting!.stop()
        await platform.stop()
      }
    } finally {
      await rm(base, { recursive: true, force: true })
    }
  },
}

function worse(a: Usage, b: Usage): Usage {
  return a.totalMb > b.totalMb ? a : b
}

async function isWorking(client: Client): Promise<boolean> {
  const { items } = await client.runs({ product: PRODUCT })
  return items.some(({ state }) => state === 'queued' || state === 'running')
}
