import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { Incident, ServiceLevel } from '../../src/client/types.ts'
import type { TestPlatform } from '../platform.ts'
import { isSigned, startMailServer, startWebhookReceiver } from '../receivers.ts'
import { makeProduct, orderFiles, SMALL_MESH, startSmallMesh, writeFiles } from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const SECRET = `whsec_${Buffer.from('a signing key of tests, 32 bytes').toString('base64')}`
const RECEIVERS = `    - name: receivers
      type: alert-receivers
      properties:
        targets:
          - {name: team-mail, target: email, to: [orders@example.org]}
          - {name: team-hook, target: webhook, urlSecretRef: {name: team-hook}}
`

let platform: TestPlatform
let control: pg.Client
let prod: pg.Client
let mail: Awaited<ReturnType<typeof startMailServer>>
let hook: Awaited<ReturnType<typeof startWebhookReceiver>>

before(async () => {
  mail = await startMailServer()
  // the first call fails, so that the message is seen to come again
  hook = await startWebhookReceiver((call) => (call === 1 ? 503 : 204))
  const notices = `notices:
  smtp: {host: 127.0.0.1, port: ${mail.port}, from: Heddle <heddle@example.org>, security: plain}
  webhooks: {allow: ["${hook.host}"]}
`
  platform = await startSmallMesh({
    mesh: SMALL_MESH + notices,
    env: { HEDDLE_SECRET_SHOP__ORDERS__TEAM_HOOK: `${hook.url}#${SECRET}` },
  })
  const files = orderFiles()
  await writeFiles(`${platform.data}/work/templates/orders`, {
    ...files,
    'data_product_spec.yml': files['data_product_spec.yml'] + RECEIVERS,
    'data_product_deploy.yml': `${files['data_product_deploy.yml']}secrets:\n  team-hook: {provider: env, name: TEAM_HOOK}\n`,
  })
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  control = await platform.control()
  prod = await platform.warehouse('prod')
})
after(async () => {
  await platform?.dispose()
  await mail?.close()
  await hook?.close()
})

async function until<T>(what: string, look: () => Promise<T | null | undefined | false>, seconds = 25): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

async function level(kind: ServiceLevel['kind']): Promise<ServiceLevel> {
  const { items } = await platform.client().serviceLevels(ORDERS)
  return items.find((each) => each.kind === kind)!
}

const monitor = async (kind: string): Promise<string> =>
  (
    await control.query('select m.id from monitor m join product p on p.id = m.product where p.name = $1 and m.kind = $2', [
      'orders',
      kind,
    ])
  ).rows[0].id

/** Hours before the current one, oldest first, as the prober would have written them. */
async function writeHours(kind: string, outcomes: string[]): Promise<void> {
  await control.query(
    `insert into observation (monitor, slice_start, outcome, value, observed_at)
     select $1, date_trunc('hour', now()) - make_interval(hours => (cardinality($2::text[]) - n)::int + 1), o, 0, now()
     from unnest($2::text[]) with ordinality x (o, n)
     on conflict (monitor, slice_start) do update set outcome = excluded.outcome`,
    [await monitor(kind), outcomes],
  )
  await lookAgain()
}
const lookAgain = () => control.query('update evaluation set due_at = now()')
const hours = (n: number, outcome = 'good') => Array.from({ length: n }, () => outcome)
const incidents = async (): Promise<Incident[]> => (await platform.client().incidents({ product: ORDERS })).items

test('a fresh product is measured within seconds and is honestly gathering', async () => {
  const found = await until('first probes', async () => {
    const levels = (await platform.client().serviceLevels(ORDERS)).items
    return levels.filter(({ evaluated }) => evaluated === 1).length === 2 && levels
  })
  assert.deepEqual(
    found.map(({ kind, state, value }) => [kind, state, value]),
    [
      ['availability', 'gathering', 10_000],
      ['completeness', 'gathering', null],
      ['freshness', 'gathering', 10_000],
    ],
  )
  const { items } = await platform.client().products()
  assert.equal(items[0]!.slo, 'gathering')
  const rows = await control.query(`select o.value from observation o where o.monitor = $1`, [await monitor('completeness')])
  assert.deepEqual(
    rows.rows.map(({ value }) => Number(value)),
    [3],
    'the rows of the publication',
  )
})

