import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { addressOf, arrive, startMeshOfFour } from '../mesh-of-four.ts'
import type { TestPlatform } from '../platform.ts'
import { connectAs, waitForEnd, waitForRun } from '../small-mesh.ts'

const ROUNDS = 10
const TARGET_MS = 500

let platform: TestPlatform
let control: pg.Client
let numbers = 1

before(async () => {
  platform = await startMeshOfFour()
  control = await platform.control()
})
after(() => platform?.dispose())

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function runsOf(
  name: string,
  kind = 'refresh',
): Promise<{ number: number; state: string; because: string; problem: { code: string; fix: string } | null }[]> {
  const { items } = await platform.client().runs({ product: addressOf(name), limit: 100 })
  const found = []
  for (const { number } of items.filter((run) => run.kind === kind)) {
    const { rows } = await control.query('select number::int, state, because, problem from run where number = $1', [number])
    found.push(rows[0])
  }
  return found
}

/** Asks for a product; its first deploy waits for access, and says for whose. */
async function ask(name: string): Promise<number> {
  const made = await platform.cli(['new', addressOf(name), '--yes', '--template', name])
  assert.equal(made.status, 0, made.stderr + made.stdout)
  const waiting = await waitForRun(platform, addressOf(name), (run) => run.kind === 'deploy' && run.state === 'waiting')
  return waiting.number
}

async function openRequests(name: string): Promise<number[]> {
  const { rows } = await control.query<{ number: number }>(
    `select number::int from request where state = 'submitted' and payload ->> 'subject' = $1 order by number`,
    [`service:${addressOf(name)}`],
  )
  return rows.map(({ number }) => number)
}

async function approveAll(name: string): Promise<void> {
  for (const number of await openRequests(name)) await platform.client('owner').decideRequest(number, 'approve')
}

async function served(name: string): Promise<number> {
  const reader = await connectAs(platform, addressOf(name))
  try {
    const [domain] = addressOf(name).split('/')
    const { rows } = await reader.query(`select count(*)::int as n from ${domain}_${name}_${name}_v1.${name}`)
    return rows[0].n
  } finally {
    await reader.end()
  }
}

/** One more number arrives, `top` publishes, and everything that follows has ended. */
async function publishTop(): Promise<void> {
  await arrive(platform, ++numbers)
  const run = await platform.client().refresh(addressOf('top'))
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
}

async function settle(name: string, count: number, seconds = 40): Promise<void> {
  for (const end = Date.now() + seconds * 1000; ; await pause(50)) {
    const { rows } = await control.query(
      `select count(*) filter (where state in ('succeeded', 'failed'))::int as ended from run where kind = 'refresh'
       and product = (select id from product where name = $1)`,
      [name],
    )
    if (rows[0].ended >= count) return
    assert.ok(Date.now() < end, `${name} has ${rows[0].ended} refreshes, not ${count}`)
  }
}

test('a product asks for its inputs by itself; nothing runs before the agreement, and whoever asked may not decide', async () => {
  const top = await platform.cli(['new', addressOf('top'), '--yes', '--template', 'top'])
  assert.equal(top.status, 0, top.stderr)
  await waitForRun(platform, addressOf('top'), (run) => run.kind === 'deploy' && run.state === 'succeeded')

  const waiting = await ask('left')
  const [request] = await openRequests('left')
  await assert.rejects(platform.client('developer').decideRequest(request!, 'approve'), { code: 'APPROVAL_OWN_REQUEST' })
  await pause(1_500)
  assert.equal((await platform.client().run(waiting)).state, 'waiting')
  const warehouse = await platform.warehouse('prod')
  const member = `select pg_has_role('prod__hall__left__keeper', 'prod__lab_top_top_v1__read', 'USAGE') as may`
  assert.equal((await warehouse.query(member)).rows[0].may, false)

  await platform.client('owner').decideRequest(request!, 'approve')
  assert.equal((await waitForEnd(platform, waiting)).state, 'succeeded')
  assert.equal((await warehouse.query(member)).rows[0].may, true)
  assert.equal(await served('left'), 1)
})

test('a denied request ends the deploy that waited; the next deploy asks again', async () => {
  const waiting = await ask('right')
  const [denied] = await openRequests('right')
  await platform.client('owner').decideRequest(denied!, 'deny', 'not yet')
  assert.equal((await platform.client().run(waiting)).state, 'denied')
  await platform.client().deploy(addressOf('right'))
  const [request] = await openRequests('right')
  assert.ok(request! > denied!)
  await approveAll('right')
  await waitForRun(platform, addressOf('right'), (run) => run.kind === 'deploy' && run.state === 'succeeded')
})

