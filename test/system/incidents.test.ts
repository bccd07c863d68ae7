import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { newId } from '../../src/core/id.ts'
import { deliver, evaluate, measure, type ObserveDeps, watchEvaluator } from '../../src/lifecycle/observe.ts'
import { listIncidents } from '../../src/observe/incidents.ts'
import { levelsOf, shownState } from '../../src/observe/levels.ts'
import { applyMonitors, ensureNamespace } from '../../src/observe/monitors.ts'
import type { Message, Sent } from '../../src/platform/notification.ts'
import type { Measured, MeasureRequest, Warehouse } from '../../src/platform/warehouse.ts'
import type { ProductSpec, ServiceLevel } from '../../src/spec/types.ts'
import { type Control, json, openControl } from '../../src/store/control.ts'
import { initialiseControl } from '../../src/store/initialise.ts'
import { migrate } from '../../src/store/migrate.ts'
import { startTestPostgres } from '../postgres-server.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 2, 29, 0, 30)

let server: Awaited<ReturnType<typeof startTestPostgres>>
let control: Control
/** The clock that a test moves; the last Sunday of March lies in it, when clocks in Europe go forward. */
let now = START
const sent: { id: string; type: string; subject: string; text: string }[] = []
let answer: () => Sent = () => ({ outcome: 'delivered' })
const logged: string[] = []

before(async () => {
  server = await startTestPostgres()
  const connection = await initialiseControl({ ...server, controlPassword: 'of-tests' })
  await migrate(connection)
  control = openControl(connection, { log: () => {} })
})
after(async () => {
  await control?.close()
  await server?.dispose()
})

const deps = (): ObserveDeps => ({
  control,
  clock: { now: () => new Date(now) },
  // the probes themselves are proven in service-levels.test.ts; here every object can be read
  warehouse: () => ({ measure: readable }) as unknown as Warehouse,
  mesh: () =>
    ({ notices: { webhooks: { allow: [] }, platform: ['platform@example.org'] } }) as unknown as ReturnType<ObserveDeps['mesh']>,
  url: () => 'http://127.0.0.1:4000',
  log: (line) => void logged.push(line),
  email: {
    async send({ message }: { message: Message }) {
      const outcome = answer()
      if (outcome.outcome === 'delivered') sent.push(message)
      return outcome
    },
  },
  webhook: { send: async () => ({ outcome: 'delivered' }) },
  secret: async () => null,
})

const published = new Map<string, number>()
let revisions = 0
async function readable({ place, ports }: MeasureRequest): Promise<Measured[]> {
  const at = published.get(place.id)
  if (at === undefined) return []
  return ports.flatMap(({ port, major, objects }) =>
    objects.map((object) => ({
      port,
      major,
      object: object.name,
      exists: true,
      readable: true,
      rows: null,
      newest: null,
      publishedAt: new Date(at).toISOString(),
      error: null,
    })),
  )
}

const LEVELS: ServiceLevel[] = [
  { kind: 'availability', name: 'availability', object: 'data', target: 0.99, windowMs: 20 * DAY },
  {
    kind: 'completeness',
    name: 'completeness',
    object: 'data',
    target: 0.95,
    within: 0.05,
    against: 'mean',
    of: 'total',
    windowMs: 20 * DAY,
    minimum: 5,
  },
  { kind: 'freshness', name: 'freshness', object: 'data', element: null, thresholdMs: DAY, target: 0.95, windowMs: 20 * DAY },
]

async function makeProduct(name: string, upstream: string | null): Promise<string> {
  const id = newId()
  const { db } = control
  await db
    .insertInto('domain')
    .values({ name: 'air', title: 'Air', owners: ['ana'], budget: json({ connections: 1, statementMs: 1, tempFileBytes: 1 }) })
    .onConflict((c) => c.doNothing())
    .execute()
  await db.insertInto('product').values({ id, domain: 'air', name, title: name, owner: 'ana', state: 'active' }).execute()
  const spec = {
    inputs: upstream
      ? [{ kind: 'product', name: 'in', domain: 'air', product: upstream, port: 'data', versionRange: '^1', expects: [] }]
      : [],
    outputs: [{ name: 'data', port: 'data', kind: 'sql', major: 1, objects: [{ name: 'data' }], serviceLevels: LEVELS }],
    receivers: [{ name: 'team', target: 'email', urlSecret: null, to: [`${name}@example.org`] }],
  } as unknown as ProductSpec
  const run = await addRun(id)
  await db
    .insertInto('release')
    .values({
      id: newId(),
      product: id,
      environment: 'prod',
      number: 1,
      label: '1',
      commit_id: 'c',
      content: 'c',
      spec: json(spec),
      spec_hash: 'h',
      revision: 1,
      run,
      current: true,
    })
    .execute()
  await ensureNamespace(db, 'air')
  await applyMonitors(
    db,
    { product: id, environment: 'prod', domain: 'air', run },
    LEVELS.map((level) => ({ port: 'data', level })),
  )
  await db
    .updateTable('monitor')
    .set({ since: new Date(now) })
    .where('product', '=', id)
    .execute()
  return id
}

