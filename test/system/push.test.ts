import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { TestPlatform } from '../platform.ts'
import {
  makeProduct,
  ORDERS_CSV,
  ORDERS_SQL,
  orderFiles,
  push,
  pushHead,
  servedOrders,
  startSmallMesh,
  waitForEnd,
  waitForRun,
  writeFiles,
  writeSource,
} from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const MODEL = 'dbt/models/orders.sql'
const TESTS = 'dbt/models/orders.yml'
const SLOW = 'select pg_sleep(1.5)'

let platform: TestPlatform
let control: pg.Client
let prod: pg.Client
let tree: string

before(async () => {
  platform = await startSmallMesh()
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  control = await platform.control()
  prod = await platform.warehouse('prod')
  tree = await platform.clone(ORDERS)
})
after(() => platform?.dispose())

const count = async (client: pg.Client, sql: string, values: unknown[] = []) =>
  Number((await client.query(sql, values)).rows[0].count)
const runs = () => count(control, 'select count(*) from run')
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Each start of dbt is told in its run's events. */
const dbtStarts = () => count(control, "select count(*) from event where kind = 'progress'")

test('a push starts a run at once and its rows are served', async (t) => {
  const times: number[] = []
  for (let n = 1; n <= 3; n++) {
    const pushed = await push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', `item || '${n}' as item,`) })
    assert.equal(pushed.status, 0, pushed.text)
    assert.match(pushed.text, /run \d+ {2}shop\/orders -> prod/)
    const run = await waitForEnd(platform, pushed.run!)
    assert.equal(run.state, 'succeeded', JSON.stringify(run.problem))
    assert.equal(run.commit, pushed.commit)
    times.push(Date.parse(run.startedAt!) - Date.parse(run.createdAt))
    assert.deepEqual(
      (await servedOrders(platform)).map((row) => row.item),
      [`pen${n}`, `ink${n}`, `paper${n}`],
    )
  }
  t.diagnostic(`push -> run started: median ${median(times)} ms of ${times.join(', ')}`)
  assert.ok(median(times) <= 1000, `median ${median(times)} ms`)
})

test('what the plan of the working tree says is what the push runs', async () => {
  await writeFiles(tree, { [MODEL]: `${ORDERS_SQL}-- planned\n` })
  const planned = await platform.cli(['plan', '--json'], { cwd: tree })
  assert.equal(planned.status, 0, planned.stderr)
  const steps = planned.json<{ steps: { id: string; command: string; title: string }[] }>().steps
  const before = { runs: await runs(), plans: await count(control, 'select count(*) from plan') }
  const again = await platform.cli(['plan', '--json'], { cwd: tree })
  assert.deepEqual(again.json<{ steps: unknown[] }>().steps, steps)
  assert.deepEqual(
    { runs: await runs(), plans: await count(control, 'select count(*) from plan') },
    before,
    'a plan writes nothing',
  )

  const pushed = await push(platform, tree, {})
  const run = await waitForEnd(platform, pushed.run!)
  assert.equal(run.state, 'succeeded')
  assert.deepEqual(
    run.steps.map(({ id, command, title }) => ({ id, command, title })),
    steps.map(({ id, command, title }) => ({ id, command, title })),
  )
  assert.match((await platform.cli(['plan'], { cwd: tree })).stdout, /Nothing to change as of/)
})

test('a push that changes nothing says so: no run, no dbt, no write in the warehouse', async (t) => {
  const before = { runs: await runs(), applied: await count(prod, 'select count(*) from heddle.applied'), dbt: await dbtStarts() }
  const bare: number[] = []
  const unchanged: number[] = []
  const timed = async <T>(times: number[], work: () => Promise<T>): Promise<T> => {
    const began = performance.now()
    const result = await work()
    times.push(performance.now() - began)
    return result
  }
  // Every effect in the environment is written to these tables first; while they are locked none can happen, and the pushes end all the same.
  const tables = (
    await prod.query(
      "select format('heddle.%I', relname) as name from pg_class where relnamespace = 'heddle'::regnamespace and relkind = 'r'",
    )
  ).rows
  await prod.query(`begin; lock table ${tables.map((row) => row.name).join(', ')} in share mode`)
  try {
    for (let n = 1; n <= 5; n++) {
      await writeFiles(tree, { 'README.md': `# Orders ${n}\n` })
      await platform.git(['commit', '--quiet', '--all', '--message', 'words'], tree)
      await timed(bare, () => platform.git(['push', 'origin', `HEAD:refs/heads/bare-${n}`], tree))
      const pushed = await timed(unchanged, () => pushHead(platform, tree))
      assert.equal(pushed.status, 0, pushed.text)
      assert.match(pushed.text, /Nothing to change as of \d\d:\d\d UTC: shop\/orders@prod serves r\d+/)
      assert.equal(pushed.run, null)
    }
    const empty = await push(platform, tree, {})
    assert.match(empty.text, /Nothing to change/)
  } finally {
    await prod.query('rollback')
  }
  assert.deepEqual(
    { runs: await runs(), applied: await count(prod, 'select count(*) from heddle.applied'), dbt: await dbtStarts() },
    before,
  )
  t.diagnostic(`push of unchanged content: median ${Math.round(median(unchanged))} ms, bare push ${Math.round(median(bare))} ms`)
})

