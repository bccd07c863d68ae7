import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ErrorCode } from '../core/errors.ts'
import { HOSTILE } from './fixtures/hostile-texts.ts'
import { check } from './fixtures/small-spec.ts'
import { readYaml } from './read-yaml.ts'

test('values, positions and aliases', () => {
  const { document, diagnostics } = readYaml('f.yml', 'a: {b: [1, "x"]}\nc: &x {d: true}\ne: *x\n"f/g": ~\n')
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(document?.value, { a: { b: [1, 'x'] }, c: { d: true }, e: { d: true }, 'f/g': null })
  assert.deepEqual(document?.places.get('/a/b/1')?.value, [11, 14])
  assert.deepEqual(document?.places.get('/f~1g')?.key, [39, 44])
})

for (const { name, text, code, line, column } of HOSTILE) {
  test(`hostile: ${name}`, () => {
    const { diagnostics } = readYaml('f.yml', text)
    const found = diagnostics.find((one) => one.severity === 'error')
    assert.equal(found?.code, code, JSON.stringify(diagnostics))
    assert.deepEqual([found?.at?.line, found?.at?.column], [line, column])
    const { spec } = check(text)
    assert.equal(spec, null)
  })
}

const AMBIGUOUS: [text: string, column: number][] = [
  ['a: yes', 4],
  ['on: 1', 1],
  ['a: 012', 4],
  ['a: 12:30:45', 4],
  ['a: 1_000', 4],
  ['a: 2026-01-05', 4],
  ['a: [no]', 5],
]

test('what YAML 1.1 reads otherwise is a warning at the value', () => {
  for (const [text, column] of AMBIGUOUS) {
    const { document, diagnostics } = readYaml('f.yml', text)
    assert.ok(document, text)
    assert.deepEqual(
      diagnostics.map((one) => [one.severity, one.code, one.at?.column]),
      [['warning', 'SPEC_YAML_AMBIGUOUS' satisfies ErrorCode, column]],
      text,
    )
  }
  for (const text of ['a: "yes"', 'a: true', "a: '2026-01-05'", 'a: 99%', 'a: 24h', 'a: 1.5', 'a: "012"'])
    assert.deepEqual(readYaml('f.yml', text).diagnostics, [], text)
})

test('whatever the text, reading and checking it ends with a result', () => {
  const piece = fc.constantFrom(
    'a: ',
    '- ',
    '? ',
    '[',
    ']',
    '{',
    '}',
    '\n',
    '  ',
    '"',
    "'",
    '|',
    '>',
    '&x ',
    '*x',
    '!t ',
    '#',
    ':',
    '%',
    '---',
    '\t',
    'spec:',
    'components:',
    'name: x',
    '\\',
    ',',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const { spec, diagnostics } = check(pieces.join(''))
      assert.equal(spec, null)
      assert.ok(diagnostics.length > 0)
      for (const one of diagnostics) assert.ok(one.at && one.at.line >= 1 && one.at.column >= 1)
    }),
    { numRuns: 200 },
  )
})

test('whatever stands where, the rules go on', () => {
  const value = fc.anything({
    maxDepth: 3,
    withNullPrototype: false,
    key: fc.constantFrom('name', 'type', 'properties', 'traits', 'schema', 'contract', 'roles', 'slos', 'x'),
    values: [
      fc.constantFrom('planes', 'sql-output-port', 'service-level', 'data-policy', ''),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    ],
  })
  fc.assert(
    fc.property(value, value, (properties, traits) => {
      const text = JSON.stringify({
        apiVersion: 'core.oam.dev/v1beta1',
        kind: 'Application',
        metadata: { name: 'planes', namespace: 'fleet' },
        spec: { components: [{ name: 'planes', type: 'sql-output-port', properties, traits }], policies: traits },
      })
      assert.ok(check(text).diagnostics.length > 0)
    }),
    { numRuns: 150 },
  )
})
