import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCgiHead } from './cgi.ts'

test('a head is read once it is complete', () => {
  assert.equal(parseCgiHead(Buffer.from('Status: 404 Not Found\r\nA: b\r\n')), null)
  const cases: [string, number, [string, string][], string][] = [
    ['Status: 404 Not Found\r\nA: b: c\r\n\r\nbody', 404, [['A', 'b: c']], 'body'],
    ['A: b\n\nbody\r\n\r\n', 200, [['A', 'b']], 'body\r\n\r\n'],
    ['Status: odd\r\n\r\n', 500, [], ''],
  ]
  for (const [text, status, headers, body] of cases) {
    const head = parseCgiHead(Buffer.from(text))
    assert.deepEqual([head?.status, head?.headers, text.slice(head?.bodyAt)], [status, headers, body])
  }
})
