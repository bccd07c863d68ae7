import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redact } from './redact.ts'

const SECRET = 'Jane Roe'
const inModel = (text: string) =>
  `Database Error in model visits (models/visits.sql)\n  ${text}\n  compiled code at target/run/p/models/visits.sql`

const hidden = [
  `invalid input syntax for type integer: "${SECRET}"`,
  `invalid input syntax for type integer: "a "quoted" ${SECRET}"`,
  `invalid input syntax for type integer: "first line\n${SECRET}\nlast"\n  LINE 3: select '${SECRET}'::int\n          ^`,
  `duplicate key value violates unique constraint "visits_pkey"\n  DETAIL:  Key (id, name)=(42, ${SECRET}) already exists.`,
  `insert or update on table "visits" violates foreign key constraint "f"\n  DETAIL:  Key (name)=(${SECRET}) is not present in table "people".`,
  `null value in column "id" of relation "visits" violates not-null constraint\n  DETAIL:  Failing row contains (null, ${SECRET}, (x)).`,
  `null value in column "id"\n  DETAIL:  Failing row contains (null, a\n${SECRET}).`,
  `value "${SECRET}" is out of range for type integer`,
  `date/time field value out of range: "${SECRET}"`,
  `invalid value "${SECRET}" for "YYYY"`,
  `time zone "${SECRET}" not recognized`,
  `invalid input value for enum mood: "${SECRET}"`,
  `malformed array literal: "${SECRET}"\n  DETAIL:  Array value must start with "{" or dimension information of ${SECRET}.`,
  `invalid input syntax for type json\n  DETAIL:  Token "${SECRET}" is invalid.\n  CONTEXT:  JSON data, line 1: {"name": ${SECRET}`,
  `extra data after last expected column\n  CONTEXT:  COPY visits, line 3: "${SECRET}"`,
  `syntax error at or near "'${SECRET}'"\n  LINE 1: insert into t values ('${SECRET}', 2)`,
  `column "a" does not exist\n  LINE 9: ...('${SECRET}', 'x'), ('y`,
  `column "a" does not exist\n  LINE 9: ...e = ${SECRET}' and a = 1`,
  `something of a later version\n  DETAIL:  about ${SECRET}\n  HINT:  ask ${SECRET}`,
  `Could not convert "${SECRET}" to a number`,
  `unterminated "${SECRET}`,
]

test('row values are cut, whatever the database says of them', () => {
  for (const text of hidden) {
    const shown = redact(inModel(text))
    assert.ok(!shown.includes('Roe'), shown)
    assert.ok(shown.startsWith('Database Error in model visits (models/visits.sql)'), shown)
    assert.ok(shown.endsWith('compiled code at target/run/p/models/visits.sql'), shown)
  }
})

const kept = [
  'column "facility" does not exist',
  'relation "clinic.visits" does not exist',
  'column x.y does not exist',
  'permission denied for schema other_product',
  'syntax error at or near "fro"',
  'function nope(text, integer) does not exist',
  'Got 3 results, configured to fail if != 0',
  'operator does not exist: text = integer\n  HINT:  No operator matches the given name and argument types. You might need to add explicit type casts.',
  'cannot drop table a because other objects depend on it\n  DETAIL:  view b depends on table a',
  'column "a" does not exist\n  LINE 12: select a, b from t',
  'canceling statement due to user request',
]

test('names, code and counts stay', () => {
  for (const text of kept) assert.equal(redact(inModel(text)), inModel(text))
})

test('which key broke is kept, with what is not', () => {
  assert.match(
    redact('duplicate key value violates unique constraint "pk"\nDETAIL:  Key (id)=(42) already exists.'),
    /constraint "pk"\nDETAIL: Key \(id\)=\(…\) already exists\.$/,
  )
  assert.equal(
    redact('invalid input syntax for type integer: "abc"\nLINE 2: select \'abc\'::int as "n"'),
    'invalid input syntax for type integer: "…"\nLINE 2: select \'…\'::int as "n"',
  )
})

test("messages about the author's code keep their quotes", () => {
  const text = 'Compilation Error in model a (models/a.sql)\n  Model \'a\' depends on a node named "nope" which was not found'
  assert.equal(redact(text, 'code'), text)
})
