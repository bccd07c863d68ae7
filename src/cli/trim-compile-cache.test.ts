import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { trimCompileCache } from './trim-compile-cache.ts'

test('too much of the compile cache goes, the oldest first, also that of another Node; a small one stays', async () => {
  const base = mkdtempSync(join(tmpdir(), 'heddle-cache-'))
  try {
    for (const [version, name, age] of [
      ['v1', 'a', 400],
      ['v2', 'b', 300],
      ['v2', 'c', 200],
      ['v2', 'd', 100],
    ] as const) {
      mkdirSync(join(base, version), { recursive: true })
      writeFileSync(join(base, version, name), 'x'.repeat(100))
      utimesSync(join(base, version, name), 1e9 - age, 1e9 - age)
    }
    const left = () => ['v1', 'v2'].flatMap((version) => readdirSync(join(base, version)))
    assert.equal(await trimCompileCache(join(base, 'v2'), 400), 0)
    assert.deepEqual(left(), ['a', 'b', 'c', 'd'])
    assert.equal(await trimCompileCache(join(base, 'v2'), 399), 300)
    assert.deepEqual(left(), ['d'])
  } finally {
    rmSync(base, { recursive: true })
  }
})