test('the prober reads what a consumer reads, and nothing of its own', async () => {
  const { rows } = await prod.query(
    `select r.rolname as role from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles p on p.oid = m.member
     where p.rolname = 'prod__shop__orders__prober' order by 1`,
  )
  assert.deepEqual(
    rows.map(({ role }) => role),
    ['prod__connect', 'prod__shop_orders_orders_v1__read'],
  )
})

test('after 20 days the figures are those of a hand calculation in SQL', async () => {
  await writeHours('availability', [
    ...hours(300),
    ...hours(2, 'bad'),
    ...hours(3, 'missing'),
    ...hours(2, 'excluded'),
    ...hours(190),
  ])
  await writeHours('freshness', [...hours(30, 'bad'), ...hours(460)])
  const { rows } = await control.query(
    `select m.kind, count(*) filter (where o.outcome = 'good')::int as good, count(*) filter (where o.outcome in ('good', 'bad'))::int as evaluated,
       (count(*) filter (where o.outcome = 'good') * 10000 / count(*) filter (where o.outcome in ('good', 'bad')))::int as value
     from observation o join monitor m on m.id = o.monitor
     where m.kind <> 'completeness' and o.slice_start > date_trunc('hour', now()) - interval '20 days' group by m.kind order by m.kind`,
  )
  for (const row of rows) {
    const shown = await until(`${row.kind} is judged`, async () => {
      const each = await level(row.kind)
      return each.evaluated > 400 && each
    })
    assert.deepEqual({ kind: shown.kind, good: shown.good, evaluated: shown.evaluated, value: shown.value }, row)
  }
  assert.equal((await level('availability')).state, 'met')
  assert.equal((await level('freshness')).state, 'at-risk', 'more than two thirds of the budget are used')
  assert.equal((await platform.client().products()).items[0]!.slo, 'at-risk')
})

test('late data: at risk, one incident, one mail and one signed call that came again; breached; resolved by a publication', async () => {
  await control.query("update publication set at = at - interval '25 hours'")
  await lookAgain()
  const [incident] = await until('an incident', async () => {
    const found = await incidents()
    return found.length > 0 && found
  })
  assert.equal(incident!.slo, 'orders.orders freshness')
  assert.equal(incident!.severity, 'ticket')
  assert.equal(incident!.cause.kind, 'idle')
  assert.match(incident!.cause.next, /heddle refresh shop\/orders/)
  assert.deepEqual([(await level('freshness')).state, (await level('freshness')).failing], ['at-risk', true])

  await until('both messages', async () => {
    const [{ messages }] = (await incidents()) as [Incident]
    return messages.length === 2 && messages.every(({ deliveredAt }) => deliveredAt !== null)
  })
  assert.equal(mail.mails.length, 1)
  assert.match(mail.mails[0]!.to.join(), /orders@example\.org/)
  assert.match(mail.mails[0]!.source, /shop\/orders: orders\.orders freshness/)
  for (const part of ['cause', 'next', 'since', 'Hit:', 'nobody has an agreement'])
    assert.ok(mail.mails[0]!.source.includes(part), part)
  assert.equal(hook.calls.length, 2, 'refused with 503 once, then taken')
  assert.equal(hook.calls[0]!.id, hook.calls[1]!.id)
  for (const call of hook.calls) assert.ok(isSigned(call, SECRET))
  assert.equal(JSON.parse(hook.calls[1]!.body).type, 'incident.opened')

  const acknowledged = await platform.cli(['acknowledge', String(incident!.number), '--json'])
  assert.equal(acknowledged.status, 0, acknowledged.stderr)
  assert.equal((await platform.cli(['acknowledge', String(incident!.number)], {})).status, 1)
  const stranger = await platform
    .client('stranger')
    .acknowledgeIncident(incident!.number)
    .catch((error) => error.code)
  assert.equal(stranger, 'HTTP_NOT_ALLOWED')

  await writeHours('freshness', [...hours(455), ...hours(25, 'bad')])
  await until('breached', async () => (await level('freshness')).state === 'breached')
  const [worse] = await until('a page', async () => {
    const found = await incidents()
    return found[0]!.severity === 'page' && found
  })
  assert.equal((await incidents()).length, 1, 'still one incident')
  assert.equal(worse!.state, 'acknowledged')
  assert.deepEqual([mail.mails.length, hook.calls.length], [1, 2], 'nobody is told twice')

  const shown = await platform.cli(['slo', ORDERS])
  assert.match(shown.stdout, /freshness .*FAIL Breached/)
  assert.match((await platform.cli(['incidents'])).stdout, /orders\.orders freshness/)

  const refreshed = await platform.cli(['refresh', ORDERS, '--wait'])
  assert.equal(refreshed.status, 0, refreshed.stderr)
  await until('resolved', async () => (await incidents())[0]!.state === 'resolved')
  const state = await level('freshness')
  assert.deepEqual([state.state, state.failing], ['breached', false], 'the window remembers; nothing fails now')
  await until('the end is told', async () => mail.mails.length === 2 && hook.calls.length === 3)
  assert.equal(JSON.parse(hook.calls[2]!.body).type, 'incident.resolved')
  assert.equal((await incidents()).length, 1)
})

