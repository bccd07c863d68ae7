import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PageRead } from '../../platform/port-read.ts'
import { csvHeader, csvSql, pageSql } from './port-sql.ts'

const read: PageRead = {
  subject: 'ada',
  at: { place: { id: 'x', domain: 'd', product: 'p' }, port: 'data', major: 1 },
  publication: 1,
  object: 'rows',
  select: ['a', 'b"c'],
  where: [
    { column: 'a', type: 'bigint', op: 'gte', value: '5' },
    { column: 'n', type: 'text', op: 'in', values: ["O'Hara", '\\'] },
    { column: 'b"c', op: 'not-null' },
  ],
  order: [{ column: 'n', type: 'text', descending: true }],
  key: [{ column: 'a', type: 'bigint', descending: false }],
  limit: 10,
  after: { values: ['x', '7'], seen: 2 },
  signal: new AbortController().signal,
}

test('a page: names quoted, values as parameters, from the boundary on without what was seen', () => {
  const { text, values } = pageSql('s', read)
  assert.equal(
    text,
    'SELECT t."a", t."b""c", t."n", t."a" FROM "s"."rows" AS t WHERE t."a" >= $1::bigint AND t."n" IN ($2::text, $3::text) AND t."b""c" IS NOT NULL' +
      ' AND (t."n" < $6::text OR (t."n" = $7::text AND ((t."a" > $4::bigint OR t."a" IS NULL) OR (t."a" = $5::bigint AND true))))' +
      ' ORDER BY t."n" DESC, t."a" ASC LIMIT 11 OFFSET 2',
  )
  assert.deepEqual(values, ['5', "O'Hara", '\\', '7', '7', 'x', 'x'])
})

test('without a key the whole row tells rows apart; NULL comes last, or first when descending', () => {
  const { text } = pageSql('s', { ...read, where: [], key: [], after: { values: [null, 'ab'], seen: 1 } })
  assert.match(
    text,
    /WHERE \(t\."n" IS NOT NULL OR \(t\."n" IS NULL AND \(\(encode\(sha256\(convert_to\(\(t\.\*\)::text, 'UTF8'\)\), 'hex'\)/,
  )
  const ascending = pageSql('s', {
    ...read,
    where: [],
    key: [],
    order: [{ column: 'n', type: 'text', descending: false }],
    after: { values: [null, 'ab'], seen: 1 },
  })
  assert.match(ascending.text, /WHERE \(t\."n" IS NULL AND /)
})

test('COPY: values stand as quoted literals, and no text ends one early', () => {
  const sql = csvSql('s', { ...read, limit: 5 })
  assert.equal(
    sql,
    `COPY (SELECT t."a", t."b""c" FROM "s"."rows" AS t WHERE t."a" >= '5'::bigint AND t."n" IN ('O''Hara'::text, E'\\\\'::text) AND t."b""c" IS NOT NULL ORDER BY t."n" DESC LIMIT 5) TO STDOUT (FORMAT csv)`,
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("'", '\\', '"', ')', ';', '-', '$', 'a') }), (value) => {
      const text = csvSql('s', { ...read, where: [{ column: 'n', type: 'text', op: 'eq', value }], order: [], limit: null })
      const rest = text.replace(/ = (?:E'(?:[^'\\]|''|\\\\)*'|'(?:[^']|'')*')::text\)/, ' = ?)')
      assert.equal(rest, `COPY (SELECT t."a", t."b""c" FROM "s"."rows" AS t WHERE t."n" = ?) TO STDOUT (FORMAT csv)`)
    }),
  )
})

test('the header line of CSV quotes what must be quoted', () => {
  assert.equal(csvHeader(['a', 'b,c', 'd"e']), 'a,"b,c","d""e"\n')
})
