import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CompatibilityRule, compareSpecs } from './compatibility.ts'
import { check, SPEC } from './fixtures/small-spec.ts'
import type { ProductSpec } from './types.ts'

function read(text: string): ProductSpec {
  const { spec, diagnostics } = check(text)
  assert.ok(spec, JSON.stringify(diagnostics.filter((one) => one.severity === 'error')))
  return spec
}

const CASES: [reason: string, from: string, to: string, rule: CompatibilityRule, level: string, bump: string][] = [
  ['column removed', '                - {name: seats, logicalType: integer}\n', '', 'COLUMN_REMOVED', 'breaking', 'major'],
  [
    'column added',
    '{name: seats, logicalType: integer}',
    '{name: seats, logicalType: integer}\n                - {name: rows, logicalType: integer}',
    'COLUMN_ADDED',
    'safe',
    'minor',
  ],
  ['type changed', 'seats, logicalType: integer', 'seats, logicalType: string', 'COLUMN_TYPE_CHANGED', 'breaking', 'major'],
  ['type widened', 'seats, logicalType: integer', 'seats, logicalType: number', 'COLUMN_TYPE_WIDENED', 'dangerous', 'minor'],
  [
    'now required',
    'seats, logicalType: integer',
    'seats, logicalType: integer, required: true',
    'COLUMN_NOW_REQUIRED',
    'safe',
    'minor',
  ],
  ['key dropped', ', primaryKey: true}', ', required: true}', 'KEY_DROPPED', 'breaking', 'major'],
  [
    'rule removed',
    '              quality:\n                - {id: rows, metric: rowCount, mustBeGreaterThan: 0}\n',
    '',
    'QUALITY_RELAXED',
    'dangerous',
    'minor',
  ],
  ['freshness loosened', 'threshold: 24h', 'threshold: 48h', 'SLO_LOOSENED', 'dangerous', 'minor'],
  ['target lowered', 'availability: 99%', 'availability: 98%', 'SLO_LOOSENED', 'dangerous', 'minor'],
  [
    'filter removed',
    '            rowFilters:\n              - {name: own-base, object: planes, condition: base in subject.bases}\n',
    '',
    'PROTECTION_LOWERED',
    'dangerous',
    'minor',
  ],
  [
    'mask added',
    'method: hash}',
    'method: hash}\n              - {name: base, columns: [planes.base], method: hash}',
    'ACCESS_TIGHTENED',
    'breaking',
    'major',
  ],
  [
    'classified higher',
    'base, logicalType: string}',
    'base, logicalType: string, classification: confidential}',
    'ACCESS_TIGHTENED',
    'breaking',
    'major',
  ],
  ['tag dropped', 'tags: [pii]', 'tags: [not-pii]', 'PROTECTION_LOWERED', 'dangerous', 'minor'],
  ['terms changed', 'purpose: [operations]', 'purpose: [research]', 'TERMS_CHANGED', 'breaking', 'none'],
  ['port renamed', 'version: "1.0.0"', 'version: "1.0.0"\n        port: aircraft', 'PORT_REMOVED', 'breaking', 'major'],
  ['major replaced', 'version: "1.0.0"', 'version: "2.0.0"', 'PORT_REMOVED', 'breaking', 'major'],
]

for (const [reason, from, to, rule, level, bump] of CASES) {
  test(`${reason}: ${rule}`, () => {
    assert.ok(SPEC.includes(from))
    const findings = compareSpecs(read(SPEC), read(SPEC.replace(from, () => to)), { portsWithAgreements: [] })
    const found = findings.find((one) => one.rule === rule)
    assert.deepEqual([found?.level, found?.bump], [level, bump], JSON.stringify(findings))
    if (bump !== 'none' && rule !== 'PORT_REMOVED')
      assert.ok(
        findings.some((one) => one.rule === 'VERSION_TOO_LOW'),
        'the version did not go up',
      )
  })
}

test('nothing changed, nothing found; both ways of a nullable column', () => {
  assert.deepEqual(compareSpecs(read(SPEC), read(SPEC), { portsWithAgreements: ['planes'] }), [])
  const required = SPEC.replace('seats, logicalType: integer', 'seats, logicalType: integer, required: true')
  assert.equal(compareSpecs(read(required), read(SPEC), { portsWithAgreements: [] })[0]?.rule, 'COLUMN_NOW_NULLABLE')
})

test('a version that goes up far enough is enough, and agreements make a loosened level breaking', () => {
  const added = SPEC.replace(
    '{name: seats, logicalType: integer}',
    '{name: seats, logicalType: integer}\n                - {name: rows, logicalType: integer}',
  ).replace('"1.0.0"', '"1.1.0"')
  assert.deepEqual(
    compareSpecs(read(SPEC), read(added), { portsWithAgreements: [] }).map((one) => one.rule),
    ['COLUMN_ADDED'],
  )
  const loosened = compareSpecs(read(SPEC), read(SPEC.replace('24h', '48h')), { portsWithAgreements: ['planes'] })
  assert.deepEqual([loosened[0]?.rule, loosened[0]?.level, loosened[0]?.bump], ['SLO_LOOSENED', 'breaking', 'major'])
})
