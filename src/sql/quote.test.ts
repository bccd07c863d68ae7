import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HeddleError } from '../core/fail.ts'
import { ident, literal } from './quote.ts'

test('identifiers are always quoted and refuse what PostgreSQL would cut', () => {
  assert.equal(ident('a"b'), '"a""b"')
  for (const bad of ['', 'a\0b', 'x'.repeat(64), 'é'.repeat(32), '\ud800'])
    assert.throws(
      () => ident(bad),
      (error) => error instanceof HeddleError && error.code === 'SQL_NAME_INVALID',
    )
})

test('literals', () => {
  for (const [value, sql] of [
    ["O'Hara", "'O''Hara'"],
    ['a\\b', "E'a\\\\b'"],
    ["\\'; drop table x; --", "E'\\\\''; drop table x; --'"],
    [-1, '(-1)'],
    [-0, '0'],
    [10n, '10'],
    [true, 'true'],
    [null, 'NULL'],
  ] as const)
    assert.equal(literal(value), sql)
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 'a\0', '\udc00'])
    assert.throws(
      () => literal(bad),
      (error) => error instanceof HeddleError && error.code === 'SQL_LITERAL_INVALID',
    )
})

test('a literal never ends before its text does', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '\\', 'a', ';', '-', 'E', '"') }), (text) => {
      assert.equal(readLiteral(literal(text)), text)
    }),
  )
})

/** PostgreSQL's own reading of '…' and E'…'. */
function readLiteral(sql: string): string {
  const escapes = sql.startsWith('E')
  let at = escapes ? 2 : 1
  let value = ''
  for (;;) {
    const char = sql[at]!
    if (char === "'" && sql[at + 1] !== "'") break
    if (char === "'" || (escapes && char === '\\')) at++
    value += sql[at]
    at++
  }
  assert.equal(at, sql.length - 1)
  return value
}
