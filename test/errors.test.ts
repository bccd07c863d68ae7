import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorsPage } from '../docs/errors-page.ts'
import { ERRORS, type ErrorRow } from '../src/core/errors.ts'

const root = join(import.meta.dirname, '..')
const rows: [string, ErrorRow][] = Object.entries(ERRORS)

test('docs/errors.md is the registry: node docs/errors-page.ts writes it', () => {
  assert.equal(readFileSync(join(root, 'docs/errors.md'), 'utf8'), errorsPage())
})

test('every code is AREA_SUBJECT_PROBLEM with a summary, a remedy and an HTTP status', () => {
  assert.ok(rows.length > 100)
  for (const [code, { status, summary, remedy }] of rows) {
    assert.match(code, /^[A-Z]+(_[A-Z0-9]+){1,4}$/, code)
    assert.ok(status >= 400 && status < 600, code)
    assert.ok(summary.length > 5 && !summary.endsWith('.'), code)
    assert.ok(remedy.length > 5, code)
  }
})

test('every code is used somewhere, and every used code is in the registry', () => {
  const text = [...globSync('src/**/*.{ts,sql}', { cwd: root }), ...globSync('python/*.py', { cwd: root })]
    .filter((path) => path !== join('src', 'core', 'errors.ts'))
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n')
  const unused = rows.map(([code]) => code).filter((code) => !new RegExp(`\\b${code}\\b`).test(text))
  assert.deepEqual(unused, [])
})
