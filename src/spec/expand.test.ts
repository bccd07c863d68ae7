import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { explainExpanded } from './explain-expanded.ts'
import { check, DEPLOY, requestFor, SPEC } from './fixtures/small-spec.ts'

test('the long form means the same as the short one', () => {
  const short = check(SPEC)
  const long = explainExpanded(requestFor(SPEC))
  assert.ok(long)
  const again = check(long)
  assert.deepEqual(again.diagnostics, [])
  assert.deepEqual(again.spec, short.spec)
  const slos = parse(long).spec.components[3].traits[0].properties.slos
  assert.deepEqual(
    slos.map((slo: { name: string }) => slo.name),
    ['availability', 'completeness', 'freshness'],
  )
})

test('short service levels', () => {
  const text = SPEC.replace('availability: 99%', 'availability: 99.9%')
    .replace('{within: 5%}', '{within: 7.5%, against: last, of: delta, target: 90%}')
    .replace('{threshold: 24h}', '{threshold: 90m, element: built, target: 99%}')
  const { spec, diagnostics } = check(text)
  assert.deepEqual(diagnostics, [])
  const window = 20 * 86_400_000
  assert.deepEqual(spec?.outputs[0]?.serviceLevels, [
    { kind: 'availability', name: 'availability', object: 'planes', target: 0.999, windowMs: window },
    {
      kind: 'completeness',
      name: 'completeness',
      object: 'planes',
      target: 0.9,
      windowMs: window,
      within: 0.075,
      against: 'last',
      of: 'delta',
      minimum: 1,
    },
    {
      kind: 'freshness',
      name: 'freshness',
      object: 'planes',
      target: 0.99,
      windowMs: window,
      element: 'built',
      thresholdMs: 90 * 60_000,
    },
  ])
})

test('* is every object of the port, for service levels and row filters', () => {
  const text = SPEC.replace(
    '            - name: planes\n              properties:',
    '            - {name: bases, properties: [{name: base, logicalType: string, primaryKey: true}]}\n            - name: planes\n              properties:',
  ).replace('object: planes, condition', 'object: "*", condition')
  const { spec, diagnostics } = check(text)
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    spec?.outputs[0]?.rowFilters.map((filter) => filter.object),
    ['bases', 'planes'],
  )
  assert.deepEqual(
    spec?.outputs[0]?.serviceLevels.map((level) => `${level.name} ${level.object}`),
    [
      'bases-availability bases',
      'bases-completeness bases',
      'bases-freshness bases',
      'planes-availability planes',
      'planes-completeness planes',
      'planes-freshness planes',
    ],
  )
})

test('a second major is a second component of the same port; the version follows the highest', () => {
  const port = / {4}- name: planes\n {6}type: sql-output-port[\s\S]*?(?= {2}policies:)/.exec(SPEC)![0]
  const second = port
    .replace('- name: planes', '- name: planes-next')
    .replace('version: "1.0.0"', 'version: "2.1.0"\n        port: planes')
  const { spec, diagnostics } = check(SPEC.replace(port, () => port + second))
  assert.deepEqual(diagnostics, [])
  assert.deepEqual(
    spec?.outputs.map((output) => [output.name, output.port, output.major]),
    [
      ['planes', 'planes', 1],
      ['planes-next', 'planes', 2],
    ],
  )
  assert.equal(spec?.version, '2.1.0')
  assert.deepEqual(spec?.offers[0]?.ports, ['planes', 'planes-next'])
  assert.ok(
    check(
      SPEC.replace(port, () => port + second.replace('2.1.0', '1.1.0')),
      DEPLOY,
    ).diagnostics.some((one) => one.code === 'SPEC_NAME_DUPLICATE'),
  )
})

test('approvers once per product', () => {
  const { spec } = check(
    SPEC.replace('{description: {purpose: Aircraft.}}', '{description: {purpose: Aircraft.}, approvers: [ana, privacy-office]}'),
  )
  assert.deepEqual(spec?.offers[0]?.approvers.first, ['ana', 'privacy-office'])
  assert.deepEqual(spec?.roles.find((role) => role.role === 'consumer')?.approvers, ['ana', 'privacy-office'])
})
