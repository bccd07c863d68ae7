import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { newId } from '../../src/core/id.ts'
import type { Step } from '../../src/plan/step.ts'
import { retryRun } from '../../src/run/control.ts'
import { enqueueRun } from '../../src/run/enqueue.ts'
import { claimRun, finishRun } from '../../src/run/journal.ts'
import { recordRelease, reinstateRelease } from '../../src/run/releases.ts'
import type { ProductSpec } from '../../src/spec/types.ts'
import { type Control, json, openControl } from '../../src/store/control.ts'
import { initialiseControl } from '../../src/store/initialise.ts'
import { migrate } from '../../src/store/migrate.ts'
import type { RunKind } from '../../src/store/schema.ts'
import { startTestPostgres } from '../postgres-server.ts'

let server: Awaited<ReturnType<typeof startTestPostgres>>
let control: Control
let products: string[]

before(async () => {
  server = await startTestPostgres()
  const connection = await initialiseControl({ ...server, controlPassword: 'of-tests' })
  await migrate(connection)
  control = openControl(connection, { log: () => {} })
  await control.db
    .insertInto('domain')
    .values({ name: 'air', title: 'Air', owners: ['ana'], budget: json({ connections: 1, statementMs: 1, tempFileBytes: 1 }) })
    .execute()
})
after(async () => {
  await control?.close()
  await server?.dispose()
})

const STEP: Step = {
  id: 'only',
  stage: 'release',
  command: 'none',
  address: 'air/p',
  title: 'Nothing',
  args: {},
  dependsOn: [],
  risk: 'safe',
  because: 'test',
}

/** Three products of their own, so that nothing of the test before is in the queue. */
let named = 0
beforeEach(async () => {
  await control.db.updateTable('run').set({ state: 'cancelled' }).where('state', 'in', ['queued', 'running']).execute()
  products = []
  for (let n = 0; n < 3; n++) {
    const id = newId()
    await control.db
      .insertInto('product')
      .values({ id, domain: 'air', name: `p${++named}`, title: 'P', owner: 'ana', state: 'active' })
      .execute()
    products.push(id)
  }
})

const enqueue = (product: number, inBackground: boolean, kind: RunKind = 'refresh', detail: Record<string, unknown> = {}) =>
  enqueueRun(control.db, {
    kind,
    product: products[product]!,
    environment: 'prod',
    lane: kind === 'refresh' ? 'data' : 'control',
    plan: { steps: [STEP], affected: [], worldHash: '' },
    by: 'ana',
    because: 'test',
    commit: 'c',
    detail,
    inBackground,
  })
const claim = async () => (await claimRun(control.db, 'test'))?.run ?? null
const stateOf = async (id: string) =>
  (await control.db.selectFrom('run').select('state').where('id', '=', id).executeTakeFirstOrThrow()).state

test('a run in the background starts when nobody else wants to, and one at a time', async () => {
  const first = await enqueue(0, true)
  const second = await enqueue(1, true)
  const wanted = await enqueue(2, false)
  assert.equal(await claim(), wanted.id, 'asked for later, started before')
  assert.equal(await claim(), first.id)
  assert.equal(await claim(), null, 'the other one waits, whatever is free')
  const later = await enqueue(1, false, 'deploy')
  assert.equal(await claim(), later.id, 'and stands in nobody’s way, not even of its own product')
  await control.db.updateTable('run').set({ state: 'succeeded' }).where('id', 'in', [first.id, later.id]).execute()
  assert.equal(await claim(), second.id)
})

test('one that was interrupted goes on although another one runs', async () => {
  const first = await enqueue(0, true)
  assert.equal(await claim(), first.id)
  await control.db
    .updateTable('run')
    .set({ lease_until: new Date(0) })
    .where('id', '=', first.id)
    .execute()
  assert.equal(await claim(), first.id)
})

test('a day of a source has one run; one that was superseded makes room', async () => {
  const day = { sourceDay: '2013-12-07', logicalDate: '2026-01-01T00:00:00.000Z' }
  const { id } = await enqueue(0, true, 'refresh', day)
  await assert.rejects(enqueue(0, true, 'refresh', day), /run_source_day/)
  await enqueue(1, true, 'refresh', day)
  await control.db.updateTable('run').set({ state: 'superseded' }).where('id', '=', id).execute()
  await enqueue(0, true, 'refresh', day)
})

test('a new release, or an earlier one that is served again, supersedes the refreshes that were planned before it', async () => {
  const failed = await enqueue(0, false)
  const claimed = (await claimRun(control.db, 'test'))!
  assert.equal(claimed.run, failed.id)
  await finishRun(control.db, claimed, 'failed', null)
  const waiting = await enqueue(0, true)
  const other = await enqueue(1, true)
  const deploy = await enqueue(0, false, 'deploy')
  assert.equal(await claim(), deploy.id)
  const release = {
    product: products[0]!,
    environment: 'prod',
    label: '1',
    commit: 'c',
    content: 'c',
    revision: 2,
    run: deploy.id,
  }
  await recordRelease(control.db, { ...release, spec: {} as ProductSpec })
  assert.deepEqual([await stateOf(waiting.id), await stateOf(other.id)], ['superseded', 'queued'])
  await assert.rejects(retryRun(control.db, failed.id, 'ana'), { code: 'RUN_SUPERSEDED' })

  const again = await enqueue(0, false)
  await reinstateRelease(control.db, { product: products[0]!, environment: 'prod', number: 1, by: 'developer' })
  assert.equal(await stateOf(again.id), 'superseded')
})
