import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** The reading of SQL by itself: the same file the job's child runs, over queries good and hostile. */
const root = join(import.meta.dirname, '../..')
const SCRIPT = `
import json, signal, sys, time
sys.path.insert(0, sys.argv[1])
import column_lineage as lineage
signal.signal(signal.SIGALRM, lineage.on_alarm)
columns = {("p", "orders"): ["id", "item", "amount"], ("p", "Items"): ["item", "Price"], ("p", "wide"): [f"c{n}" for n in range(400)]}
relations = {key: "source:" + key[1] for key in columns}
for line in sys.stdin:
    case = json.loads(line)
    began = time.monotonic()
    try:
        said = lineage.trace(case["sql"], case["names"], relations, columns, time.monotonic() + lineage.SECONDS)
    except BaseException as error:
        said = {"missing": lineage.describe(error)}
    print(json.dumps({**said, "ms": round((time.monotonic() - began) * 1000)}))
`
type Said = { reads?: string[]; edges?: string[][]; missing?: string; ms: number }

async function trace(cases: { sql: string; names: string[] }[]): Promise<Said[]> {
  const running = promisify(execFile)(join(root, '.runtime/python/bin/python'), ['-c', SCRIPT, join(root, 'python')], {
    maxBuffer: 2 ** 26,
  })
  running.child.stdin!.end(cases.map((each) => `${JSON.stringify(each)}\n`).join(''))
  return (await running).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const READS: { why: string; sql: string; edges: Record<string, string[]> }[] = [
  { why: 'a bare column', sql: 'select id from p.orders', edges: { id: ['orders.id'] } },
  { why: 'quoted as dbt compiles it', sql: 'select "id" from "prod"."p"."orders"', edges: { id: ['orders.id'] } },
  { why: 'a cast and an alias', sql: 'select id::bigint as n from p.orders', edges: { n: ['orders.id'] } },
  {
    why: 'a star',
    sql: 'select * from p.orders',
    edges: { id: ['orders.id'], item: ['orders.item'], amount: ['orders.amount'] },
  },
  {
    why: 'a star through a CTE',
    sql: 'with o as (select * from p.orders) select o.* from o',
    edges: { amount: ['orders.amount'] },
  },
  { why: 'names with capitals', sql: 'select "Price" as p from p."Items"', edges: { p: ['Items.Price'] } },
  {
    why: 'an expression over a join without qualifiers',
    sql: 'select id, amount * "Price" as cost from p.orders join p."Items" i on i.item = orders.item',
    edges: { id: ['orders.id'], cost: ['Items.Price', 'orders.amount'] },
  },
  {
    why: 'an aggregate with a filter',
    sql: "select sum(amount) filter (where item = 'x') as s from p.orders",
    edges: { s: ['orders.amount', 'orders.item'] },
  },
  { why: 'a count of rows comes from no column', sql: 'select count(*) as n from p.orders', edges: {} },
  {
    why: 'a window',
    sql: 'select row_number() over (partition by item order by amount) as r from p.orders',
    edges: { r: ['orders.amount', 'orders.item'] },
  },
  {
    why: 'a union',
    sql: 'select item as n from p.orders union all select item from p."Items"',
    edges: { n: ['Items.item', 'orders.item'] },
  },
  {
    why: 'a subquery as a value',
    sql: 'select (select max("Price") from p."Items" i where i.item = o.item) as top from p.orders o',
    edges: { top: ['Items.Price'] },
  },
  {
    why: 'a derived table',
    sql: 'select d.total from (select item, sum(amount) as total from p.orders group by 1) d',
    edges: { total: ['orders.amount'] },
  },
  {
    why: 'a CTE named as a table',
    sql: 'with orders as (select item as id from p."Items") select id from orders',
    edges: { id: ['Items.item'] },
  },
  {
    why: 'case and coalesce',
    sql: "select case when amount > 1 then coalesce(item, 'none') end as c from p.orders",
    edges: { c: ['orders.amount', 'orders.item'] },
  },
]

test('columns are traced to where they come from', async () => {
  const said = await trace(READS.map(({ sql, edges }) => ({ sql, names: Object.keys(edges).concat('n', 'c') })))
  for (const [index, { why, edges }] of READS.entries()) {
    const found: Record<string, string[]> = {}
    for (const [column, ref, from] of said[index]!.edges ?? []) {
      const at = `${ref!.slice('source:'.length)}.${from}`
      found[column!] = [...(found[column!] ?? []), at]
    }
    assert.equal(said[index]!.missing, undefined, why)
    assert.deepEqual(Object.fromEntries(Object.entries(found).map(([name, from]) => [name, from.sort()])), edges, why)
  }
})

const HOSTILE: { why: string; sql: string; missing: RegExp | null }[] = [
  {
    why: 'parentheses 50 000 deep',
    sql: `select ${'('.repeat(50_000)}1${')'.repeat(50_000)} as x`,
    missing: /nested too deeply|takes too long/,
  },
  {
    why: 'subqueries 3 000 deep',
    sql: `${'select x from ('.repeat(3_000)}select 1 as x${') q'.repeat(3_000)}`,
    missing: /nested too deeply|takes too long/,
  },
  {
    why: 'cases 2 000 deep',
    sql: `select ${'case when true then '.repeat(2_000)}1${' end'.repeat(2_000)} as x`,
    missing: /nested too deeply|takes too long/,
  },
  { why: 'a megabyte', sql: `select 1 as x -- ${'x'.repeat(1_000_000)}`, missing: /longer than 200 kB/ },
  {
    why: 'a sum of 60 000 terms',
    sql: `select ${Array(60_000).fill('1').join('+')} as x`,
    missing: /takes too long|nested too deeply/,
  },
  {
    why: 'a chain of 60 doubling joins',
    sql: `with c0 as (select id as x from p.orders)${Array.from({ length: 60 }, (_, n) => `, c${n + 1} as (select a.x from c${n} a, c${n} b)`).join('')} select x from c60`,
    missing: null,
  },
  {
    why: 'stars over stars',
    sql: `select ${Array.from({ length: 60 }, (_, n) => `t${n}.*`).join(', ')} from ${Array.from({ length: 60 }, (_, n) => `p.wide t${n}`).join(' cross join ')}`,
    missing: null,
  },
  { why: 'no SQL', sql: 'select from from where ))', missing: /could not be read/ },
  { why: 'no query', sql: 'insert into p.orders select 1', missing: /could not be read/ },
  { why: 'nothing', sql: '', missing: /could not be read/ },
  { why: 'an open comment', sql: 'select 1 as x /* ', missing: /could not be read|^$/ },
]

test('hostile SQL ends in time, with a word that quotes nothing of it', async () => {
  const said = await trace(HOSTILE.map(({ sql }) => ({ sql, names: ['x', 'c0'] })))
  for (const [index, { why, missing }] of HOSTILE.entries()) {
    const { ms, missing: words } = said[index]!
    assert.ok(ms < 3_000, `${why}: ${ms} ms`)
    if (missing && words !== undefined) assert.match(words, missing, why)
    else if (missing && why !== 'an open comment') assert.fail(`${why}: ${JSON.stringify(said[index]).slice(0, 200)}`)
    assert.ok(!/select|from/.test(words ?? ''), why)
  }
})
