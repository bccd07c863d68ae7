import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { ProductSummary } from '../../src/client/types.ts'
import { startTestPlatform, type TestPlatform } from '../platform.ts'
import { push, waitForEnd } from '../small-mesh.ts'

const SIX = [
  'clinical-care/encounters',
  'fleet/planes',
  'network/airports',
  'operations/flights',
  'punctuality/delays',
  'weather/hourly',
]
const MAIN = join(import.meta.dirname, '../../src/main.ts')

let platform: TestPlatform
let control: pg.Client

before(async () => {
  platform = await startTestPlatform({ sample: true, replay: true })
  control = await platform.control()
})
after(() => platform?.dispose())

async function until<T>(what: string, look: () => Promise<T | null | undefined | false>, seconds = 120): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

type Status = { products: ProductSummary[]; coming: { name: string; detail: string }[] }
const status = async () => (await platform.cli(['status', '--json'])).json<Status>()
const loaded = async () =>
  Number((await control.query(`select count(*)::int as n from run where detail ? 'sourceDay' and state = 'succeeded'`)).rows[0].n)

test('ready means six first releases, honestly gathering, while the past arrives day by day', async () => {
  const { products, coming } = await until('the replay to begin', async () => {
    const found = await status()
    return found.coming.length > 0 && found
  })
  assert.deepEqual(products.map(({ address }) => address).sort(), SIX)
  assert.ok(
    products.every(({ release, slo }) => release === 'r1 · 1.0.0' && slo === 'gathering'),
    JSON.stringify(products),
  )
  assert.match(coming[0]!.detail, /^replaying day 1 of 25$/)
  await until('two days', async () => (await loaded()) >= 2)
  assert.match((await platform.cli(['status'])).stdout, /\nreplay: replaying day \d+ of 25\n/)
  const { rows } = await control.query(
    `select count(*)::int as rows from publication e join product p on p.id = e.product
     where p.name = 'flights' and (e.payload #>> '{ports,0,objects,0,rows}')::int > 314502`,
  )
  assert.ok(rows[0].rows >= 2, 'each day is a publication with more rows')
})

test('whoever pushes meanwhile waits for nothing of it', async () => {
  const tree = await platform.clone('fleet/planes')
  const waits: number[] = []
  for (let round = 0; round < 3; round++) {
    await until('a day is being loaded', async () => {
      const { rows } = await control.query(`select 1 from run where priority < 0 and state = 'running'`)
      return rows.length === 1
    })
    const pushed = await push(platform, tree, { 'dbt/models/note.yml': `# ${round}\nversion: 2\n` })
    assert.equal(pushed.status, 0, pushed.text)
    assert.equal((await waitForEnd(platform, pushed.run!, 90)).state, 'succeeded')
    const { rows } = await control.query(
      'select extract(epoch from started_at - created_at) * 1000 as ms from run where number = $1',
      [pushed.run],
    )
    waits.push(Math.round(Number(rows[0].ms)))
  }
  console.log(`push to start beside the replay, ms: ${waits.join(' ')}`)
  assert.ok(Math.max(...waits) <= 1_000, waits.join(' '))
  // new planes fire nothing, so what flights fired still counts on its day
  const { rows } = await control.query(
    `select r.detail ? 'logicalDate' as dated, count(*)::int as runs from run r join product p on p.id = r.product
     where p.name = 'delays' and r.kind = 'refresh' and r.state = 'succeeded' group by 1`,
  )
  assert.deepEqual(
    rows.map(({ dated }) => dated),
    [true],
  )
})

test('stopped and started again it goes on where it was, and every printed command works in the shell it names', async () => {
  await platform.stop()
  const started = spawn(process.execPath, [MAIN, 'start', '--data', platform.data, '--no-open'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  started.stderr.on('data', (chunk: Buffer) => (said += chunk))
  try {
    await until('the line that says how to stop', async () => /stop: heddle stop\n/.test(said))
    control = await platform.control()
    const before = await loaded()
    assert.ok(before >= 2)
    const path = /^use it: {2}(.+)$/m.exec(said)![1]!
    const [, line] = /^then: {4}(.+)$/m.exec(said)!
    const commands = line!.split('   ').map((command) => command.replace(/^stop: /, ''))
    assert.deepEqual(commands, ['heddle status', 'heddle show fleet/planes', 'heddle new', 'heddle stop'])
    const shell = (command: string) => spawnSync('sh', ['-c', `${path}\n${command}`], { encoding: 'utf8', input: '', cwd: '/' })
    const shown = shell('heddle status')
    assert.equal(shown.status, 0, shown.stderr)
    for (const address of SIX) assert.ok(shown.stdout.includes(address), shown.stdout)
    assert.equal(shell('heddle show fleet/planes').status, 0)
    // it asks, so without a terminal it says what to give
    const asked = shell('heddle new')
    assert.match(asked.stderr, /CLI_INPUT_MISSING/)
    await until('one more day', async () => (await loaded()) > before)
    const { rows } = await control.query(
      `select detail ->> 'sourceDay' as day, count(*)::int as runs from run where detail ? 'sourceDay' and state <> 'superseded' group by 1 order by 1`,
    )
    assert.deepEqual(
      rows,
      rows.map((_, n) => ({ day: `2013-12-${String(n + 7).padStart(2, '0')}`, runs: 1 })),
    )
    await control.end()
    const ended = once(started, 'exit')
    const stopped = shell('heddle stop')
    assert.equal(stopped.status, 0, stopped.stderr)
    await ended
  } finally {
    if (started.exitCode === null) started.kill('SIGTERM')
  }
})
