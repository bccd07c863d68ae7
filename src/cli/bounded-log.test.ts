import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createBoundedLog } from './bounded-log.ts'

test('a full log makes way once, and what an earlier start wrote counts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-log-'))
  try {
    const path = join(folder, 'heddle.log')
    writeFileSync(path, 'an earlier start wrote this\n')
    const log = createBoundedLog(path, 40)
    log('short')
    log('this one is too long for the rest')
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'an earlier start wrote this\nshort\n')
    assert.equal(readFileSync(path, 'utf8'), 'this one is too long for the rest\n')
    log('this one takes the place of the last')
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'this one is too long for the rest\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
