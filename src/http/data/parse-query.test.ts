import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeddleError } from '../../core/fail.ts'
import { parseQuery, type QueryColumn } from './parse-query.ts'
import { splitQuery } from './query-text.ts'

const COLUMNS: QueryColumn[] = [
  { name: 'id', type: 'bigint' },
  { name: 'name', type: 'text' },
  { name: 'born', type: 'date' },
  { name: 'seen', type: 'timestamp with time zone' },
  { name: 'amount', type: 'numeric' },
  { name: 'open', type: 'boolean' },
  { name: 'doc', type: 'jsonb' },
  { name: 'limit', type: 'integer' },
  { name: 'a.b,"c"', type: 'text' },
]
const parse = (raw: string) => parseQuery(splitQuery(raw), COLUMNS, 10_000)
/** @returns code and column of what is refused */
const refusal = (raw: string): [string, number | undefined] => {
  try {
    parse(raw)
  } catch (error) {
    assert.ok(error instanceof HeddleError, String(error))
    return [error.code, error.at?.column]
  }
  throw new assert.AssertionError({ message: `accepted: ${raw}` })
}

test('select, filters, order, limit and cursor are read', () => {
  assert.deepEqual(parse(''), {
    select: COLUMNS.map(({ name }) => name),
    where: [],
    order: [],
    limit: null,
    cursor: null,
    environment: null,
  })
  assert.deepEqual(
    parse(
      'select=name,id&id=gte.5&id=lt.7&name=in.(a,"b,)",c)&born=is.null&order=born.desc,id&limit=20&cursor=xy&environment=dev',
    ),
    {
      select: ['name', 'id'],
      where: [
        { column: 'id', type: 'bigint', op: 'gte', value: '5' },
        { column: 'id', type: 'bigint', op: 'lt', value: '7' },
        { column: 'name', type: 'text', op: 'in', values: ['a', 'b,)', 'c'] },
        { column: 'born', op: 'null' },
      ],
      order: [
        { column: 'born', type: 'date', descending: true },
        { column: 'id', type: 'bigint', descending: false },
      ],
      limit: 20,
      cursor: 'xy',
      environment: 'dev',
    },
  )
})

test('texts come through whole: dots, quotes, percent signs, letters of any alphabet, a plus sign written as one', () => {
  for (const text of ["O'Hara; drop table x; --", 'a.b.c', '%_\\\\', '日本 é', '1+1', '', 'null', '(a,b)', '"x"'])
    assert.deepEqual(parse(`name=eq.${encodeURIComponent(text)}`).where, [
      { column: 'name', type: 'text', op: 'eq', value: text },
    ])
  assert.deepEqual(parse('name=eq.a+b').where[0], { column: 'name', type: 'text', op: 'eq', value: 'a b' })
})

test('a column with the name of a parameter, or with what separates names, stands in quotes', () => {
  assert.deepEqual(parse('%22limit%22=eq.3').where, [{ column: 'limit', type: 'integer', op: 'eq', value: '3' }])
  const name = encodeURIComponent('"a.b,""c"""')
  assert.deepEqual(parse(`select=id,${name}`).select, ['id', 'a.b,"c"'])
  assert.deepEqual(parse(`order=${name}.desc`).order, [{ column: 'a.b,"c"', type: 'text', descending: true }])
})

test('what is wrong is told with its place and never with the value', () => {
  for (const [raw, code, column] of [
    ['id=eq.x', 'DATA_VALUE_INVALID', 7],
    ['limit=5&id=in.(1,2,x)', 'DATA_VALUE_INVALID', 20],
    ['id=eq.%31%32x', 'DATA_VALUE_INVALID', 7],
    ['id=in.(1,%32,y)', 'DATA_VALUE_INVALID', 14],
    ['id=eq.9223372036854775808', 'DATA_VALUE_INVALID', 7],
    ['born=eq.2013-02-29', 'DATA_VALUE_INVALID', 9],
    ['seen=gt.2013-01-01T00:00:00+01:00', 'DATA_VALUE_INVALID', 9],
    ['amount=eq.NaN', 'DATA_VALUE_INVALID', 11],
    ['open=eq.yes', 'DATA_VALUE_INVALID', 9],
    ['name=like.abc%5C', 'DATA_VALUE_INVALID', 11],
    ['nmae=eq.x', 'DATA_COLUMN_UNKNOWN', 1],
    ['select=id,nmae', 'DATA_COLUMN_UNKNOWN', 11],
    ['select=', 'DATA_COLUMN_UNKNOWN', 8],
    ['select=id,', 'DATA_COLUMN_UNKNOWN', 11],
    ['select=id,id', 'DATA_QUERY_INVALID', 11],
    ['order=nmae.desc', 'DATA_COLUMN_UNKNOWN', 7],
    ['order=id.up', 'DATA_QUERY_INVALID', 10],
    ['order=doc', 'DATA_QUERY_INVALID', 7],
    ['doc=eq.{}', 'DATA_QUERY_INVALID', 5],
    ['id=like.1', 'DATA_QUERY_INVALID', 4],
    ['id=5', 'DATA_QUERY_INVALID', 4],
    ['id', 'DATA_QUERY_INVALID', 1],
    ['id=in.(1,2', 'DATA_QUERY_INVALID', 11],
    ['id=in.1', 'DATA_QUERY_INVALID', 7],
    ['name=in.(a)b', 'DATA_QUERY_INVALID', 12],
    ['name=eq.%00', 'DATA_QUERY_INVALID', 9],
    ['name=eq.%ff', 'DATA_QUERY_INVALID', 9],
    ['name=eq.%2', 'DATA_QUERY_INVALID', 9],
    ['limit=0', 'DATA_QUERY_INVALID', 7],
    ['limit=10001', 'DATA_QUERY_INVALID', 7],
    ['limit=1e3', 'DATA_QUERY_INVALID', 7],
    ['limit=5&limit=6', 'DATA_QUERY_INVALID', 9],
    ['%22name=eq.x', 'DATA_QUERY_INVALID', 1],
    [`name=eq.${'x'.repeat(8200)}`, 'DATA_QUERY_TOO_LONG', undefined],
    [Array.from({ length: 51 }, () => 'id=eq.1').join('&'), 'DATA_QUERY_INVALID', 401],
  ] as const)
    assert.deepEqual(refusal(raw), [code, column], raw)
  for (const raw of ['id=eq.secret', 'born=eq.secret', 'secret=eq.1'])
    try {
      parse(raw)
      assert.fail('accepted')
    } catch (error) {
      assert.doesNotMatch(
        JSON.stringify([(error as HeddleError).message, (error as HeddleError).why, (error as HeddleError).fix]),
        /secret/,
      )
    }
})

test('any text is read or refused, and what is read names columns of the object only', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'select',
      'order',
      'id',
      'name',
      '=',
      '&',
      ',',
      '.',
      '(',
      ')',
      '"',
      '%22',
      '%',
      '%00',
      'eq',
      'in',
      'is.null',
      "'",
      ';',
      '--',
      '5',
    ),
    fc.string({ maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      let query: ReturnType<typeof parse>
      try {
        query = parse(pieces.join(''))
      } catch (error) {
        assert.ok(error instanceof HeddleError && /^DATA_/.test(error.code), String(error))
        return
      }
      const known = COLUMNS.map(({ name }) => name)
      for (const name of [
        ...query.select,
        ...query.where.map(({ column }) => column),
        ...query.order.map(({ column }) => column),
      ])
        assert.ok(known.includes(name))
    }),
  )
})