test('a failing dbt test leaves the old rows served and says so', async () => {
  const rows = await servedOrders(platform)
  await writeSource(platform, 'shop/orders.csv', `${ORDERS_CSV}4,canary-row-value,5\n`)
  const pushed = await push(platform, tree, {
    [TESTS]: orderFiles()[TESTS]!.replace(
      'data_tests: [unique, not_null]',
      'data_tests: [unique, not_null, {accepted_values: {arguments: {values: [1, 2]}}}]',
    ),
  })
  assert.equal(pushed.status, 0, pushed.text)
  const run = await waitForEnd(platform, pushed.run!)
  assert.equal(run.state, 'failed')
  assert.equal(run.problem?.code, 'TRANSFORM_TEST_FAILED')
  assert.ok(run.problem!.fix.length > 0)
  assert.ok(!JSON.stringify(run).includes('canary-row-value'))
  const logs = await platform.cli(['logs', String(run.number)])
  assert.match(logs.stdout + logs.stderr, /TRANSFORM_TEST_FAILED/)
  assert.deepEqual(await servedOrders(platform), rows, 'consumers read what they read before')
  const product = await platform.client().product(ORDERS)
  assert.equal(product.state, 'degraded')
  assert.match(product.reason ?? '', new RegExp(`run ${run.number}`))

  // What is served is what main now holds again: there is nothing to build.
  const back = await push(platform, tree, { [TESTS]: orderFiles()[TESTS]! })
  assert.match(back.text, /Nothing to change/)
  const taken = await platform.client().product(ORDERS)
  assert.deepEqual([taken.state, taken.reason, taken.environments[0]!.state], ['active', null, 'active'])
  const mended = await push(platform, tree, { [MODEL]: ORDERS_SQL })
  assert.equal((await waitForEnd(platform, mended.run!)).state, 'succeeded')
  assert.equal((await servedOrders(platform)).length, 4)
})

test('pushes while a run is on: the one that waits is superseded, the newest is served', async () => {
  const first = await push(platform, tree, { [MODEL]: `{{ config(pre_hook="${SLOW}") }}\n${ORDERS_SQL}` })
  await waitForRun(platform, ORDERS, (run) => run.number === first.run && run.state === 'running')
  const second = await push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', "'second' as item,") })
  const third = await push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', "'third' as item,") })
  assert.match(third.text, new RegExp(`supersedes run ${second.run}`))
  assert.equal((await waitForEnd(platform, third.run!)).state, 'succeeded')
  assert.equal((await waitForEnd(platform, first.run!)).state, 'succeeded')
  assert.equal((await waitForEnd(platform, second.run!)).state, 'superseded')
  assert.deepEqual([...new Set((await servedOrders(platform)).map((row) => row.item))], ['third'])
})

test('a change that is pushed and taken back while its run waits is not served', async () => {
  const before = await platform.git(['show', `HEAD:${MODEL}`], tree)
  const slow = await push(platform, tree, { [MODEL]: `{{ config(pre_hook="${SLOW}") }}\n${before.stdout}` })
  await waitForRun(platform, ORDERS, (run) => run.number === slow.run && run.state === 'running')
  const back = await push(platform, tree, { [MODEL]: before.stdout })
  assert.notEqual(back.run, null, `the running deploy changes the product, so going back is a change too: ${back.text}`)
  assert.equal((await waitForEnd(platform, back.run!)).state, 'succeeded')
  const head = (await platform.git(['rev-parse', 'HEAD'], tree)).stdout.trim()
  assert.equal((await platform.client().product(ORDERS)).environments[0]!.release!.commit, head)
  assert.match((await platform.cli(['plan'], { cwd: tree })).stdout, /Nothing to change/)
})

