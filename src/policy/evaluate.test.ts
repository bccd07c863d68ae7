import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaluateFilter, isRowVisible, maskValue, type PolicySubject } from './evaluate.ts'
import { explainMask, explainRowFilter } from './explain.ts'
import { parseFilter } from './parse.ts'
import type { Filter, Mask, RowFilter } from './types.ts'

const parse = (source: string): Filter => {
  const result = parseFilter(source)
  assert.ok(result.ok)
  return result.filter
}
const reader: PolicySubject = { roles: ['consumer'], attributes: { facility_ids: ['F01', 'F02'], none: [] } }
const owner: PolicySubject = { roles: ['owner'], attributes: {} }

test('three-valued logic, as in SQL', () => {
  for (const [source, row, expected] of [
    ['facility_id in subject.facility_ids', { facility_id: 'F01' }, true],
    ['facility_id in subject.facility_ids', { facility_id: 'F09' }, false],
    ['facility_id in subject.facility_ids', { facility_id: null }, null],
    ['facility_id in subject.unknown', { facility_id: 'F01' }, null],
    ['facility_id not in subject.unknown', { facility_id: 'F01' }, null],
    ['facility_id in subject.none', { facility_id: null }, false],
    ['n > 3 or n is null', { n: null }, true],
    ['not n > 3', { n: null }, null],
    ['n > 3 and m = 1', { n: null, m: 2 }, false],
    ["s < 'a'", { s: 'Z' }, true],
    ['n in (1, 2)', { n: 2 }, true],
    ['b = true', { b: false }, false],
  ] as const)
    assert.equal(evaluateFilter(parse(source), row, reader), expected, source)
})

test('several filters all apply; who is exempt sees everything; no attribute means no row', () => {
  const filter = (condition: string): RowFilter => ({
    name: 'f',
    object: 'o',
    condition: parse(condition),
    exempt: [{ role: 'owner' }],
  })
  const filters = [filter('facility_id in subject.facility_ids'), filter("kind = 'x'")]
  assert.equal(isRowVisible(filters, { facility_id: 'F01', kind: 'x' }, reader), true)
  assert.equal(isRowVisible(filters, { facility_id: 'F01', kind: 'y' }, reader), false)
  assert.equal(isRowVisible(filters, { facility_id: 'F01', kind: 'x' }, { roles: ['consumer'], attributes: {} }), false)
  assert.equal(isRowVisible(filters, { facility_id: 'F09', kind: 'y' }, owner), true)
  assert.equal(
    explainRowFilter(filters[0]!),
    'Readers see only rows of o where facility_id is one of their facility_ids. Not for the owner role.',
  )
})

test('masks', () => {
  const key = Buffer.from('k')
  const mask = (method: Mask['method'], given: Mask['arguments'] = {}): Mask => ({
    name: 'm',
    object: 'patient',
    column: 'c',
    method,
    arguments: given,
    exempt: [{ role: 'owner' }],
  })
  assert.equal(maskValue(mask('null'), 'x', reader, key), null)
  assert.equal(maskValue(mask('null'), 'x', owner, key), 'x')
  assert.equal(maskValue(mask('round', { precision: 'year' }), '1980-05-17', reader, key), '1980-01-01')
  assert.equal(maskValue(mask('round', { precision: 10 }), -7, reader, key), -10)
  assert.equal(maskValue(mask('constant', { value: 'no' }), null, reader, key), 'no')
  assert.equal(maskValue(mask('regex', { pattern: '\\d', replacement: '$&' }), 'a1', reader, key), 'a$&')
  const hash = maskValue(mask('hash'), 'MRN-1', reader, key)
  assert.match(String(hash), /^[0-9a-f]{64}$/)
  assert.equal(maskValue(mask('hash'), 'MRN-1', reader, key), hash)
  assert.notEqual(maskValue(mask('hash'), 'MRN-1', reader, Buffer.from('l')), hash)
  assert.equal(explainMask(mask('round', { precision: 'year' })), 'patient.c shows only the year. Not for the owner role.')
})
