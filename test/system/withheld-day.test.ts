import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { Incident, ServiceLevel } from '../../src/client/types.ts'
import { DAYS, holdDays, makeBoth, startMeshOfTwo, TOTALS } from '../mesh-of-two.ts'
import type { TestPlatform } from '../platform.ts'
import { isSigned, startMailServer, startWebhookReceiver } from '../receivers.ts'
import { waitForEnd } from '../small-mesh.ts'

/**
 * A day of a source does not come. The platform, its loops, the probes, the mail server and the webhook's receiver are real and run on the real clock; what is
 * simulated is the waiting: to let an hour pass, every time in the control database is moved an hour into the past, and the platform measures the new one.
 */
const HOUR_MS = 3_600_000
const THRESHOLD_MS = 2 * HOUR_MS
/** 48 hours, of which 5 % may be late: two. */
const LEVELS = 'window: 2d, freshness: {threshold: 2h, target: 95%}'
/** From the moment the threshold is passed, or the budget is spent, to the state that says so. */
const BOUND_MS = 10_000
const SECRET = `whsec_${Buffer.from('a signing key of tests, 32 bytes').toString('base64')}`
const receivers = (mail: string, hook: boolean) => `    - name: receivers
      type: alert-receivers
      properties:
        targets:
          - {name: team-mail, target: email, to: [${mail}]}
${hook ? '          - {name: team-hook, target: webhook, urlSecretRef: {name: team-hook}}\n' : ''}`

let platform: TestPlatform
let control: pg.Client
let mail: Awaited<ReturnType<typeof startMailServer>>
let hook: Awaited<ReturnType<typeof startWebhookReceiver>>

before(async () => {
  mail = await startMailServer()
  hook = await startWebhookReceiver()
  platform = await startMeshOfTwo({
    levels: LEVELS,
    notices: `notices:
  smtp: {host: 127.0.0.1, port: ${mail.port}, from: Heddle <heddle@example.org>, security: plain}
  webhooks: {allow: ["${hook.host}"]}
`,
    receivers: { days: receivers('days@example.org', true), totals: receivers('totals@example.org', false) },
    secrets: 'secrets:\n  team-hook: {provider: env, name: TEAM_HOOK}\n',
    env: { HEDDLE_SECRET_LAB__DAYS__TEAM_HOOK: `${hook.url}#${SECRET}` },
  })
  await holdDays(platform, ['2013-12-01'])
  await makeBoth(platform)
  control = await platform.control()
})
after(async () => {
  await platform?.dispose()
  await mail?.close()
  await hook?.close()
})

