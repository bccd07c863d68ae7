import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { push, waitForEnd } from '../small-mesh.ts'
import { killProcess, leftOn, processesOf } from './processes.ts'
import { brokenInvariants } from './state-of.ts'
import { askFor, PRODUCTS, secondFiles, startFaultMesh, until, untilEnded } from './world.ts'

/** Each process killed with SIGKILL, then `heddle start`: it repairs, says what it did, and products go on. */
const PRODUCT = PRODUCTS[0]!
const MAIN = join(import.meta.dirname, '../../src/main.ts')
let platform: TestPlatform

before(async () => {
  platform = await startFaultMesh([PRODUCT])
  await askFor(platform, PRODUCT)
  await untilEnded(platform, PRODUCT, 2)
})
after(() => platform?.dispose())

const said = (pattern: RegExp) =>
  assert.ok(
    platform.did().some((what) => pattern.test(what)),
    `${pattern} in: ${platform.did().join(' | ')}`,
  )

type Answer = { status: number; retryAfter: string | null; body: Record<string, unknown> }

/** What a client is told from the moment the database is gone until the API answers from it again. */
async function answersUntilBack(): Promise<Answer[]> {
  const token = (await readFile(join(platform.data, 'cli-token'), 'utf8')).trim()
  const answers: Answer[] = []
  await until('an answer after the database was away', 30, async () => {
    const response = await fetch(`${platform.url}/api/v1/products`, { headers: { authorization: `Bearer ${token}` } })
    const body = (await response.json()) as Record<string, unknown>
    answers.push({ status: response.status, retryAfter: response.headers.get('retry-after'), body })
    return response.status === 200 && answers.length > 1 && answers.some(({ status }) => status !== 200)
  })
  return answers
}

async function works(): Promise<void> {
  const product = await platform.client().product(PRODUCT)
  assert.equal(product.environments[0]?.state, 'active')
  assert.deepEqual(await brokenInvariants(platform), [])
}

test('the control plane killed: the database is adopted', { timeout: 60_000 }, async () => {
  const { database } = await processesOf(platform)
  await platform.kill('SIGKILL')
  await platform.start()
  said(new RegExp(`adopted the database server that was still running \\(process ${database}\\)`))
  await works()
})

test('control plane and database killed: the database recovers', { timeout: 60_000 }, async () => {
  const { database } = await processesOf(platform)
  await platform.kill('SIGKILL')
  killProcess(database)
  await platform.start()
  said(/the database server had not been stopped: recovering/)
  await works()
})

test('the database killed under a running control plane: it comes back, and so do the connections', {
  timeout: 60_000,
}, async () => {
  const { database } = await processesOf(platform)
  killProcess(database)
  const client = platform.client()
  const answers = await answersUntilBack()
  assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 503], 'never 500')
  const away = answers.find(({ status }) => status === 503)!
  assert.equal(away.retryAfter, '2')
  assert.deepEqual([away.body.code, typeof away.body.why, typeof away.body.fix], ['STORE_UNREACHABLE', 'string', 'string'])
  await until('the API answers from the database again', 30, () => client.product(PRODUCT).catch(() => null))
  assert.notEqual((await processesOf(platform)).database, database)
  const run = await client.refresh(PRODUCT)
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
  await works()
})

test('the fork server killed: it comes back warm', { timeout: 60_000 }, async () => {
  const { forkServer } = await processesOf(platform)
  killProcess(forkServer)
  await until('another fork server', 20, async () => {
    const now = (await processesOf(platform)).forkServer
    return now !== 0 && now !== forkServer
  })
  await works()
})

