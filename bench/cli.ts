import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { atMost, type Bench, figure, median } from './figures.ts'
import { HEDDLE } from './launch.ts'

const ROUNDS = 15
const root = join(import.meta.dirname, '..')
const MAIN = join(root, 'src/main.ts')

/** What a developer waits for at every command: whole processes, as a shell starts them, against a bare start of Node. */
export const cli: Bench = {
  name: 'cli',
  about: 'version, help, validate on each sample product, completion of verbs and names; medians of 15 processes',
  async run(say) {
    const folder = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
    const server = createServer((_, answer) =>
      answer.setHeader('content-type', 'application/json').end(JSON.stringify({ items: [SUMMARY], next: null })),
    ).listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const env = { ...process.env, HEDDLE_URL: '', NODE_COMPILE_CACHE: join(root, '.runtime/compile-cache') }
      const products = await sampleProducts(folder)
      const timed = async (program: string, args: string[], more: Record<string, string> = {}) => {
        const values: number[] = []
        // The first one fills the caches.
        for (let round = 0; round <= ROUNDS; round++) {
          const began = performance.now()
          const child = spawn(program, args, { stdio: 'ignore', env: { ...env, ...more } })
          await once(child, 'close')
          if (round > 0) values.push(performance.now() - began)
        }
        say(`${args.join(' ').replace(MAIN, 'heddle').replace(folder, '')}: ${median(values).toFixed(0)} ms`)
        return values
      }
      const node = await timed(process.execPath, ['-e', '0'])
      const launcher = await timed(HEDDLE, ['--version'])
      const version = await timed(process.execPath, [MAIN, '--version'])
      const help = await timed(process.execPath, [MAIN, '--help'])
      const validate: Record<string, number[]> = {}
      for (const product of products)
        validate[product] = await timed(process.execPath, [MAIN, 'validate', '-C', join(folder, product)])
      const verbs = await timed(process.execPath, [MAIN, 'complete', '--', 'st'])
      const names = await timed(process.execPath, [MAIN, 'complete', '--', 'show', ''], {
        HEDDLE_DATA: await dataDirectory(folder, url),
      })
      const slowest = Math.max(...Object.values(validate).map(median))
      return {
        rounds: ROUNDS,
        figures: {
          'node -e 0': figure(node, 'ms'),
          './heddle --version': figure(launcher, 'ms'),
          '--version by node': figure(version, 'ms'),
          '--help': figure(help, 'ms'),
          ...Object.fromEntries(
            Object.entries(validate).map(([product, values]) => [`validate ${product}`, figure(values, 'ms')]),
          ),
          'complete a verb': figure(verbs, 'ms'),
          'complete a name': figure(names, 'ms'),
        },
        ratios: {},
        limits: [
          atMost('./heddle --version, median', median(launcher), 80, 'ms'),
          atMost('--version by node, median', median(version), 80, 'ms'),
          atMost('validate, slowest sample product, median', slowest, 400, 'ms'),
          atMost('completion of a name, median', median(names), 100, 'ms'),
        ],
        notes: ['Names come from a server that answers at once: the first time it is asked, then what was kept for a minute.'],
      }
    } finally {
      server.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** Each in a repository of its own, as a clone is. */
async function sampleProducts(folder: string): Promise<string[]> {
  const mesh = join(root, 'examples/flights-mesh')
  const found: string[] = []
  for (const domain of await readdir(mesh, { withFileTypes: true })) {
    if (!domain.isDirectory()) continue
    for (const product of await readdir(join(mesh, domain.name), { withFileTypes: true })) {
      if (!product.isDirectory()) continue
      await cp(join(mesh, domain.name, product.name), join(folder, product.name), { recursive: true })
      await promisify(execFile)('git', ['-C', join(folder, product.name), 'init', '--quiet'])
      found.push(product.name)
    }
  }
  return found.sort()
}

async function dataDirectory(folder: string, url: string): Promise<string> {
  const data = join(folder, 'data')
  await mkdir(join(data, 'work'), { recursive: true })
  const run = {
    pid: process.pid,
    startTicks: '',
    startedAt: '',
    version: '0',
    listen: 1,
    url,
    postgres: { port: 1, pid: 1 },
    children: [],
  }
  await writeFile(join(data, 'run.json'), JSON.stringify(run))
  await writeFile(join(data, 'cli-token'), 'hdl_bench\n')
  return data
}

const SUMMARY = {
  address: 'fleet/planes',
  title: 'Planes',
  domain: 'fleet',
  owner: 'developer',
  state: 'active',
  since: '2026-01-01T00:00:00.000Z',
  reason: null,
  release: null,
  slo: null,
  freshness: null,
}