async function until<T>(what: string, look: () => Promise<T | null | undefined | false>, ms = 20_000): Promise<T> {
  for (const end = Date.now() + ms; ; ) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${ms / 1000} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Everything that is remembered happened so much longer ago. */
async function age(ms: number, of: 'everything' | 'publications'): Promise<void> {
  const by = `interval '${ms} milliseconds'`
  const times =
    of === 'publications'
      ? []
      : [
          `update incident set opened_at = opened_at - ${by}`,
          `update monitor set since = since - ${by}`,
          // twice, because one row would meet the next one's place
          `update observation set slice_start = slice_start + interval '100 years', observed_at = observed_at - ${by}`,
          `update observation set slice_start = slice_start - interval '100 years' - ${by}`,
        ]
  await control.query(
    [
      'begin',
      `update publication set at = at - ${by}`,
      `update published_port set at = at - ${by}`,
      ...times,
      'update evaluation set due_at = now()',
      'commit',
    ].join(';'),
  )
}

const freshnessOf = async (address: string): Promise<ServiceLevel> =>
  (await platform.client().serviceLevels(address)).items.find(({ kind }) => kind === 'freshness')!
const incidents = async (product: string): Promise<Incident[]> => (await platform.client().incidents({ product })).items
const hours = async () =>
  Number((await control.query(`select count(*)::int as n from observation where outcome in ('good', 'bad')`)).rows[0].n)

/** An hour passes: the real probes look at both products in the new one. */
async function passHour(): Promise<void> {
  const before = await hours()
  await age(HOUR_MS, 'everything')
  await until('both products are measured', async () => (await hours()) >= before + 2)
}

const publishedAgo = async (address: string): Promise<number> =>
  Number(
    (
      await control.query(
        `select extract(epoch from clock_timestamp() - max(e.at)) * 1000 as ms from publication e join product p on p.id = e.product
         where p.domain || '/' || p.name = $1`,
        [address],
      )
    ).rows[0].ms,
  )

test('a day is withheld: at risk at the bound, then breached, one incident, one mail, one signed call; the consumer names the upstream', async () => {
  await until('both are measured', async () => (await hours()) === 2)
  await passHour()
  for (const address of [DAYS, TOTALS]) {
    const { state, failing } = await freshnessOf(address)
    assert.deepEqual([address, state, failing], [address, 'gathering', false])
  }

  // The bound is crossed on the real clock, five seconds from now.
  await age(THRESHOLD_MS - 5_000 - (await publishedAgo(DAYS)), 'publications')
  assert.equal((await freshnessOf(DAYS)).failing, false)
  await until('at risk', async () => (await freshnessOf(DAYS)).state === 'at-risk')
  const late = (await publishedAgo(DAYS)) - THRESHOLD_MS
  assert.ok(late > 0 && late <= BOUND_MS, `said ${Math.round(late)} ms after the bound`)
  console.log(`at risk ${Math.round(late)} ms after the threshold`)

  const [incident] = await incidents(DAYS)
  assert.deepEqual(
    [incident!.slo, incident!.state, incident!.severity, incident!.cause.kind],
    ['days.days freshness', 'open', 'ticket', 'idle'],
  )
  const [behind] = await until('the incident of the consumer', async () => {
    const found = await incidents(TOTALS)
    return found.length > 0 && found
  })
  assert.deepEqual([behind!.cause.kind, behind!.cause.upstream, behind!.cause.incident], ['upstream', DAYS, incident!.number])
  await until('both messages', async () => mail.mails.length === 1 && hook.calls.length === 1)
  assert.match(mail.mails[0]!.to.join(), /days@example\.org/)
  assert.match(mail.mails[0]!.source, /lab\/days: days\.days freshness/)
  assert.ok(mail.mails[0]!.source.includes('service:hall/totals'), 'who is hit')
  assert.ok(isSigned(hook.calls[0]!, SECRET))
  assert.equal(JSON.parse(hook.calls[0]!.body).type, 'incident.opened')

  // Two late hours are the budget, the third is too many.
  for (const expected of ['at-risk', 'at-risk', 'breached']) {
    await passHour()
    const measured = Date.now()
    await until(`${expected}`, async () => (await freshnessOf(DAYS)).state === expected, BOUND_MS)
    console.log(`${expected} ${Date.now() - measured} ms after the hour was measured`)
  }
  const { budget, evaluated, good } = await freshnessOf(DAYS)
  assert.deepEqual([budget.total, budget.used, budget.left, evaluated - good], [2, 3, -1, 3])
  const [worse, ...more] = await until('a page', async () => {
    const found = await incidents(DAYS)
    return found[0]!.severity === 'page' && found
  })
  assert.deepEqual([worse!.number, more.length, (await incidents(TOTALS)).length], [incident!.number, 0, 1])
  assert.deepEqual([mail.mails.length, hook.calls.length], [1, 1], 'nobody is told twice, and the consumer’s team not at all')
})

test('the day arrives: the consumer follows by itself, both incidents end, one message each', async () => {
  await holdDays(platform, ['2013-12-01', '2013-12-02'])
  const run = await platform.client().refresh(DAYS)
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
  await until('both are resolved', async () =>
    [...(await incidents(DAYS)), ...(await incidents(TOTALS))].every(({ state }) => state === 'resolved'),
  )
  const { items } = await platform.client().runs({ product: TOTALS })
  assert.equal(items[0]!.because, 'lab/days published')
  const { state, failing } = await freshnessOf(DAYS)
  assert.deepEqual([state, failing], ['breached', false], 'the window remembers, nothing fails now')
  await until('the end is told', async () => mail.mails.length === 2 && hook.calls.length === 2)
  assert.equal(JSON.parse(hook.calls[1]!.body).type, 'incident.resolved')
  assert.ok(isSigned(hook.calls[1]!, SECRET))
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  assert.deepEqual([mail.mails.length, hook.calls.length], [2, 2])
  assert.ok(mail.mails.every(({ to }) => to.join().includes('days@example.org')))
  assert.deepEqual([(await incidents(DAYS)).length, (await incidents(TOTALS)).length], [1, 1])
})
