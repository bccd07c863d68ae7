import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HeddleError } from '../../src/core/fail.ts'
import { newId } from '../../src/core/id.ts'
import type { EffectContext } from '../../src/platform/resource.ts'
import { cleanBuild, csv, FLIGHTS, makeProduct, openWorld, type Product, type World } from './world.ts'

// Two workers, one product: effects happen once, and never by the worker that lost the lane. Counted in PostgreSQL.
let world: World
let product: Product

before(async () => {
  world = await openWorld()
  product = await makeProduct(world)
})
after(() => world.dispose())

const COLUMNS = [{ name: 'id', type: 'integer' }]

function at(base: EffectContext, over: Partial<EffectContext['fence']>): EffectContext {
  return { ...base, fence: { ...base.fence, ...over } }
}

async function applied(run: string): Promise<number> {
  const admin = await world.superuser()
  const { rows } = await admin.query<{ n: number }>('SELECT count(*)::int AS n FROM heddle.applied WHERE run = $1', [run])
  await admin.end()
  return rows[0]!.n
}

function isCode(code: string) {
  return (error: unknown) => error instanceof HeddleError && error.code === code
}

test('a repeated step returns the first result and changes nothing', async () => {
  const { warehouse } = world
  const context = product.context('load')
  const request = (text: string) => ({
    place: product.place,
    component: 'files',
    table: 'once',
    columns: COLUMNS,
    csv: csv(text),
    context,
  })
  const first = await warehouse.loadBatch(request('1\n2\n'))
  const again = await warehouse.loadBatch(request('1\n2\n3\n'))
  assert.deepEqual(again, first)
  assert.deepEqual(await warehouse.confirm({ fence: context.fence }), { result: first })
  const admin = await world.superuser()
  const { rows } = await admin.query(`SELECT relname FROM pg_class WHERE relname LIKE 'once\\_\\_b%'`)
  assert.equal(rows.length, 1)
})

test('the same step twice at the same time happens once', async () => {
  const { warehouse } = world
  const context = at(product.context('twice'), { run: newId() })
  const load = () =>
    warehouse.loadBatch({ place: product.place, component: 'files', table: 'twice', columns: COLUMNS, csv: csv('1\n'), context })
  const results = await Promise.allSettled([
    load(),
    load(),
    world
      .another()
      .loadBatch({ place: product.place, component: 'files', table: 'twice', columns: COLUMNS, csv: csv('1\n'), context }),
  ])
  assert.ok(results.some(({ status }) => status === 'fulfilled'))
  assert.equal(await applied(context.fence.run), 1)
  const admin = await world.superuser()
  assert.equal((await admin.query(`SELECT FROM pg_class WHERE relname LIKE 'twice\\_\\_b%'`)).rowCount, 1)
})

test('confirm tells an effect that happened from one that did not', async () => {
  const context = product.context('never')
  assert.equal(await world.warehouse.confirm({ fence: context.fence }), null)
})

