import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readServerSent } from './server-sent.ts'

async function read(text: string, size: number) {
  const bytes = new TextEncoder().encode(text)
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
  }
  const found = []
  for await (const sent of readServerSent(chunks())) found.push(sent)
  return found
}

test('events come out whole however the bytes are cut', async () => {
  const text = ': alive\n\nid: 1\r\nevent: log\r\ndata: {"text":"grün"}\r\n\r\nid: 2\ndata: a\ndata:b\n\ndata: cut off'
  const expected = [null, { id: '1', data: '{"text":"grün"}' }, { id: '2', data: 'a\nb' }]
  for (const size of [1, 2, 3, 7, 1000]) assert.deepEqual(await read(text, size), expected, `chunks of ${size}`)
})
