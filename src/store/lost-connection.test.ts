import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isConnectionLost } from './lost-connection.ts'

const withCode = (code: string) => Object.assign(new Error('what PostgreSQL or the socket said'), { code })

test('a lost connection is told from every other error', () => {
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03', '08006', '08P01'])
    assert.equal(isConnectionLost(withCode(code)), true, code)
  for (const message of [
    'Connection terminated unexpectedly',
    'Connection terminated',
    'timeout exceeded when trying to connect',
  ])
    assert.equal(isConnectionLost(new Error(message)), true, message)
  for (const code of ['23505', '40001', '42P01', '57014', 'ENOENT']) assert.equal(isConnectionLost(withCode(code)), false, code)
  for (const other of [new Error('no'), null, undefined, 'Connection terminated']) assert.equal(isConnectionLost(other), false)
})