test('a push whose control plane dies between the ref update and its answer is deployed after the restart', {
  timeout: 90_000,
}, async () => {
  const tree = await platform.clone(PRODUCT)
  // Nothing of ours runs between git's ref update and the post-receive hook, so the answer is what is taken away: the row that says it was handled.
  const control = await platform.control()
  await control.query(
    `create function stall() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return new; end $$`,
  )
  await control.query('create trigger stall before insert or update on handled_push for each row execute function stall()')
  const runs = (await control.query('select from run')).rowCount!
  const pushed = push(platform, tree, secondFiles())
  await until('post-receive is in its transaction', 20, async () => {
    const { rowCount } = await control.query(`select from pg_stat_activity where wait_event = 'PgSleep'`)
    return rowCount! > 0
  })
  await platform.kill('SIGKILL')
  await pushed
  await control.query('drop trigger stall on handled_push; drop function stall()')
  await control.query(`select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`)
  assert.equal((await control.query('select from run')).rowCount, runs, 'no run of the push yet')
  await platform.start()
  said(new RegExp(`${PRODUCT}: run \\d+ `))
  assert.equal((await untilEnded(platform, PRODUCT, runs + 1)).at(-1), 'deploy succeeded')
  await works()
})

test('a second start while the first starts waits and attaches; while it runs, it says where', { timeout: 60_000 }, async () => {
  await platform.stop()
  const first = platform.start()
  await until('the first has the lock', 5, async () => (await readdir(platform.data)).includes('start.lock'))
  const [waited, behind] = await Promise.all([
    platform.cli(['start', '--no-open']),
    platform.cli(['start', '--no-open', '--detach', '--json']),
    first,
  ])
  assert.deepEqual([waited.status, behind.status], [0, 0], waited.stderr + behind.stderr)
  assert.match(waited.stderr, /is starting or stopping on .*; waiting for it/)
  assert.match(waited.stdout, new RegExp(`Running since .* at ${platform.url} `))
  assert.equal(behind.json<{ attached: boolean }>().attached, true)
  const second = await platform.cli(['start', '--no-open', '--json'])
  assert.equal(second.status, 0, second.stdout)
  assert.equal(second.json<{ attached: boolean; url: string }>().attached, true)
  assert.equal(second.json<{ url: string }>().url, platform.url)
  await works()
})

test('a number to listen on that the running one does not have is refused, not ignored', { timeout: 60_000 }, async () => {
  const own = new URL(platform.url).port
  assert.equal((await platform.cli(['start', '--listen', own, '--no-open'])).status, 0)
  const refused = await platform.cli(['start', '--listen', '4999', '--no-open'])
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, new RegExp(`SERVER_LISTEN_FIXED[\\s\\S]*listens on ${own}, not on 4999[\\s\\S]*heddle stop`))
})

test('heddle stop after the control plane was killed leaves no process', { timeout: 60_000 }, async () => {
  await platform.kill('SIGKILL')
  const stopped = await platform.cli(['stop'])
  assert.equal(stopped.status, 0, stopped.stderr)
  assert.match(stopped.stdout, /stopped the database/)
  await until('no process is left', 5, async () => (await leftOn(platform.data)).length === 0)
  assert.match((await platform.cli(['stop'])).stdout, /Nothing runs/)
})

test('Ctrl-C leaves no process', { timeout: 60_000 }, async () => {
  await platform.start()
  await platform.kill('SIGINT')
  assert.deepEqual(await leftOn(platform.data), [])
})

for (const [what, end] of [
  ['Ctrl-C', (pid: number) => void process.kill(pid, 'SIGINT')],
  ['heddle stop', (_: number, data: string) => void spawn(process.execPath, [MAIN, 'stop', '--data', data], { stdio: 'ignore' })],
] as const) {
  test(`${what} in the middle of a first start leaves no process`, { timeout: 60_000 }, async () => {
    const base = await mkdtemp(join(tmpdir(), 'heddle-test-'))
    const data = join(base, 'data')
    try {
      const child = spawn(process.execPath, [MAIN, 'start', '--data', data, '--listen', '0', '--json', '--no-open', '--empty'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      assert.match(line.toString(), /"database"/)
      end(child.pid!, data)
      const [code] = (await once(child, 'exit')) as [number]
      assert.equal(code, 0)
      await until('no process is left', 5, async () => (await leftOn(data)).length === 0)
    } finally {
      await rm(base, { recursive: true, force: true })
    }
  })
}