async function addRun(
  product: string,
  detail: Record<string, unknown> = {},
  kind: 'refresh' | 'rollback' = 'refresh',
): Promise<string> {
  const [id, plan] = [newId(), newId()]
  await control.db
    .insertInto('plan')
    .values({ id: plan, kind: 'refresh', product, environment: 'prod', world_hash: '', steps: json([]), affected: json([]) })
    .execute()
  await control.db
    .insertInto('run')
    .values({
      id,
      kind,
      product,
      environment: 'prod',
      lane: 'data',
      plan,
      state: 'succeeded',
      by: 'ana',
      because: 'test',
      commit_id: null,
      detail: json(detail),
      approvers: [],
      approvals: json([]),
      owner: null,
      lease_until: null,
      cancel_by: null,
      problem: null,
      started_at: new Date(now),
      ended_at: new Date(now),
    })
    .execute()
  return id
}

async function publish(product: string, rows: number, detail: Record<string, unknown> = {}): Promise<void> {
  const run = await addRun(product, detail, detail.revision === undefined ? 'refresh' : 'rollback')
  published.set(product, now)
  const revision = Number(detail.revision ?? ++revisions)
  await control.db
    .insertInto('publication')
    .values({
      id: newId(),
      product,
      environment: 'prod',
      at: new Date(now),
      payload: json({ run, revision, ports: [{ port: 'data', major: 1, objects: [{ name: 'data', rows }] }] }),
    })
    .execute()
}

/** Time passes hour by hour, the platform at work. */
async function pass(hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    now += HOUR
    await measure(deps(), { confirmAfterMs: 0 })
    await evaluate(deps())
    await deliver(deps(), new AbortController().signal)
  }
}

const levelOf = async (product: string, kind: string) => (await levelsOf(control.db, [product])).find((row) => row.kind === kind)!
const incidentsOf = (product: string) => listIncidents(control.db, { product, limit: 50 })

test('daily data, then a day is withheld: at risk at the bound, breached a day later, one incident, one mail; the consumer names the upstream and is left alone', async () => {
  const source = await makeProduct('source', null)
  const derived = await makeProduct('derived', 'source')
  for (let day = 0; day < 8; day++) {
    await publish(source, 1000 + day)
    await publish(derived, 100)
    await pass(23)
  }
  now += 60_000
  const met = await levelOf(source, 'freshness')
  assert.deepEqual([met.evaluation!.state, met.evaluation!.verdict.value], ['met', 10_000])
  assert.equal((await levelOf(source, 'completeness')).evaluation!.verdict.evaluated, 3, 'five updates are the baseline')
  assert.equal(sent.length, 0)

  // the next day does not come: the last publication is a day and a minute old
  await pass(1)
  assert.equal((await levelOf(source, 'freshness')).evaluation!.state, 'at-risk')
  const [incident] = await incidentsOf(source)
  assert.deepEqual([incident!.state, incident!.severity, incident!.cause.kind], ['open', 'ticket', 'idle'])
  const [behind] = await incidentsOf(derived)
  assert.deepEqual(
    [behind!.cause.kind, behind!.cause.upstream, behind!.cause.incident],
    ['upstream', 'air/source', incident!.number],
  )
  assert.equal(sent.length, 1)
  assert.match(sent[0]!.subject, /air\/source/)
  for (const word of ['since', 'cause', 'next', 'Hit:']) assert.ok(sent[0]!.text.includes(word), word)

  await pass(23)
  assert.equal((await levelOf(source, 'freshness')).evaluation!.state, 'at-risk', 'the 24 hours of the budget are used')
  await pass(1)
  assert.equal((await levelOf(source, 'freshness')).evaluation!.state, 'breached')
  assert.equal((await incidentsOf(source))[0]!.severity, 'page')
  assert.deepEqual([(await incidentsOf(source)).length, (await incidentsOf(derived)).length, sent.length], [1, 1, 1])

  await publish(source, 1010)
  await publish(derived, 100)
  await pass(1)
  assert.deepEqual([(await incidentsOf(source))[0]!.state, (await incidentsOf(derived))[0]!.state], ['resolved', 'resolved'])
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['incident.opened', 'incident.resolved'],
  )
  const verdict = (await levelOf(source, 'freshness')).evaluation!.verdict
  const { rows } = await sql<{ good: number; evaluated: number }>`
    select count(*) filter (where outcome = 'good') as good, count(*) filter (where outcome in ('good', 'bad')) as evaluated
    from observation where monitor = ${(await levelOf(source, 'freshness')).id}
      and slice_start > date_trunc('hour', ${new Date(now)}::timestamptz, 'UTC') - interval '480 hours'`.execute(control.db)
  assert.deepEqual({ good: verdict.good, evaluated: verdict.evaluated }, rows[0])
})

