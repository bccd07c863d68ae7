import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { startRefresh } from '../../src/lifecycle/deploy.ts'
import { type ReplayProgress, replayDays } from '../../src/replay-sample.ts'
import { type Control, openControl } from '../../src/store/control.ts'
import { DAYS, holdDays, makeBoth, startMeshOfTwo, TOTALS } from '../mesh-of-two.ts'
import type { TestPlatform } from '../platform.ts'
import { waitForEnd } from '../small-mesh.ts'

/** A first load of 40 days, then 22 days that come one by one. On the 16th of them the source has lost most of its rows, and is whole again on the next. */
const dayOf = (n: number) => new Date(Date.UTC(2013, 9, 1 + n)).toISOString().slice(0, 10)
const FIRST = Array.from({ length: 40 }, (_, n) => dayOf(n))
const REPLAYED = Array.from({ length: 22 }, (_, n) => dayOf(40 + n))
const POOR = REPLAYED[15]!
const KILLED_AT = REPLAYED[9]!

let platform: TestPlatform
let control: Control
let rows: pg.Client

before(async () => {
  platform = await startMeshOfTwo({ levels: 'availability: 99%, completeness: {within: 5%}, freshness: {threshold: 26h}' })
  await holdDays(platform, FIRST)
  await makeBoth(platform)
  const { listen, password } = JSON.parse(await readFile(join(platform.data, 'postgres.json'), 'utf8'))
  control = openControl({ host: '127.0.0.1', port: listen, database: 'heddle', user: 'postgres', password }, { log: () => {} })
  rows = await platform.control()
})
after(async () => {
  await control?.close()
  await platform?.dispose()
})

async function until<T>(what: string, look: () => Promise<T | null | undefined | false>, seconds = 30): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const told: ReplayProgress[] = []
function replay(signal: AbortSignal, arrived: (day: string) => Promise<void> = async () => {}): Promise<ReplayProgress> {
  return replayDays(
    { control, log: (line) => console.log(line) },
    {
      domain: 'lab',
      product: 'days',
      environment: 'prod',
      days: REPLAYED,
      async arrive(day) {
        await arrived(day)
        const through = day === POOR ? FIRST.slice(0, 20) : [...FIRST, ...REPLAYED.filter((each) => each <= day)]
        await holdDays(platform, through)
      },
    },
    { signal, tell: (progress) => void told.push(progress) },
  )
}

const levelsOf = async (address: string) => (await platform.client().serviceLevels(address)).items
const isObserved = async () =>
  (await rows.query('select 1 from publication where observed_at is null')).rowCount === 0 &&
  (
    await rows.query(
      'select 1 from monitor m left join evaluation e on e.monitor = m.id where e.due_at is null or e.due_at <= now()',
    )
  ).rowCount === 0

test('days are replayed by real runs, the first five are gathered, and a crash in the middle brings none twice', async () => {
  const interrupted = new AbortController()
  const first = replay(interrupted.signal, async (day) => {
    if (day !== REPLAYED[5]) return
    // five updates are in: that is the baseline, and nothing is claimed yet
    await until('five days are judged', isObserved)
    for (const address of [DAYS, TOTALS]) {
      const completeness = (await levelsOf(address)).find(({ kind }) => kind === 'completeness')!
      assert.deepEqual([completeness.state, completeness.evaluated, completeness.value], ['gathering', 0, null], address)
    }
  })
  await until(
    'the tenth day runs',
    async () =>
      (await rows.query(`select 1 from run where detail ->> 'sourceDay' = $1 and state = 'running'`, [KILLED_AT])).rowCount === 1,
    90,
  )
  await platform.kill('SIGKILL')
  interrupted.abort()
  assert.equal((await first).done, 9)
  await platform.start()
  rows = await platform.control()

  assert.deepEqual(await replay(new AbortController().signal), { done: 22, total: 22, problem: null })
  assert.deepEqual(
    told.filter(({ problem }) => problem !== null),
    [],
  )
  const { rows: runs } = await rows.query(
    `select p.name, r.state, count(*)::int as runs, count(distinct r.detail ->> 'logicalDate')::int as days, bool_and(r.priority < 0) as behind
     from run r join product p on p.id = r.product where r.detail ? 'logicalDate' group by 1, 2 order by 1`,
  )
  assert.deepEqual(runs, [
    { name: 'days', state: 'succeeded', runs: 22, days: 22, behind: true },
    { name: 'totals', state: 'succeeded', runs: 22, days: 22, behind: true },
  ])
  // Done is done, and the database itself refuses a second run for a day.
  assert.deepEqual(await replay(new AbortController().signal), { done: 22, total: 22, problem: null })
  const [product] = await control.db.selectFrom('product').selectAll().where('name', '=', 'days').execute()
  const again = control.db.transaction().execute((queries) =>
    startRefresh(queries, {
      product: product!,
      environment: 'prod',
      by: 'developer',
      because: 'test',
      replayed: { sourceDay: KILLED_AT, logicalDate: new Date().toISOString() },
    }),
  )
  await assert.rejects(again, /run_source_day/)
})

