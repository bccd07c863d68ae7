import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareTypes } from './compare-types.ts'
import type { LogicalType } from './types.ts'

test('how a type changes for a reader', () => {
  const text = (physicalType: string | null, logicalType: LogicalType = 'string') => ({ logicalType, physicalType })
  for (const [was, is, expected] of [
    [text('varchar(36)'), text('varchar(40)'), 'widened'],
    [text('varchar(40)'), text('character varying(36)'), 'narrowed'],
    [text('varchar(40)'), text('text'), 'widened'],
    [text('int4'), text('bigint'), 'widened'],
    [text('numeric(10,2)'), text('numeric(12,2)'), 'widened'],
    [text('numeric(10,2)'), text('numeric(10,4)'), 'narrowed'],
    [text('timestamp'), text('timestamptz'), 'changed'],
    [text('real'), text('numeric'), 'changed'],
    [text('varchar(40)'), text(null), 'same'],
    [text(null, 'date'), text(null, 'timestamp'), 'widened'],
    [text(null, 'timestamp'), text(null, 'date'), 'narrowed'],
    [text(null, 'boolean'), text(null, 'integer'), 'changed'],
  ] as const)
    assert.equal(compareTypes(was, is), expected, `${was.physicalType ?? was.logicalType} → ${is.physicalType ?? is.logicalType}`)
})