test('a publication starts what depends on it, a diamond once, and nothing else runs', async () => {
  // It reads products of its own domain, and is deployed by an owner of that domain: nobody else has to be asked.
  const made = await platform.cli(['new', addressOf('bottom'), '--yes', '--template', 'bottom'])
  assert.equal(made.status, 0, made.stderr)
  await waitForRun(platform, addressOf('bottom'), (run) => run.kind === 'deploy' && run.state === 'succeeded')
  const { rows: granted } = await control.query(
    `select state, approvals -> 0 ->> 'by' as by from request where payload ->> 'subject' = 'service:hall/bottom'`,
  )
  assert.deepEqual(granted, Array(2).fill({ state: 'done', by: 'developer' }))
  for (let round = 1; round <= ROUNDS; round++) {
    await publishTop()
    await settle('bottom', round)
  }
  await pause(1_500)
  for (const name of ['left', 'right', 'bottom']) {
    const runs = await runsOf(name)
    assert.deepEqual(
      runs.map(({ state }) => state),
      Array(ROUNDS).fill('succeeded'),
      name,
    )
  }
  assert.equal(await served('bottom'), numbers)
  assert.equal((await runsOf('bottom'))[0]!.because, 'hall/left, hall/right published')

  // From the commit's own clock in the warehouse to the claim of the dependent run; of two sources the later one counts.
  const { rows } = await control.query<{ ms: number; name: string }>(`
    select p.name, extract(epoch from r.started_at - max(o.at))::float8 * 1000 as ms
    from run r join product p on p.id = r.product join reading d on d.run = r.id
    join published_port o on o.product = d.upstream and o.port = d.port and o.publication = d.publication
    where r.kind = 'refresh' and r.by like 'service:%' group by p.name, r.id, r.started_at order by 2`)
  assert.equal(rows.length, 3 * ROUNDS)
  const times = rows.map(({ ms }) => Math.round(ms))
  console.log(`publication to dependent run, ms: ${times.join(' ')}`)
  assert.ok(times.every((ms) => ms > 0))
  assert.ok(times.at(-1)! <= TARGET_MS, `the slowest of ${times.length} took ${times.at(-1)} ms`)
})

test('the clock: nothing newer is no run; a month of missed times is one', async () => {
  const late = `update trigger set next_due = now() - interval '30 days' where product = (select id from product where name = $1)`
  const before = (await runsOf('bottom')).length
  await control.query(late, ['bottom'])
  await pause(2_500)
  assert.equal((await runsOf('bottom')).length, before)
  const { rows } = await control.query(`select next_due > now() as ahead from trigger where definition -> 'cron' <> 'null'`)
  assert.deepEqual(rows, [{ ahead: true }])
  // One side is newer, which is not enough for the event; the clock runs with it, once.
  const left = await platform.client().refresh(addressOf('left'))
  assert.equal((await waitForEnd(platform, left.number)).state, 'succeeded')
  await pause(1_500)
  assert.equal((await runsOf('bottom')).length, before)
  await control.query(late, ['bottom'])
  await settle('bottom', before + 1)
  await pause(2_500)
  const after = await runsOf('bottom')
  assert.equal(after.length, before + 1)
  assert.match(after[0]!.because, /^schedule "0 3/)
})

test('revoked: the next run fails and says what to do; what was served stays', async () => {
  const { items } = await platform.client().agreements({ product: addressOf('right') })
  const agreement = items.find((each) => each.state === 'active')!
  const revoke = await platform.client().revokeAgreement(agreement.number, 'over')
  assert.equal((await waitForEnd(platform, revoke.number)).state, 'succeeded')
  const warehouse = await platform.warehouse('prod')
  const { rows } =
    await warehouse.query(`select pg_has_role('prod__hall__bottom__keeper', 'prod__hall_right_right_v1__read', 'USAGE') as may,
    to_regclass('hall_bottom.right__right') is null as gone`)
  assert.deepEqual(rows, [{ may: false, gone: true }])
  const before = { runs: (await runsOf('bottom')).length, rows: await served('bottom') }
  await publishTop()
  await settle('bottom', before.runs + 1)
  const [last] = await runsOf('bottom')
  assert.equal(last!.state, 'failed')
  assert.equal(last!.problem!.code, 'ACCESS_NOT_GRANTED')
  assert.match(last!.problem!.fix, /heddle deploy hall\/bottom/)
  assert.equal(await served('bottom'), before.rows)
  await pause(2_500)
  assert.equal((await runsOf('bottom')).length, before.runs + 1, 'a failed run is not repeated without news')

  // Of its own domain: an owner who deploys it grants it again.
  await platform.client().deploy(addressOf('bottom'))
  assert.equal((await openRequests('bottom')).length, 0)
  const grants = await runsOf('right', 'grant')
  assert.equal((await waitForEnd(platform, grants[0]!.number)).state, 'succeeded')
  const run = await platform.client().refresh(addressOf('bottom'))
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
  assert.equal(await served('bottom'), numbers)
})
