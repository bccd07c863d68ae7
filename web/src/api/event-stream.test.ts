import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventParser } from './event-stream.ts'

test('events arrive whole however the bytes are cut', () => {
  const stream = ': hello\n\nid: 1\nevent: log\ndata: {"a":1}\n\nid: 2\r\ndata: one\r\ndata: two\r\n\r\n'
  for (let size = 1; size < stream.length; size++) {
    const seen: string[] = []
    const parse = createEventParser((data) => seen.push(data))
    for (let at = 0; at < stream.length; at += size) parse(stream.slice(at, at + size))
    assert.deepEqual(seen, ['{"a":1}', 'one\ntwo'], `in pieces of ${size}`)
  }
})