test('an update that brings too few rows opens its own incident; the next one ends it', async () => {
  const [source] = (await control.db.selectFrom('product').select('id').where('name', '=', 'source').execute()) as [
    { id: string },
  ]
  await publish(source.id, 500)
  await pass(1)
  const [incident] = await incidentsOf(source.id)
  assert.deepEqual([incident!.slo, incident!.state, incident!.cause.kind], ['data.data completeness', 'open', 'short'])
  await publish(source.id, 1011)
  await pass(1)
  assert.equal((await incidentsOf(source.id))[0]!.state, 'resolved')
})

test('a receiver that is down for an hour gets each message once, with the id of the first try', async () => {
  const flaky = await makeProduct('flaky', null)
  await publish(flaky, 10)
  await pass(1)
  sent.length = 0
  let tries = 0
  answer = () => (++tries <= 3 ? { outcome: 'later', problem: 'down', afterMs: null } : { outcome: 'delivered' })
  published.set(flaky, now)
  now += DAY
  await evaluate(deps())
  await evaluate(deps())
  for (let minute = 0; minute < 60; minute++) {
    now += 60_000
    await Promise.all([deliver(deps(), new AbortController().signal), deliver(deps(), new AbortController().signal)])
  }
  assert.equal(sent.filter(({ subject }) => subject.includes('air/flaky')).length, 1)
  assert.equal(new Set(sent.map(({ id }) => id)).size, sent.length)
  assert.ok(tries >= 4)
})

test('an evaluator that fell silent is noticed by the watch, and nothing is shown as met meanwhile', async () => {
  await evaluate(deps())
  const watching = { maxSilenceMs: 600_000, watchingSince: new Date(now) }
  assert.equal(await watchEvaluator(deps(), watching), false)
  now += 11 * 60_000
  assert.equal(await watchEvaluator(deps(), watching), true)
  assert.equal(await watchEvaluator(deps(), watching), true)
  const [incident, ...more] = (await listIncidents(control.db, { open: true, limit: 50 })).filter(
    ({ product }) => product === null,
  )
  assert.equal(more.length, 0)
  assert.equal(incident!.severity, 'page')
  assert.ok(logged.some((line) => line.includes('No service level was evaluated for 11 minutes')))
  await deliver(deps(), new AbortController().signal)
  assert.ok(sent.some(({ subject }) => subject.includes('has stopped')))
  now += 5 * 60_000
  const levels = await levelsOf(
    control.db,
    (await control.db.selectFrom('product').select('id').execute()).map(({ id }) => id),
  )
  assert.ok(levels.every((row) => shownState(row, new Date(now)) === 'not-evaluated'))
  await evaluate(deps())
  assert.equal(await watchEvaluator(deps(), watching), false)
  assert.deepEqual(
    (await listIncidents(control.db, { open: true, limit: 50 })).filter(({ product }) => product === null),
    [],
  )
})

test('replayed days count on the day of their source and say so', async () => {
  const replayed = await makeProduct('replayed', null)
  const first = Math.floor(now / DAY) * DAY - 25 * DAY
  for (let day = 0; day < 25; day++) {
    await publish(replayed, 1000, { logicalDate: new Date(first + day * DAY).toISOString() })
    now += 1000
  }
  await pass(1)
  const freshness = (await levelOf(replayed, 'freshness')).evaluation!
  assert.equal(freshness.state, 'met')
  assert.ok(freshness.verdict.evaluated >= 450, `${freshness.verdict.evaluated} hours`)
  const { state, verdict } = (await levelOf(replayed, 'completeness')).evaluation!
  assert.deepEqual([state, verdict.good, verdict.evaluated], ['met', verdict.evaluated, verdict.evaluated])
  assert.ok(verdict.evaluated >= 19)
  const marked = await control.db
    .selectFrom('observation')
    .select('replayed')
    .distinct()
    .where('monitor', '=', (await levelOf(replayed, 'completeness')).id)
    .execute()
  assert.deepEqual(marked, [{ replayed: true }])
})

test('a roll back makes nothing fresh and is no update', async () => {
  const product = await makeProduct('rolled', null)
  await publish(product, 10)
  const first = revisions
  await pass(20)
  await publish(product, 10)
  now += 1000
  await publish(product, 10, { revision: first })
  await pass(6)
  assert.equal((await levelOf(product, 'freshness')).evaluation!.verdict.failing, true, 'the rows served are 26 hours old')
  const completeness = (await levelOf(product, 'completeness')).id
  const updates = await control.db.selectFrom('observation').select('slice_start').where('monitor', '=', completeness).execute()
  assert.equal(updates.length, 2)
})