test('a stale epoch is refused by every verb and leaves no effect', async () => {
  const { warehouse } = world
  const stale = product.context()
  await product.nextRun()
  const place = product.place
  const context = at(stale, { run: newId() })
  const verbs: [string, () => Promise<unknown>][] = [
    ['takeLease', () => warehouse.takeLease({ place, fence: context.fence })],
    ['roles', () => warehouse.roles.reconcile({ id: place, desired: { owners: [] }, context })],
    ['schemas', () => warehouse.schemas.reconcile({ id: place, desired: {}, context })],
    ['schemas.remove', () => warehouse.schemas.remove({ id: place, context })],
    ['roles.remove', () => warehouse.roles.remove({ id: place, context })],
    ['port', () => warehouse.port.reconcile({ id: product.at, desired: {}, context })],
    ['port.remove', () => warehouse.port.remove({ id: product.at, context })],
    ['openService', () => warehouse.openService({ place, validMs: 1000, context })],
    ['closeService', () => warehouse.closeService({ place, context })],
    [
      'loadBatch',
      () => warehouse.loadBatch({ place, component: 'files', table: 'stale', columns: COLUMNS, csv: csv('1\n'), context }),
    ],
    ['pinSources', () => warehouse.pinSources({ place, sources: [], context })],
    ['seal', () => warehouse.seal({ place, n: 99, objects: [FLIGHTS], context })],
    ['buildServed', () => warehouse.buildServed({ at: product.at, revision: { n: 99, objects: [] }, objects: [], context })],
    ['publish', () => warehouse.publish({ place, revision: { n: 99, objects: [] }, ports: [], release: 'r9', context })],
    ['collect', () => warehouse.collect({ place, keep: [], context })],
    ['subject', () => warehouse.subject({ subject: 'stale', domain: null, attributes: {}, context })],
    ['grant', () => warehouse.grant({ subject: 'stale', at: product.at, context })],
    ['grantOwner', () => warehouse.grantOwner({ subject: 'stale', place, context })],
    ['revoke', () => warehouse.revoke({ subject: 'stale', at: product.at, context })],
  ]
  for (const [verb, act] of verbs) await assert.rejects(act(), isCode('WAREHOUSE_FENCE_STALE'), verb)
  assert.equal(await applied(context.fence.run), 0)
  assert.equal((await warehouse.schemas.read({ id: place })).state, 'owned')
  assert.equal((await warehouse.roles.read({ id: place })).state, 'owned')
})

test('a take-over voids the service password and ends its session', async () => {
  const { warehouse } = world
  await product.nextRun()
  const pass = await warehouse.openService({ place: product.place, validMs: 600_000, context: product.context() })
  const dbt = await world.login(pass)
  await dbt.query('BEGIN')
  for (const statement of cleanBuild(pass.schema)) await dbt.query(statement)
  const { fence } = product.context()
  const taken = await warehouse.takeLease({ place: product.place, fence: { ...fence, epoch: fence.epoch + 1 } })
  assert.deepEqual(taken, { tookOver: true })
  await assert.rejects(dbt.query('SELECT 1'))
  await assert.rejects(world.login(pass))
  const admin = await world.superuser()
  assert.equal((await admin.query('SELECT FROM pg_stat_activity WHERE usename = $1', [pass.user])).rowCount, 0)
  await product.nextRun()
  assert.deepEqual(await warehouse.takeLease({ place: product.place, fence: product.context().fence }), { tookOver: false })
})

test('a worker stopped inside a transaction does not hold up a take-over, and changes nothing when it wakes', async () => {
  await product.nextRun()
  const { warehouse } = world
  const stopped = world.another()
  const context = product.context('stopped')
  let wake = () => {}
  const held = new Promise<void>((resolve) => {
    wake = resolve
  })
  // a stream that stops after its first row: the COPY and the lease's lock stay open
  const stream = (async function* () {
    yield '1\n'
    await held
    yield '2\n'
  })()
  const { Readable } = await import('node:stream')
  const load = stopped.loadBatch({
    place: product.place,
    component: 'files',
    table: 'stopped',
    columns: COLUMNS,
    csv: { stream: Readable.from(stream), delimiter: ',', null: null },
    context,
  })
  const outcome = assert.rejects(load, (error: unknown) => error instanceof HeddleError)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const begun = performance.now()
  const { fence } = context
  const taken = await warehouse.takeLease({ place: product.place, fence: { ...fence, run: newId(), epoch: fence.epoch + 1 } })
  assert.equal(taken.tookOver, true)
  assert.ok(performance.now() - begun < 3_000)
  wake()
  await outcome
  await assert.rejects(
    stopped.loadBatch({ place: product.place, component: 'files', table: 'stopped', columns: COLUMNS, csv: csv('1\n'), context }),
    isCode('WAREHOUSE_FENCE_STALE'),
  )
  assert.equal(await applied(fence.run), 0)
  const admin = await world.superuser()
  assert.equal((await admin.query(`SELECT FROM pg_class WHERE relname LIKE 'stopped\\_\\_b%'`)).rowCount, 0)
  await product.nextRun()
})
