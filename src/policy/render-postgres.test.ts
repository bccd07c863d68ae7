import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ident, literal } from '../sql/quote.ts'
import { arbitraryFilter } from './fixtures/arbitrary-filter.ts'
import { parseFilter } from './parse.ts'
import { type MaskSql, renderFilter, renderMask, renderRowFilter } from './render-postgres.ts'
import type { Filter, Mask } from './types.ts'

const attribute = (name: string) =>
  `SELECT a.vals FROM heddle.attribute a WHERE a.role = current_user AND a.name = ${literal(name)}`
const role = (name: string) => `SELECT pg_has_role(current_user, ${literal(`r_${name}`)}, 'USAGE')`

function parse(source: string): Filter {
  const result = parseFilter(source)
  assert.ok(result.ok)
  return result.filter
}

test('an attribute is a subquery without outer references', () => {
  assert.equal(
    renderFilter(parse('facility_id in subject.facility_ids'), { attribute }),
    `("facility_id" = ANY ((SELECT a.vals FROM heddle.attribute a WHERE a.role = current_user AND a.name = 'facility_ids')::text[]))`,
  )
  assert.equal(
    renderFilter(parse('n in subject.x'), { attribute: () => 'SELECT v', type: () => 'integer' }),
    '("n"::text = ANY ((SELECT v)::text[]))',
  )
})

test('exempt readers see every row; an unknown attribute exempts nobody', () => {
  const filter = {
    name: 'own',
    object: 'o',
    condition: parse("a = 'x'"),
    exempt: [{ role: 'owner' as const }, { attribute: 'clearance', equals: "all'" }],
  }
  assert.equal(
    renderRowFilter(filter, { attribute: () => 'SELECT v', role }),
    `(((SELECT pg_has_role(current_user, 'r_owner', 'USAGE')) OR coalesce('all''' = ANY ((SELECT v)::text[]), false)) OR ("a" = 'x'))`,
  )
})

test('masks', () => {
  const sql = (logicalType: string): MaskSql => ({ attribute, role, logicalType, hash: (text) => `mac(${text})` })
  const mask = (method: Mask['method'], given: Mask['arguments'] = {}, exempt: Mask['exempt'] = []): Mask => ({
    name: 'm',
    object: 'o',
    column: 'c',
    method,
    arguments: given,
    exempt,
  })
  for (const [one, type, expected] of [
    [mask('null'), 'date', 'CASE WHEN false THEN "c" END'],
    [mask('hash'), 'string', 'mac("c"::text)'],
    [mask('constant', { value: "o'k" }), 'string', "'o''k'::text"],
    [mask('round', { precision: 'year' }), 'date', `date_trunc('year', "c")::date`],
    [mask('round', { precision: 10 }), 'integer', '("c" - (("c" % 10) + 10) % 10)'],
    [mask('regex', { pattern: "'\\d", replacement: '\\1' }), 'string', `regexp_replace("c", E'''\\\\d', E'\\\\\\\\1', 'g')`],
    [
      mask('null', {}, [{ role: 'owner' }]),
      'string',
      `CASE WHEN (SELECT pg_has_role(current_user, 'r_owner', 'USAGE')) THEN "c" ELSE CASE WHEN false THEN "c" END END`,
    ],
  ] as const)
    assert.equal(renderMask(one, ident('c'), sql(type)), expected)
  assert.throws(() => renderMask(mask('round', { precision: 'year' }), '"c"', sql('string')))
})

/** Names and values that try to leave their place in the statement. */
const HOSTILE = [
  "'; DROP TABLE canary; --",
  "' OR '1'='1",
  "\\' OR 1=1 --",
  '" OR true --',
  '$$; SELECT 1; $$',
  '/*',
  "E'\\''",
  "a' || current_user || '",
  ');--',
  'x"y"',
  "\\\\'",
  `%s{0}\${x}`,
]

test('hostile names and values stay inside their quotes', () => {
  for (const bad of HOSTILE) {
    const sql = renderFilter(
      {
        op: 'and',
        args: [
          { op: 'eq', column: bad, value: bad },
          { op: 'in', column: 'c', values: [bad] },
        ],
      },
      { attribute },
    )
    assert.deepEqual(outside(sql), '( = ) AND ( IN ())', bad)
  }
})

test('whatever the condition, nothing of a text is left outside quotes', () => {
  const text = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 8 }))
  fc.assert(
    fc.property(
      arbitraryFilter(() => text.filter((one) => !one.includes('\0')), ['a', 'b;--', 'c"']),
      (filter) => {
        assert.match(outside(renderFilter(filter, { attribute: () => 'S' })), /^[()\sA-Z<>=,:[\]a-z]*$/)
        assert.doesNotMatch(outside(renderFilter(filter, { attribute: () => 'S' })), /DROP|canary|--|;|\/\*/)
      },
    ),
    { numRuns: 200 },
  )
})

/** What remains of a statement when everything in quotes is taken out, as PostgreSQL reads quotes. */
function outside(sql: string): string {
  const rest = sql.replace(/\bE'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/gs, '')
  return rest.startsWith('((') ? rest.slice(1, -1) : rest
}
