import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atMost, type Bench, type Figure, figure, median } from './figures.ts'
import { type Launched, launch } from './launch.ts'

const ROUNDS = 5
const SAMPLE_ROUNDS = 3
const root = join(import.meta.dirname, '..')

/** A first start on an empty folder and a second one on what it left, alternately; then the size of everything on disk. */
export const start: Bench = {
  name: 'start',
  about: './heddle start to Ready, empty and with the six products of the sample, first and second start; installed size',
  async run(say) {
    const [first, second, stop]: [Launched[], Launched[], number[]] = [[], [], []]
    const sizes = new Map<string, number>()
    for (let round = 0; round < ROUNDS; round++) {
      const base = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
      await chmod(base, 0o755)
      const data = join(base, 'data')
      try {
        const fresh = await launch(data, ['--empty'])
        stop.push(await fresh.stop())
        const again = await launch(data, ['--empty'])
        stop.push(await again.stop())
        first.push(fresh)
        second.push(again)
        sizes.set('data directory', sizeMb(data))
        say(`round ${round + 1}: first ${(fresh.readyMs / 1000).toFixed(1)} s, second ${(again.readyMs / 1000).toFixed(1)} s`)
      } finally {
        await rm(base, { recursive: true, force: true })
      }
    }
    const [sampleFirst, sampleSecond]: [Launched[], Launched[]] = [[], []]
    for (let round = 0; round < SAMPLE_ROUNDS; round++) {
      const base = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
      await chmod(base, 0o755)
      const data = join(base, 'data')
      try {
        for (const launches of [sampleFirst, sampleSecond]) {
          const launched = await launch(data, ['--no-replay'])
          await launched.stop()
          launches.push(launched)
        }
        const [fresh, again] = [sampleFirst.at(-1)!, sampleSecond.at(-1)!]
        say(
          `sample, round ${round + 1}: first ${(fresh.readyMs / 1000).toFixed(1)} s, second ${(again.readyMs / 1000).toFixed(1)} s`,
        )
      } finally {
        await rm(base, { recursive: true, force: true })
      }
    }
    for (const name of ['node_modules', '.runtime', 'dist'])
      sizes.set(name, existsSync(join(root, name)) ? sizeMb(join(root, name)) : 0)
    sizes.set('node_modules', sizes.get('node_modules')! - toolsMb())
    const installed = [...sizes.values()].reduce((sum, mb) => sum + mb, 0)
    const ready = (launches: Launched[]) => launches.map(({ readyMs }) => readyMs / 1000)
    return {
      rounds: ROUNDS,
      figures: {
        'first start': figure(ready(first), 's'),
        'second start': figure(ready(second), 's'),
        'first start with the sample': figure(ready(sampleFirst), 's'),
        'second start with the sample': figure(ready(sampleSecond), 's'),
        ...partsOf('first', first),
        ...partsOf('second', second),
        stop: figure(
          stop.map((ms) => ms / 1000),
          's',
        ),
        ...Object.fromEntries([...sizes].map(([name, mb]) => [`size of ${name}`, figure([mb], 'MB')])),
      },
      ratios: {},
      limits: [
        atMost('first start to Ready, median', median(ready(first)), 15, 's'),
        atMost('second start to Ready, median', median(ready(second)), 8, 's'),
        atMost('first start to Ready with six products served, median', median(ready(sampleFirst)), 90, 's'),
        atMost('second start to Ready with six products, median', median(ready(sampleSecond)), 8, 's'),
        atMost('installed: node_modules, .runtime, dist, data directory', installed, 800, 'MB'),
      ],
      notes: [
        'Parts are measured from the begin of each; dbt warms up beside the database. The first start waits for it last; the second is ready before it,',
        'and a build in its first seconds waits for it.',
        'node_modules without the tools of the tests, which ./heddle does not install.',
      ],
    }
  },
}

function partsOf(which: string, launches: Launched[]): Record<string, Figure> {
  return Object.fromEntries(
    Object.keys(launches[0]!.parts).map((part) => [
      `${which}: ${part}`,
      figure(
        launches.map(({ parts }) => (parts[part] ?? 0) / 1000),
        's',
      ),
    ]),
  )
}

/** Space on disk, as du counts it. */
function sizeMb(...paths: string[]): number {
  const lines = execFileSync('du', ['-skc', ...paths.map((path) => realpathSync(path))], { encoding: 'utf8' })
    .trim()
    .split('\n')
  return Number.parseInt(lines.at(-1)!, 10) / 1024
}

/** What is here for the tests only: a start does not install it. */
function toolsMb(): number {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  const tools = Object.keys(lock.packages).filter((path) => lock.packages[path]!.dev && existsSync(join(root, path)))
  return tools.length > 0 ? sizeMb(...tools.map((path) => join(root, path))) : 0
}