test('two pushes at once: git lets one through, and one run exists for it', async () => {
  const other = await platform.clone(ORDERS)
  const before = await runs()
  const [one, two] = await Promise.all([
    push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', "'one' as item,") }),
    push(platform, other, { [MODEL]: ORDERS_SQL.replace('item,', "'two' as item,") }),
  ])
  const [won, lost] = one!.status === 0 ? [one!, two!] : [two!, one!]
  assert.equal(won.status, 0, won.text)
  assert.notEqual(lost.status, 0)
  assert.match(lost.text, /PUSH_OVERTAKEN[\s\S]*git pull --rebase|fetch first/)
  assert.equal((await waitForEnd(platform, won.run!)).state, 'succeeded')
  assert.equal(await runs(), before + 1)
  const items = (await servedOrders(platform)).map((row) => row.item)
  assert.deepEqual([...new Set(items)], [won === one ? 'one' : 'two'])
  await platform.git(['fetch', '--quiet'], tree)
  await platform.git(['reset', '--quiet', '--hard', 'origin/main'], tree)
})

test('ten pushes one after another without waiting: every revision has a number of its own, the last is served', async () => {
  let last = 0
  for (let n = 0; n < 10; n++)
    last = (await push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', `'burst ${n}' as item,`) })).run!
  assert.equal((await waitForEnd(platform, last)).state, 'succeeded')
  assert.deepEqual([...new Set((await servedOrders(platform)).map((row) => row.item))], ['burst 9'])
  const twice = await control.query(
    "select detail->>'revision' as revision from run where kind = 'deploy' group by 1 having count(*) > 1",
  )
  assert.deepEqual(twice.rows, [])
})

test('a push that rewrites main, deletes it or is not by an owner changes nothing', async () => {
  const head = (await platform.client().product(ORDERS)).repository.head
  const before = await runs()
  await platform.git(['commit', '--quiet', '--amend', '--allow-empty', '--message', 'rewritten'], tree)
  const forced = await pushHead(platform, tree, ['--force'])
  assert.notEqual(forced.status, 0)
  assert.match(forced.text, /main cannot be rewritten/)
  const deleted = await platform.git(['push', 'origin', ':main'], tree)
  assert.notEqual(deleted.status, 0)
  assert.match(deleted.stderr, /main cannot be deleted/)
  await platform.git(['reset', '--quiet', '--hard', 'origin/main'], tree)

  const url = (await platform.client().product(ORDERS)).repository.cloneUrl
  const withToken = (token: string) => [
    '-c',
    'credential.helper=',
    '-c',
    `http.extraHeader=Authorization: Basic ${Buffer.from(`git:${token}`).toString('base64')}`,
  ]
  await platform.git(['commit', '--quiet', '--allow-empty', '--message', 'somebody else'], tree)
  const wrong = await platform.git([...withToken('hdg_wrong'), 'push', url, 'HEAD:main'], tree)
  assert.notEqual(wrong.status, 0)
  assert.match(wrong.stderr, /Authentication failed|could not read Username|git token is needed/)

  const refused = await platform.cli(['clone', ORDERS, '--as', 'stranger'])
  assert.equal(refused.status !== 0, true)
  assert.match(refused.stderr, /stranger may not/)
  // A token of somebody who was an owner when it was issued and is none any more.
  await control.query(
    "insert into token (id, subject, kind, hash, product, expires_at) select gen_random_uuid(), 'stranger', 'git', encode(sha256('hdg_stranger'), 'hex'), id, now() + interval '1 hour' from product where name = 'orders'",
  )
  const stranger = await platform.git([...withToken('hdg_stranger'), 'push', url, 'HEAD:main'], tree)
  assert.notEqual(stranger.status, 0)
  assert.match(stranger.stderr, /403|stranger may not push/)
  assert.equal((await platform.client().product(ORDERS)).repository.head, head)
  assert.equal(await runs(), before)
  await platform.git(['reset', '--quiet', '--hard', 'origin/main'], tree)
})

test('a branch is kept and not deployed', async () => {
  const before = await runs()
  const pushed = await platform.git(['push', 'origin', 'HEAD:refs/heads/try'], tree)
  assert.equal(pushed.status, 0, pushed.stderr)
  assert.match(pushed.stderr, /Only main is deployed/)
  assert.equal(await runs(), before)
})
