import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSelect } from './read-only.ts'

const GOOD = [
  'SELECT count(*) FROM "object" WHERE discharged_at < admitted_at',
  'select sum(case when kind = \'update me; -- no\' then 1 else 0 end)::numeric / count(*) from "object"',
  'with late as (select 1 from "object" where "update" > 3) select count(*) from late',
]
const BAD: [sql: string, reason: string][] = [
  ['', 'empty'],
  ['delete from x', 'starts or holds'],
  ['select 1; drop table x', 'semicolon'],
  ['select 1 -- x', 'comment'],
  ['select /* x */ 1', 'comment'],
  ['with x as (delete from y returning 1) select count(*) from x', 'writes in a CTE'],
  ['select * into y from x', 'into'],
  ['select 1 from x for update', 'locks'],
  ['select pg_sleep(100) from x', 'sleeps'],
  ["select pg_read_file('/etc/passwd')", 'reads files'],
  ["select query_to_xml('delete from x', true, true, '')", 'runs text'],
  ["select dblink('x', 'y')", 'leaves the database'],
  ["select set_config('role', 'x', false)", 'changes the role'],
  ["select E'\\' or 1=1 --'", 'escape text'],
  ['select $$x$$', 'dollar quote'],
  ['select (1', 'open parenthesis'],
  ['select 1) from (select 1', 'parentheses the wrong way round'],
  ["select 'open", 'open text'],
  ['copy x to program $1', 'copy'],
  ['select nextval(1)', 'changes a sequence'],
]

test('one read-only SELECT passes', () => {
  for (const sql of GOOD) assert.equal(checkSelect(sql), null, sql)
})

test('everything else is refused with a reason', () => {
  for (const [sql, reason] of BAD) assert.equal(typeof checkSelect(sql), 'string', reason)
})
