import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { attributesOf, columnsOf } from './columns.ts'
import { evaluateFilter, type PolicySubject } from './evaluate.ts'
import { arbitraryFilter } from './fixtures/arbitrary-filter.ts'
import { parseFilter } from './parse.ts'
import { printFilter } from './print.ts'
import type { Filter, Literal } from './types.ts'

const parsed = (source: string): Filter => {
  const result = parseFilter(source)
  assert.ok(result.ok, result.ok ? '' : `${result.message} at ${result.offset}`)
  return result.filter
}

test('the grammar', () => {
  assert.deepEqual(parsed('facility_id in subject.facility_ids'), {
    op: 'in',
    column: 'facility_id',
    values: { subject: 'facility_ids' },
  })
  assert.deepEqual(parsed('facility_id = subject.home'), { op: 'in', column: 'facility_id', values: { subject: 'home' } })
  assert.deepEqual(parsed('facility_id <> subject.home'), {
    op: 'not',
    arg: { op: 'in', column: 'facility_id', values: { subject: 'home' } },
  })
  assert.deepEqual(parsed("a = 'O''Hara' AND b >= -1.5 or NOT c is null"), {
    op: 'or',
    args: [
      {
        op: 'and',
        args: [
          { op: 'eq', column: 'a', value: "O'Hara" },
          { op: 'ge', column: 'b', value: -1.5 },
        ],
      },
      { op: 'not', arg: { op: 'is-null', column: 'c' } },
    ],
  })
  assert.deepEqual(parsed('"in" not in (1, 2) and (x != true)'), {
    op: 'and',
    args: [
      { op: 'not', arg: { op: 'in', column: 'in', values: [1, 2] } },
      { op: 'ne', column: 'x', value: true },
    ],
  })
  assert.deepEqual(columnsOf(parsed('a = 1 or (b in subject.x and not a is null)')), ['a', 'b'])
  assert.deepEqual(attributesOf(parsed('a in subject.x or b in subject.y and c in subject.x')), ['x', 'y'])
})

const BROKEN: [source: string, offset: number][] = [
  ['', 0],
  ['facility_id', 11],
  ['facility_id in', 14],
  ['facility_id in ()', 16],
  ['facility_id in (1, )', 19],
  ['facility_id in (1', 17],
  ['facility_id in subject', 22],
  ['facility_id in subject.', 23],
  ['facility_id in subject.A', 23],
  ['facility_id < subject.x', 14],
  ["'a' = 'a'", 0],
  ['a = b', 4],
  ['a = "b"', 4],
  ['a = null', 4],
  ['a = 1 b = 2', 6],
  ['(a = 1', 6],
  ['a = 1)', 5],
  ['a == 1', 3],
  ['a = 1 -- x', 6],
  ['a = 1; drop table x', 5],
  ['lower(a) = 1', 5],
  ["a = 'x' || 'y'", 8],
  ["a = 'open", 4],
  ['a is 1', 5],
  ['a not 1', 6],
  ['exists (select 1)', 7],
  ['a = 1 union select 1', 6],
  ['a = $1', 4],
  ['a = 1e5', 4],
  ['a\u00a0= 1 \u202e', 6],
]

test('what is not in the grammar is refused at its offset', () => {
  for (const [source, offset] of BROKEN) {
    const result = parseFilter(source)
    assert.ok(!result.ok, source)
    assert.equal(result.offset, offset, source)
  }
})

test('size and depth are bounded', () => {
  for (const source of [
    `a in (${'1, '.repeat(300)}1)`,
    `${'('.repeat(40)}a = 1${')'.repeat(40)}`,
    `${'not '.repeat(50)}a = 1`,
    `a = '${'x'.repeat(3_000)}'`,
  ])
    assert.equal(parseFilter(source).ok, false)
  assert.ok(parseFilter(`${'('.repeat(20)}a = 1${')'.repeat(20)}`).ok)
})

const SUBJECT: PolicySubject = { roles: ['consumer'], attributes: { facility_ids: ['F01', "F'2", '7'], empty: [] } }
const literals = (column: string): fc.Arbitrary<Literal> =>
  column === 'n'
    ? fc.integer({ min: -20, max: 20 })
    : column === 'b'
      ? fc.boolean()
      : fc.oneof(fc.constantFrom('F01', "F'2", '\\', '"', '--', ';'), fc.string({ maxLength: 6 }))

test('print → parse gives an equal condition, which evaluates the same', () => {
  fc.assert(
    fc.property(
      arbitraryFilter(literals, ['facility_id', 'n', 'b', 'in', 'We"ird', 'Subject']),
      fc.record({
        facility_id: fc.option(literals('s')),
        n: fc.option(literals('n')),
        b: fc.option(literals('b')),
        in: fc.option(literals('s')),
        'We"ird': fc.option(literals('s')),
      }),
      (filter, row) => {
        const text = printFilter(filter)
        if (text.length > 2_000) return
        const again = parsed(text)
        assert.deepEqual(again, structuredClone(filter))
        assert.equal(evaluateFilter(again, row, SUBJECT), evaluateFilter(filter, row, SUBJECT))
      },
    ),
    { numRuns: 300 },
  )
})
