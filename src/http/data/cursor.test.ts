import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { HeddleError } from '../../core/fail.ts'
import { openCursor, sealCursor } from './cursor.ts'

const key = randomBytes(32)
const content = { publication: 7, after: { values: ['Ada', null, '2013-01-01'], seen: 2 } }
const isRefused = (error: unknown) => error instanceof HeddleError && error.code === 'DATA_CURSOR_INVALID'

test('a cursor opens for its own query and shows nothing of the row it stands on', () => {
  const cursor = sealCursor(key, 'scope', content)
  assert.deepEqual(openCursor(key, 'scope', cursor), content)
  assert.match(cursor, /^[\w-]+$/)
  assert.ok(!Buffer.from(cursor, 'base64url').includes('Ada'))
})

test('another scope, another key, a changed or shortened cursor: refused', () => {
  const cursor = sealCursor(key, 'scope', content)
  assert.throws(() => openCursor(key, 'other', cursor), isRefused)
  assert.throws(() => openCursor(randomBytes(32), 'scope', cursor), isRefused)
  const bytes = Buffer.from(cursor, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    assert.throws(() => openCursor(key, 'scope', changed.toString('base64url')), isRefused)
    assert.throws(() => openCursor(key, 'scope', bytes.subarray(0, at).toString('base64url')), isRefused)
  }
  for (const text of ['', 'x', '%', '💥', 'A'.repeat(4000)]) assert.throws(() => openCursor(key, 'scope', text), isRefused)
})

test('an order by values too long for an address is refused with what to do', () => {
  assert.throws(
    () => sealCursor(key, 'scope', { publication: 1, after: { values: ['x'.repeat(5000)], seen: 1 } }),
    (error) => error instanceof HeddleError && error.code === 'DATA_QUERY_INVALID' && /csv/.test(error.fix),
  )
})
