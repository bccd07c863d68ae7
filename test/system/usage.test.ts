import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Certificate, Usage } from '../../src/client/types.ts'
import { addressOf, MESH_OF_FOUR, startMeshOfFour } from '../mesh-of-four.ts'
import type { TestPlatform } from '../platform.ts'
import { connectAs, waitForEnd, waitForRun } from '../small-mesh.ts'

const TOP = addressOf('top')
const LEFT = addressOf('left')
const SERVED = 'lab_top_top_v1.top'
const PSQL = '/usr/bin/psql'
const MESH = `${MESH_OF_FOUR}  cam: {title: Cam Consumer, sample: true}
  stranger: {title: Sam Stranger, sample: true}
retirement: {proposeAfter: 4s}
`

let platform: TestPlatform

before(async () => {
  platform = await startMeshOfFour(MESH)
  const top = await platform.cli(['new', TOP, '--yes', '--template', 'top'])
  assert.equal(top.status, 0, top.stderr + top.stdout)
  await waitForRun(platform, TOP, (run) => run.kind === 'deploy' && run.state === 'succeeded')
  const asked = await platform
    .client('cam')
    .createRequest({ kind: 'access', payload: { product: TOP, port: 'top', purpose: 'analytics' } })
  await platform.client('owner').decideRequest(asked.number, 'approve')
  for (let tries = 0; ; tries++) {
    const { state } = await platform.client().request(asked.number)
    if (state === 'done') break
    assert.ok(tries < 400, `the request is ${state}`)
    await sleep(50)
  }
})
after(() => platform?.dispose())

async function usageAs(as?: string): Promise<Usage> {
  return platform.client(as).usage(TOP)
}

/** Reads by reader, of the one port there is. */
async function readers(): Promise<Record<string, number>> {
  const { ports } = await usageAs('owner')
  return Object.fromEntries(ports.flatMap((port) => port.readers.map(({ subject, reads }) => [subject, reads])))
}

/** Waits for the next look at what was read. */
async function looked(): Promise<Usage> {
  const before = (await usageAs()).asOf ?? ''
  for (const end = Date.now() + 45_000; ; await sleep(200)) {
    const usage = await usageAs()
    if ((usage.asOf ?? '') > before) return usage
    assert.ok(Date.now() < end, `nobody has looked since ${before}`)
  }
}

async function readAsCam(times: number): Promise<void> {
  const cam = await connectAs(platform, TOP, 'cam')
  for (let n = 0; n < times; n++) await cam.query(`select count(*) from ${SERVED}`)
  await cam.end()
}

test('what people and products read is counted, the platform and its proofs are not', async () => {
  assert.deepEqual(await readers(), {}, 'deploy, probes and the proof of the agreement read, and none of it counts')
  await readAsCam(3)
  const { stdout } = await platform.cli(['connect', TOP, '--json', '--as', 'cam'])
  const { url } = JSON.parse(stdout) as { url: string }
  if (existsSync(PSQL)) await psql(url, `select a.number from ${SERVED} a join ${SERVED} b using (number)`)
  else await readAsCam(2)
  await platform.stop()
  await platform.start()
  assert.deepEqual(await readers(), { cam: 5 }, 'the stop took the last look')

  const left = await platform.cli(['new', LEFT, '--yes', '--template', 'left'])
  assert.equal(left.status, 0, left.stderr + left.stdout)
  const waiting = await waitForRun(platform, LEFT, (run) => run.kind === 'deploy' && run.state === 'waiting')
  const { items } = await platform.client('owner').requests({ open: true })
  for (const { number } of items) await platform.client('owner').decideRequest(number, 'approve')
  assert.equal((await waitForEnd(platform, waiting.number)).state, 'succeeded')
  const { ports, coverage, asOf } = await looked()
  const found = await readers()
  assert.equal(found.cam, 5)
  assert.ok(found[`service:${LEFT}`]! >= 1, 'a product that reads it is a reader')
  assert.deepEqual(Object.keys(found).sort(), ['cam', `service:${LEFT}`])

  const [port] = ports
  assert.deepEqual([port!.environment, port!.port, port!.major], ['prod', 'top', 1])
  const today = port!.days.at(-1)!
  assert.equal(today.reads, 5 + found[`service:${LEFT}`]!)
  assert.equal(today.readers, 2)
  assert.ok(port!.lastReadAt! <= asOf!)
  assert.match(coverage, /prod: top v1 counted since /)
  assert.doesNotMatch(coverage, /missing/, 'a server that is stopped in order keeps its statistics')
})

test('names of readers are for owners and the platform team', async () => {
  const [own, platforms, strangers, cams] = await Promise.all([
    usageAs('owner'),
    usageAs('platform'),
    usageAs('stranger'),
    usageAs('cam'),
  ])
  assert.equal(own.ports[0]!.readers.length, 2)
  assert.deepEqual(platforms.ports[0]!.readers, own.ports[0]!.readers)
  assert.deepEqual(strangers.ports[0]!.readers, [])
  assert.deepEqual(
    cams.ports[0]!.readers.map(({ subject }) => subject),
    ['cam'],
  )
  assert.deepEqual(strangers.ports[0]!.days, own.ports[0]!.days)
})

