import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSelect } from './read-select.ts'

const shown = (text: string) =>
  readSelect(text)?.columns.map(
    ({ name, type, of }) => `${name}: ${type ?? (of ? `${of.alias ? `${of.alias}.` : ''}${of.column}` : '?')}`,
  )

const CASES: [string, string, string[]][] = [
  [
    'plain columns and casts',
    "select tailnum, year::integer as year, 'x' kind from t",
    ['tailnum: tailnum', 'year: integer', 'kind: text'],
  ],
  [
    'comments and Jinja',
    "{{ config(materialized='table') }}\n-- a, b\nselect /* c */ a as b -- d\nfrom {{ ref('m') }}",
    ['b: a'],
  ],
  ['cast by word', 'select cast(a as numeric(10, 2)) as price, cast(b as date) from t', ['price: numeric(10,2)', 'b: date']],
  [
    'functions',
    'select count(*) as n, lower(a) as a, coalesce(b::date, c) d, max(x) from t',
    ['n: bigint', 'a: text', 'd: date', 'max: ?'],
  ],
  [
    'qualified',
    'select o.id, o."Odd Name", c.name as customer from o join c on o.c = c.id',
    ['id: o.id', 'Odd Name: o.Odd Name', 'customer: c.name'],
  ],
  [
    'commas and from inside',
    "select extract(year from a) as y, concat(a, ',') as b, a is distinct from b as d from t",
    ['y: ?', 'b: text', 'd: boolean'],
  ],
  ['case', "select case when a > 1 then 'x' else 'y' end as size, a || 'b' as joined from t", ['size: ?', 'joined: text']],
  [
    "arithmetic is nobody's guess",
    'select a::int + 1 as b, 1 as one, 1.5 as half from t',
    ['b: ?', 'one: integer', 'half: numeric'],
  ],
  [
    'double precision, arrays',
    'select a::double precision as a, b::text[] as b, c::timestamp with time zone as c from t',
    ['a: double precision', 'b: text[]', 'c: timestamp with time zone'],
  ],
  [
    'window',
    'select row_number() over (partition by a order by b) as n, a from t where a in (select x from y)',
    ['n: ?', 'a: a'],
  ],
  ['distinct, order, limit', 'select distinct a, b from t order by 1 limit 5', ['a: a', 'b: b']],
]
for (const [name, text, expected] of CASES) test(name, () => assert.deepEqual(shown(text), expected))

test('common table expressions, stars and relations', () => {
  const select = readSelect(`with source as (select * from {{ source('staging', 'planes') }}),
final as (select s.a::int as a, b.* from source s left join {{ ref("m") }} as b using (id))
select * from final`)!
  assert.deepEqual(select.stars, [{ alias: null, before: 0 }])
  assert.deepEqual(select.relations, [{ kind: 'named', name: 'final', alias: 'final' }])
  assert.deepEqual(select.ctes.source!.relations, [{ kind: 'source', source: 'staging', table: 'planes', alias: null }])
  assert.deepEqual(
    select.ctes.final!.relations.map(({ alias }) => alias),
    ['s', 'b'],
  )
  assert.deepEqual(select.ctes.final!.stars, [{ alias: 'b', before: 1 }])
})

test('what only Jinja decides is not guessed', () => {
  assert.equal(readSelect('select a {% if x %}, b{% endif %} from t'), null)
  assert.equal(readSelect('update t set a = 1'), null)
  assert.equal(readSelect("select {{ dbt_utils.star('x') }} from t")!.complete, false)
})

test('any text ends, quickly', () => {
  for (const text of [
    '(',
    "'",
    'select ((((',
    'with a as (',
    'select '.repeat(2_000),
    '('.repeat(20_000),
    `select ${'a,'.repeat(20_000)} b`,
  ])
    assert.doesNotThrow(() => readSelect(text))
})
