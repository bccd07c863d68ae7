import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { fail } from '../../core/fail.ts'
import { translate } from './translate.ts'

function databaseError(code: string, message: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), {
    code,
    detail: 'Key (ssn)=(secret) exists.',
    where: 'COPY t, line 1: "secret"',
  })
}

test('no row value of a database error gets through: not from its message, DETAIL or CONTEXT', () => {
  for (const code of ['22P02', '22001', '23505', '23502', '21000', 'P0001', 'XX000']) {
    const error = translate(databaseError(code, 'invalid input: "secret"'), 'load a batch')
    assert.doesNotMatch(JSON.stringify([error.message, error.why, error.fix, error.cause]), /secret/, code)
    assert.match(error.why ?? '', new RegExp(code))
  }
})

const CASES: [state: string, code: string][] = [
  ['42501', 'WAREHOUSE_ACCESS_DENIED'],
  ['42P01', 'WAREHOUSE_OBJECT_MISSING'],
  ['55P03', 'WAREHOUSE_BUSY'],
  ['2BP01', 'WAREHOUSE_OBJECT_USED'],
  ['57P01', 'WAREHOUSE_UNREACHABLE'],
  ['57014', 'WAREHOUSE_CANCELLED'],
  ['3D000', 'WAREHOUSE_NOT_INITIALISED'],
  ['HD001', 'PRODUCT_NAME_TAKEN'],
  ['42601', 'WAREHOUSE_STATEMENT_FAILED'],
]

test('each SQLSTATE becomes its code, and what names objects only keeps its words', () => {
  for (const [state, code] of CASES) assert.equal(translate(databaseError(state, 'x'), 'try').code, code, state)
  assert.match(translate(databaseError('42501', 'permission denied for schema s'), 'try').why ?? '', /schema s/)
})

test('errors of the registry pass; lost connections and cancelled work are told apart', () => {
  const known = fail('CORE_NAME_INVALID', 'x')
  assert.equal(translate(known, 'try'), known)
  assert.equal(translate(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'try').code, 'WAREHOUSE_UNREACHABLE')
  assert.equal(translate(new Error('any'), 'try', AbortSignal.abort()).code, 'WAREHOUSE_CANCELLED')
})