test('the command line shows it, and so does a retirement before it is confirmed', async () => {
  const shown = await platform.cli(['usage', TOP])
  assert.equal(shown.status, 0, shown.stderr)
  assert.match(shown.stdout, /top v1 [^\n]*█/)
  assert.match(shown.stdout, /read by .*cam 5 \(/)
  assert.equal((await platform.cli(['usage', TOP, '--json'])).json<Usage>().product, TOP)
  const dry = await platform.cli(['retire', TOP, '--dry-run', '--json'])
  const { plan } = dry.json<{
    plan: { steps: { id: string; because: string }[]; diagnostics: { code: string; what: string }[] }
  }>()
  assert.match(plan.steps[0]!.because, /Read \d+ times by 2 readers in 30 days, the last time on /)
  assert.ok(plan.diagnostics.some(({ code }) => code === 'RETIRE_STILL_READ'))
  assert.ok(!JSON.stringify(plan.steps).includes('cam'), 'the steps name nobody')
})

test('a killed control plane loses and doubles nothing', async () => {
  const { cam } = await readers()
  await readAsCam(4)
  await platform.kill('SIGKILL')
  await platform.start()
  await waitForReads(cam! + 4)
})

test('a killed database loses what nobody had looked at, says so, and counts on', async () => {
  const { cam } = await readers()
  await looked()
  await readAsCam(2)
  const pid = Number((await readFile(join(platform.data, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0])
  process.kill(pid, 'SIGKILL')
  const { coverage } = await lookedAfterTrouble()
  assert.match(coverage, /prod: reads may be missing from .* to .*: the database server did not stop in order\./)
  const left = (await readers()).cam!
  assert.ok(left === cam || left === cam! + 2, `${cam} became ${left}`)
  await readAsCam(3)
  await platform.stop()
  await platform.start()
  assert.equal((await readers()).cam, left + 3)
})

test('who reads nothing any more is proposed to those who may retire it', async () => {
  // the mesh of this test asks after 4 seconds
  for (const end = Date.now() + 60_000; ; await sleep(500)) {
    const { items } = await platform.client('owner').proposals()
    const found = items.find(({ product }) => product === LEFT)
    if (found) {
      assert.match(found.because, /Nobody has read it .* Nobody holds an agreement\.$/)
      break
    }
    assert.ok(Date.now() < end, 'no proposal')
  }
  assert.deepEqual((await platform.client('stranger').proposals()).items, [])
  assert.ok((await platform.client('stranger').usage(LEFT)).proposal)
})

test('a retirement takes counters and counts with it, and its certificate says so', async () => {
  const retired = await platform.cli(['retire', LEFT, '--confirm', LEFT, '--json'])
  assert.equal(retired.status, 0, retired.stderr + retired.stdout)
  const certificate = (await platform.cli(['api', 'GET', `/products/${LEFT}/certificate`])).json<Certificate>()
  const asked = certificate.findings.map(({ question }) => question)
  assert.ok(asked.includes('functions') && asked.includes('counted reads'))
  const prod = await platform.warehouse('prod')
  const functions = await prod.query(`select proname from pg_proc where pronamespace = 'heddle_usage'::regnamespace order by 1`)
  assert.deepEqual(
    functions.rows.map(({ proname }) => proname),
    ['lab_top_top_v1'],
  )
  const control = await platform.control()
  const { rows } = await control.query(
    `select count(*)::int as n from usage where product = (select id from product where name = 'left')`,
  )
  assert.equal(rows[0].n, 0)
  assert.deepEqual((await platform.client('owner').usage(LEFT)).ports, [])
})

async function waitForReads(cam: number): Promise<void> {
  for (const end = Date.now() + 45_000; ; await sleep(200)) {
    const found = (await readers()).cam
    if (found === cam) return
    assert.ok(found! < cam && Date.now() < end, `cam has ${found} reads, not ${cam}`)
  }
}

/** The next look that succeeded: while the database comes back, questions may fail. */
async function lookedAfterTrouble(): Promise<Usage> {
  for (const end = Date.now() + 60_000; ; await sleep(500)) {
    const usage = await usageAs().catch(() => null)
    if (usage && /did not stop in order/.test(usage.coverage)) return usage
    assert.ok(Date.now() < end, `the gap is not told: ${usage?.coverage}`)
  }
}

function psql(url: string, statement: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(PSQL, [url, '-X', '-At', '-v', 'ON_ERROR_STOP=1', '-c', statement], {
      env: { PATH: process.env.PATH },
      stdio: 'ignore',
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`psql ended with ${code}`))))
  })
}
