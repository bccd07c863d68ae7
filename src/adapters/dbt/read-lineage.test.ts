import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLineage } from './read-lineage.ts'

const GOOD = {
  models: [{ name: 'm', columns: ['a'], reads: ['source:s'], sql: 'select 1' }],
  sources: [{ name: 's', columns: ['b'] }],
  columns: [['m', 'a', 'source:s', 'b']],
  missing: ['x: why'],
  ms: 3,
}

test('what the job left is taken in the expected shape, and nothing beside it', () => {
  assert.deepEqual(parseLineage(JSON.stringify(GOOD)), {
    models: [{ name: 'm', columns: ['a'], reads: ['source:s'] }],
    sources: [{ name: 's', columns: ['b'] }],
    columns: [['m', 'a', 'source:s', 'b']],
    missing: ['x: why'],
  })
})

for (const [why, text] of [
  ['no JSON', '{'],
  ['no object', '3'],
  ['null', 'null'],
  ['no models', JSON.stringify({ ...GOOD, models: null })],
  ['a model without reads', JSON.stringify({ ...GOOD, models: [{ name: 'm', columns: [] }] })],
  ['an empty name', JSON.stringify({ ...GOOD, sources: [{ name: '', columns: [] }] })],
  ['an endless name', JSON.stringify({ ...GOOD, sources: [{ name: 'x'.repeat(301), columns: [] }] })],
  ['a name with a NUL', JSON.stringify({ ...GOOD, columns: [['m', 'a\u0000', 'source:s', 'b']] })],
  ['an edge of three', JSON.stringify({ ...GOOD, columns: [['m', 'a', 'source:s']] })],
  ['a number for text', JSON.stringify({ ...GOOD, missing: [1] })],
] as const)
  test(`refused: ${why}`, () => assert.equal(parseLineage(text), null))

test('reasons are few and short', () => {
  const many = parseLineage(JSON.stringify({ ...GOOD, missing: Array.from({ length: 500 }, () => 'y'.repeat(9_000)) }))
  assert.equal(many!.missing.length, 200)
  assert.equal(many!.missing[0]!.length, 300)
})
