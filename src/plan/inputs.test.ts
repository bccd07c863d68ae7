import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeddleError } from '../core/fail.ts'
import type { Column, LogicalType, OutputPort, ProductSpec } from '../spec/types.ts'
import { type ProductInput, resolveInput } from './inputs.ts'

const column = (name: string, logicalType: LogicalType = 'string', required = true): Column => ({
  name,
  logicalType,
  required,
  physicalType: null,
  unique: false,
  primaryKey: false,
  classification: null,
  tags: [],
  description: null,
})
const object = (name: string, ...columns: Column[]) => ({ name, columns, quality: [], description: null })
const output = (version: string, major: number): OutputPort => ({
  name: `planes-v${major}`,
  port: 'planes',
  kind: 'sql',
  version,
  major,
  title: '',
  objects: [{ ...object('planes', column('tailnum'), column('seats', 'integer', false)), from: 'planes' }],
  serviceLevels: [],
  rowFilters: [],
  masks: [],
})
const upstream = (...outputs: OutputPort[]) => ({ id: 'u', spec: { outputs } as unknown as ProductSpec })
const input = (more: Partial<ProductInput> = {}): ProductInput => ({
  kind: 'product',
  name: 'planes',
  domain: 'fleet',
  product: 'all-planes',
  port: 'planes',
  versionRange: '^1.0.0',
  expects: [object('planes', column('tailnum'))],
  ...more,
})

test('the range chooses the major, the view is named after the product', () => {
  const found = resolveInput(input(), upstream(output('1.4.0', 1), output('2.0.0', 2)))
  assert.equal(found.major, 1)
  assert.deepEqual(found.objects, [{ name: 'planes', table: 'all_planes__planes', columns: ['tailnum'] }])
  assert.equal(resolveInput(input({ versionRange: '*' }), upstream(output('1.4.0', 1), output('2.0.0', 2))).major, 2)
})

test('without expectations every object is read', () =>
  assert.deepEqual(
    resolveInput(input({ expects: [] }), upstream(output('1.4.0', 1))).objects.map(({ name }) => name),
    ['planes'],
  ))

const REFUSED: [name: string, change: Partial<ProductInput>, code: string][] = [
  ['no such port', { port: 'engines' }, 'INPUT_PORT_UNKNOWN'],
  ['no version in the range', { versionRange: '^3.0.0' }, 'INPUT_VERSION_UNMET'],
  ['no such object', { expects: [object('engines', column('id'))] }, 'INPUT_CONTRACT_UNMET'],
  ['no such column', { expects: [object('planes', column('wings'))] }, 'INPUT_CONTRACT_UNMET'],
  ['another type', { expects: [object('planes', column('tailnum', 'integer'))] }, 'INPUT_CONTRACT_UNMET'],
  ['a column that may be null', { expects: [object('planes', column('seats', 'integer'))] }, 'INPUT_CONTRACT_UNMET'],
]
for (const [name, change, code] of REFUSED)
  test(`${name} is refused`, () =>
    assert.throws(
      () => resolveInput(input(change), upstream(output('1.4.0', 1))),
      (error: HeddleError) => error.code === code,
    ))
