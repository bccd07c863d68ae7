import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, SPEC } from './fixtures/small-spec.ts'
import { formatDiagnostics, summariseDiagnostics } from './format-diagnostics.ts'

test('place, code, problem, source with a caret, why, fix', () => {
  const text = SPEC.replace('threshold: 24h', 'threshold: 24 hrs')
  const { diagnostics } = check(text)
  assert.equal(
    formatDiagnostics(diagnostics, { 'spec.yml': text }),
    `spec.yml:41:36 error[CORE_DURATION_INVALID] threshold is "24 hrs"
   40 |             completeness: {within: 5%}
   41 |             freshness: {threshold: 24 hrs}
      |                                    ^^^^^^
   why  expected <number><s|m|h|d|w>
   fix  Write 24h. (heddle validate --fix)`,
  )
  assert.equal(summariseDiagnostics(diagnostics, 2), '1 error, 0 warnings in 2 files')
})

test('a long line is shown around the place; hostile text does not reach the terminal', () => {
  const text = `a: {${'x: 1, '.repeat(40)}x: \u001b[2J}`
  const formatted = formatDiagnostics(
    [
      {
        severity: 'error',
        code: 'SPEC_KEY_DUPLICATE',
        what: 'bad \u001b[31m\u202e\nline',
        at: { file: 'f.yml', line: 1, column: 245, endColumn: 246 },
      },
    ],
    { 'f.yml': text },
  )
  const lines = formatted.split('\n')
  assert.equal(lines.length, 4)
  assert.equal(lines[1]![lines[2]!.indexOf('^')], 'x')
  assert.ok(!formatted.includes('\u001b') && !formatted.includes('\u202e'))
})

test('nothing to say is nothing; more than the limit is counted', () => {
  assert.equal(formatDiagnostics([], {}), '')
  const many = Array.from({ length: 60 }, () => ({ severity: 'error' as const, code: 'SPEC_KEY_DUPLICATE' as const, what: 'x' }))
  assert.match(formatDiagnostics(many, {}), /… and 10 more$/)
})