test('what consumers cannot read is bad and pages; what cannot be measured is neither', async () => {
  await prod.query('revoke usage on schema shop_orders_orders_v1 from prod__shop_orders_orders_v1__read')
  await control.query(`delete from observation where monitor = $1 and slice_start = date_trunc('hour', now())`, [
    await monitor('availability'),
  ])
  const bad = await until('an unreadable hour', async () => {
    const { rows } = await control.query(
      `select outcome, problem from observation where monitor = $1 and slice_start = date_trunc('hour', now())`,
      [await monitor('availability')],
    )
    return rows[0]
  })
  assert.deepEqual(bad, { outcome: 'bad', problem: 'WAREHOUSE_ACCESS_DENIED' })
  const [incident] = await until('its incident', async () => {
    const found = (await incidents()).filter(({ state }) => state === 'open')
    return found.length > 0 && found
  })
  assert.deepEqual([incident!.slo, incident!.severity], ['orders.orders availability', 'page'])
  await prod.query('grant usage on schema shop_orders_orders_v1 to prod__shop_orders_orders_v1__read')

  // a lock on the view: the probe gets no answer, and nothing is claimed
  await prod.query('begin; lock table shop_orders_orders_v1.orders in access exclusive mode')
  await control.query(`delete from observation where monitor = $1 and slice_start = date_trunc('hour', now())`, [
    await monitor('availability'),
  ])
  const error = await until('an hour in error', async () => {
    const { rows } = await control.query(
      `select outcome from observation where monitor = $1 and slice_start = date_trunc('hour', now())`,
      [await monitor('availability')],
    )
    return rows[0]
  })
  await prod.query('rollback')
  assert.equal(error.outcome, 'error')
})

test('hours of a stopped control plane are excluded, hours of a dead one are not evaluated, and neither is bad', async () => {
  const newest = async () =>
    (
      await control.query(
        `select outcome from observation where monitor = $1 and slice_start >= date_trunc('hour', now()) - interval '4 hours' and slice_start < date_trunc('hour', now())`,
        [await monitor('availability')],
      )
    ).rows.map(({ outcome }) => outcome)

  await platform.kill('SIGKILL')
  await control.query(
    "delete from observation where slice_start >= date_trunc('hour', now()) - interval '4 hours' and monitor = $1",
    [await monitor('availability')],
  )
  await platform.start()
  await until('the dead hours', async () => (await newest()).length === 4)
  assert.deepEqual(await newest(), hours(4, 'missing'))

  await platform.kill('SIGTERM')
  await platform.start()
  control = await platform.control()
  const stop = await control.query('select began_at, ended_at from planned_stop')
  assert.equal(stop.rows.length, 1)
  assert.ok(stop.rows[0].ended_at > stop.rows[0].began_at)
  await control.query("update planned_stop set began_at = began_at - interval '5 hours'")
  await control.query(
    "delete from observation where slice_start >= date_trunc('hour', now()) - interval '4 hours' and slice_start < date_trunc('hour', now()) and monitor = $1",
    [await monitor('availability')],
  )
  await control.query("delete from observation where slice_start = date_trunc('hour', now()) and monitor = $1", [
    await monitor('availability'),
  ])
  await until('the stopped hours', async () => (await newest()).length === 4)
  assert.deepEqual(await newest(), hours(4, 'excluded'))
})

test('levels that are promised no more leave no open incident', async () => {
  await control.query(`delete from monitor where kind = 'availability'`)
  await until('orphans end', async () => (await incidents()).every(({ state }) => state === 'resolved'))
})
