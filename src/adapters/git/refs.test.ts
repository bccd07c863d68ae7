import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findRefusedRefs } from './refs.ts'

const count = async (ref: string, old: string | null, fresh: string | null) =>
  (await findRefusedRefs([{ ref, old, new: fresh }], async (a, b) => a < b)).length > 0

test('main only moves forward and stays; only branches and tags exist', async () => {
  const cases: [string, string | null, string | null, boolean][] = [
    ['refs/heads/main', '1', '2', false],
    ['refs/heads/main', null, '1', false],
    ['refs/heads/main', '2', '1', true],
    ['refs/heads/main', '1', null, true],
    ['refs/heads/Main', null, '1', true],
    ['refs/heads/side', '2', '1', false],
    ['refs/heads/side', '1', null, false],
    ['refs/tags/v1', null, '1', false],
    ['refs/replace/1', null, '1', true],
    ['refs/notes/commits', null, '1', true],
  ]
  for (const [ref, old, fresh, isRefused] of cases)
    assert.equal(await count(ref, old, fresh), isRefused, `${ref} ${old} ${fresh}`)
})