test('an update counts on the day of what it read; the last replayed day ends where measuring began', async () => {
  await until('everything is judged', isObserved)
  const { rows: days } = await rows.query(
    `select p.name, count(*)::int as updates, min(o.slice_start) = max(first.hour) - interval '21 days' as begins,
       max(o.slice_start) = max(first.hour) as ends, bool_and(o.replayed) as marked
     from observation o join monitor m on m.id = o.monitor join product p on p.id = m.product
     cross join (select date_trunc('hour', min(e.at)) as hour from publication e join product d on d.id = e.product where d.name = 'days') first
     where m.kind = 'completeness' and o.replayed group by 1 order by 1`,
  )
  assert.deepEqual(days, [
    { name: 'days', updates: 22, begins: true, ends: true, marked: true },
    { name: 'totals', updates: 22, begins: true, ends: true, marked: true },
  ])
  const { rows: live } = await rows.query(
    `select distinct o.replayed from observation o join monitor m on m.id = o.monitor where o.slice_start >= m.since - interval '1 minute'`,
  )
  assert.deepEqual(live, [{ replayed: false }], 'what is measured now is not marked')
})

/** Straight from the rows: shares of the last 20 days, by the words of DESIGN and of the spec, with nothing of src/slo. */
const BY_HAND = `
  with level as (
    select m.id, p.domain || '/' || p.name as product, m.kind, case m.kind when 'availability' then 0.99 else 0.95 end as target
    from monitor m join product p on p.id = m.product
  ), inside as (
    select l.*, o.outcome, o.value, o.slice_start from level l join observation o on o.monitor = l.id
    where case l.kind when 'completeness' then o.slice_start > now() - interval '20 days'
      else o.slice_start > date_trunc('hour', now()) - interval '20 days' and o.slice_start <= date_trunc('hour', now()) end
  ), counted as (
    select product, kind, target, count(*) filter (where outcome = 'good')::int as good, count(*) filter (where outcome = 'bad')::int as bad,
      count(*)::int as slices
    from inside group by 1, 2, 3
  )
  select product, kind, good, good + bad as evaluated, floor(good * 10000.0 / nullif(good + bad, 0))::int as value,
    floor((good + bad + case kind when 'completeness' then 0 else greatest(0, 480 - slices) end) * (1 - target))::int as allowed, bad as used
  from counted order by 1, 2`

/** What each update should have been called: its total against the mean of the 20 days before it, from the sixth on. */
const JUDGED_BY_HAND = `
  select p.name, o.slice_start, o.outcome,
    case when base.n < 5 then 'excluded' when o.value >= base.mean * 0.95 then 'good' else 'bad' end as by_hand
  from observation o join monitor m on m.id = o.monitor and m.kind = 'completeness' join product p on p.id = m.product
  cross join lateral (
    select count(*) as n, avg(e.value) as mean from observation e
    where e.monitor = o.monitor and e.slice_start < o.slice_start and e.slice_start >= o.slice_start - interval '20 days'
  ) base
  where o.replayed`

test('the figures of 20 days are those of a hand calculation in SQL', async () => {
  const judged = (await rows.query(JUDGED_BY_HAND)).rows
  assert.equal(judged.length, 44)
  assert.deepEqual(
    judged.filter(({ outcome, by_hand }) => outcome !== by_hand),
    [],
  )
  const byHand = (await rows.query(BY_HAND)).rows
  assert.equal(byHand.length, 6)
  for (const address of [DAYS, TOTALS]) {
    const levels = await levelsOf(address)
    const shown = levels.map(({ kind, good, evaluated, value, budget }) => ({
      product: address,
      kind,
      good,
      evaluated,
      value,
      allowed: budget.total,
      used: budget.used,
    }))
    assert.deepEqual(
      shown.sort((a, b) => a.kind.localeCompare(b.kind)),
      byHand.filter(({ product }) => product === address),
    )
    assert.deepEqual(
      levels.map(({ kind, state }) => [kind, state]).sort(),
      [
        ['availability', 'met'],
        ['completeness', 'breached'],
        ['freshness', 'met'],
      ],
      'one poor day of 17 is more than 5 %',
    )
    // the strip: each of the 20 days with its counts
    for (const { kind, days } of levels) {
      const { rows: strip } = await rows.query(
        `select to_char(o.slice_start at time zone 'UTC', 'YYYY-MM-DD') as day, count(*) filter (where o.outcome = 'good')::int as good,
           count(*) filter (where o.outcome = 'bad')::int as bad
         from observation o join monitor m on m.id = o.monitor join product p on p.id = m.product
         where p.domain || '/' || p.name = $1 and m.kind = $2 and o.slice_start >= date_trunc('day', now(), 'UTC') - interval '19 days'
         group by 1 order by 1`,
        [address, kind],
      )
      assert.equal(days.length, 20)
      assert.deepEqual(
        days.filter(({ good, bad }) => good + bad > 0).map(({ day, good, bad }) => ({ day, good, bad })),
        strip.filter(({ good, bad }) => good + bad > 0),
        `${address} ${kind}`,
      )
    }
    const printed = await platform.cli(['slo', address, '--json'])
    assert.equal(printed.status, 0, printed.stderr)
  }
})

test('a refresh that somebody asks for is of today and goes first', async () => {
  const run = await platform.client().refresh(DAYS)
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
  const follows = await until('its follower', async () => {
    const { items } = await platform.client().runs({ product: TOTALS })
    return items.find((each) => each.number > run.number && each.state === 'succeeded')
  })
  const { rows: both } = await rows.query(`select detail ? 'logicalDate' as replayed, priority from run where number = any($1)`, [
    [run.number, follows.number],
  ])
  assert.deepEqual(both, [
    { replayed: false, priority: 0 },
    { replayed: false, priority: 0 },
  ])
  await until('it is judged', isObserved)
  const { rows: last } = await rows.query(
    `select distinct on (p.name) p.name, o.replayed from observation o join monitor m on m.id = o.monitor join product p on p.id = m.product
     where m.kind = 'completeness' order by p.name, o.slice_start desc`,
  )
  assert.deepEqual(last, [
    { name: 'days', replayed: false },
    { name: 'totals', replayed: false },
  ])
})
