import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import { brokenInvariants, stateOf } from './state-of.ts'
import { askFor, startFaultMesh, untilEnded } from './world.ts'

/** F1 for the end of a product's life: the control plane is killed at every boundary of every step, one kill carrying the run on to the next. */
const ADDRESS = 'dom-aa/pro-aa'
const RETIRE = [
  'stop-product',
  'archive-product',
  'check-retirement',
  'apply-monitors',
  'delist-entry',
  'remove-product',
  'close-repository',
  'forget-resources',
  'certify-retirement',
]
/** What a restore has of its own, and the two that change what consumers read; the rest is in the matrix of every deploy. */
const RESTORE = [
  'check-archive',
  'provision-roles',
  'restore-repository',
  'load-archive',
  'seal',
  'compare-restored',
  'publish',
  'settle-restore',
]
const BOUNDARIES = ['after-intent', 'after-effect', 'after-result']
const each = (commands: string[]) => commands.flatMap((command) => BOUNDARIES.map((boundary) => `${command}:${boundary}`))

let platform: TestPlatform
let before_: Awaited<ReturnType<typeof rowsOfServed>>

before(async () => {
  platform = await startFaultMesh([ADDRESS])
  await askFor(platform, ADDRESS)
  assert.deepEqual(await untilEnded(platform, ADDRESS, 2), ['bootstrap succeeded', 'deploy succeeded'])
  before_ = await rowsOfServed()
})
after(() => platform?.dispose())

async function killAtEach(failpoints: string[], kind: 'retire' | 'restore'): Promise<void> {
  await platform.kill('SIGKILL')
  await platform.start({ failpoint: failpoints[0]! })
  await platform
    .client()
    .createRequest({ kind, payload: { product: ADDRESS } })
    .catch((error: { code?: string }) => assert.equal(error.code, 'CLIENT_SERVER_UNREACHABLE'))
  await platform.ended()
  for (const failpoint of failpoints.slice(1)) await platform.startUntilKilled(failpoint)
  await platform.start()
}

async function rowsOfServed() {
  const state = (await stateOf(platform, ADDRESS)) as {
    warehouse: { rows: Record<string, unknown>; policies: unknown[] }
    files: unknown
  }
  const rows = Object.entries(state.warehouse.rows).filter(([name]) => /__r\d+\./.test(name))
  return { rows: rows.map(([, facts]) => facts), files: state.files }
}

async function standing(): Promise<Record<string, unknown>> {
  const [warehouse, control] = await Promise.all([platform.warehouse('prod'), platform.control()])
  try {
    const count = async (sql: string) => (await warehouse.query<{ n: string }>(sql)).rows[0]!.n
    return {
      schemas: await count(`select count(*) as n from pg_namespace where nspname like 'dom\\_aa%'`),
      roles: await count(`select count(*) as n from pg_roles where rolname like 'prod\\_\\_dom%'`),
      grants: await count(
        `select count(*) as n from pg_auth_members m join pg_roles u on u.oid = m.member where u.rolname like 'prod\\_\\_u\\_\\_%'`,
      ),
      removals: await count(`select count(*) as n from heddle.applied where verb = 'product.remove'`),
      repositories: (await readdir(join(platform.data, 'repos'))).length,
      monitors: (await control.query('select from monitor')).rowCount,
      tombstones: (await control.query(`select from entry where state = 'delisted'`)).rowCount,
      archives: (await readdir(join(platform.data, 'archive', ADDRESS))).length,
      requests: (await control.query(`select from request where kind = 'retire' and state = 'done'`)).rowCount,
    }
  } finally {
    await Promise.all([warehouse.end(), control.end()])
  }
}

test('a retirement killed at every boundary ends complete, each removal done once', async (t) => {
  const kills = ['stop-product:before-intent', ...each(RETIRE)]
  const began = performance.now()
  await killAtEach(kills, 'retire')
  assert.equal((await untilEnded(platform, ADDRESS, 3)).at(-1), 'retire succeeded')
  t.diagnostic(`${kills.length} kills, ${((performance.now() - began) / 1000 / kills.length).toFixed(2)} s each`)
  assert.deepEqual(await standing(), {
    schemas: '0',
    roles: '0',
    grants: '0',
    removals: '1',
    repositories: 0,
    monitors: 0,
    tombstones: 1,
    archives: 1,
    requests: 1,
  })
  const certificate = await platform.client().certificate(ADDRESS)
  assert.ok(certificate.findings.every((finding) => finding.found.length === 0))
  assert.deepEqual(await brokenInvariants(platform), [])
})

test('a restore killed at every boundary ends with the same rows and commits', async (t) => {
  const kills = each(RESTORE)
  const began = performance.now()
  await killAtEach(kills, 'restore')
  assert.equal((await untilEnded(platform, ADDRESS, 4)).at(-1), 'restore succeeded')
  t.diagnostic(`${kills.length} kills, ${((performance.now() - began) / 1000 / kills.length).toFixed(2)} s each`)
  assert.deepEqual(await rowsOfServed(), before_)
  assert.equal((await platform.client().product(ADDRESS)).state, 'active')
  assert.deepEqual(await brokenInvariants(platform), [])
})
