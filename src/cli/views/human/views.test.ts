import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import {
  sampleAgreement,
  sampleConnection,
  sampleFailedRun,
  samplePlan,
  sampleProduct,
  sampleRequest,
  sampleRun,
  sampleRunSummary,
  sampleStep,
  sampleSummary,
} from '../../../client/sample-answers.ts'
import { renderAgreement, renderAgreementTable, renderConnection } from './access.ts'
import { renderChecks } from './checks.ts'
import { renderProblem } from './error.ts'
import { renderLogLines } from './log.ts'
import { renderPlan } from './plan.ts'
import { renderProduct, renderProductTable } from './product.ts'
import { renderRequest, renderRequestTable } from './request.ts'
import { renderChanges, renderProgress, renderRunEnd, renderRunTable } from './run.ts'
import { clampWidth, clean, type Style, wrap } from './style.ts'
import { type Column, renderTable } from './table.ts'
import { showAge, showMoment, showTime, showTook } from './time.ts'

const style: Style = { width: 80, colour: false, zone: 'UTC', now: new Date('2026-03-01T13:17:00.000Z') }

test('a time names its zone, and its day when that is not today there', () => {
  const cases = [
    ['UTC', '13:05 UTC'],
    ['Europe/Berlin', '14:05 CET'],
    ['Asia/Kathmandu', '18:50 GMT+5:45'],
    ['Pacific/Kiritimati', '03:05 GMT+14'],
    ['Pacific/Pago_Pago', '02:05 GMT-11'],
  ] as const
  for (const [zone, shown] of cases) assert.equal(showTime('2026-03-01T13:05:00.000Z', { ...style, zone }), shown)
  assert.equal(showTime('2026-02-28T23:30:00.000Z', style), '2026-02-28 23:30 UTC')
  assert.equal(showTime('2026-02-28T23:30:00.000Z', { ...style, zone: 'Europe/Berlin' }), '00:30 CET')
  // The hour that Berlin has twice is told apart by the zone.
  assert.deepEqual(
    ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'].map((iso) => showTime(iso, { ...style, zone: 'Europe/Berlin' })),
    ['2026-10-25 02:30 CEST', '2026-10-25 02:30 CET'],
  )
  assert.equal(showMoment('2026-03-01T13:05:09.000Z', style), '13:05:09 UTC')
})

test('durations and ages', () => {
  assert.deepEqual([0, 400, 41_000, 59_940, 59_960, 108_000, 182_000, 7_500_000].map(showTook), [
    '0.0s',
    '0.4s',
    '41.0s',
    '59.9s',
    '1m00s',
    '1m48s',
    '3m02s',
    '2h05m',
  ])
  assert.deepEqual([-3, 12, 720, 18_000, 172_799, 6_393_600].map(showAge), ['0s', '12s', '12m', '5h', '47h', '74d'])
})

test('a width outside 60 to 200 is taken as the nearest', () => {
  assert.deepEqual([10, 60, 120, 500, Number.NaN].map(clampWidth), [60, 60, 120, 200, 60])
})

test('text of others cannot steer the terminal', () => {
  assert.equal(clean('a\u001b[31mred\u001b[0m\u001b]0;title\u0007\u202eb\r\u009b2Jc'), 'aredbc')
})

test('words fold; what must be copied whole stays whole', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three'])
  assert.deepEqual(wrap('see https://example.com/a/long/address now', 10), ['see', 'https://example.com/a/long/address', 'now'])
})

test('a table shrinks the columns that may, and cuts visibly', () => {
  const columns: Column<{ name: string; n: number; why: string }>[] = [
    { title: 'NAME', value: (row) => row.name },
    { title: 'N', align: 'right', value: (row) => String(row.n) },
    { title: 'WHY', shrinkTo: 6, value: (row) => row.why },
  ]
  const rows = [
    { name: 'alpha', n: 7, why: 'because it is so' },
    { name: 'b', n: 1204, why: '' },
  ]
  assert.deepEqual(renderTable(columns, rows, { ...style, width: 20 }), [
    'NAME      N  WHY',
    'alpha     7  becaus…',
    'b      1204  -',
  ])
})

test('no view is wider than the place, but for what must be copied whole; colour adds no text', () => {
  const long = 'x'.repeat(30)
  const many = {
    ...sampleRun,
    steps: Array.from({ length: 40 }, (_, i) =>
      sampleStep({
        id: `step ${i}`,
        stage: 'transform',
        state: i < 30 ? 'succeeded' : 'pending',
        ms: 1000,
        title: `${long} ${long} ${i}`,
        outcome: `${long} ${long}`,
      }),
    ),
  }
  const views: Record<string, (style: Style) => string[]> = {
    plan: (at) => renderPlan({ ...samplePlan, affected: Array.from({ length: 20 }, (_, i) => `domain/product-${i}`) }, at),
    product: (at) =>
      renderProductTable([{ ...sampleSummary, address: `${long}/${long}`, reason: `${long} ${long} ${long}`, owner: long }], at),
    run: (at) => renderProgress(many, new Map(), at),
    end: (at) => renderRunEnd({ ...sampleFailedRun, problem: null, product: 'a/b' }, at),
    runs: (at) => renderRunTable([{ ...sampleRunSummary, product: `${long}/x`, because: `${long} ${long} ${long}` }], at),
    requests: (at) => renderRequestTable([{ ...sampleRequest, title: `${long} ${long}`, next: `${long} ${long}` }], at),
    request: (at) => renderRequest({ ...sampleRequest, next: `${long} ${long} ${long} ${long}` }, at),
    agreements: (at) => renderAgreementTable([{ ...sampleAgreement, purpose: `${long} ${long}` }], at),
    checks: (at) =>
      renderChecks([{ name: 'clock', state: 'warn', detail: `${long} ${long} ${long}`, fix: `${long} ${long} ${long}` }], at),
    error: (at) =>
      renderProblem(
        {
          code: 'CORE_NAME_INVALID',
          message: 'word '.repeat(60),
          why: 'word '.repeat(60),
          fix: 'word '.repeat(60),
          requestId: 'r',
        },
        at,
      ),
  }
  for (const [name, render] of Object.entries(views))
    for (const width of [60, 80, 120, 200]) {
      const lines = render({ ...style, width })
      for (const line of lines) assert.ok([...line].length <= width, `${name} at ${width}: ${[...line].length} ${line}`)
      const coloured = render({ ...style, width, colour: true })
      assert.deepEqual(
        coloured.map(stripVTControlCharacters).map((line) => line.trimEnd()),
        lines.map((line) => line.trimEnd()),
        name,
      )
      assert.ok(coloured.join('').includes('\u001b'), `${name} has no colour`)
    }
  assert.ok(renderProgress(many, new Map(), style).length <= 18, 'the block stays lower than a terminal')
})

test('a plan groups by stage, names the risk and says why and who will notice', () => {
  assert.deepEqual(renderPlan(samplePlan, style), [
    'Plan for fleet/planes in prod   as of 13:05 UTC',
    'provision',
    '  + safe        schema fleet_planes  it is not there yet',
    'publish',
    '  ~ disruptive  switch planes v1     column region goes',
    '2 steps: 1 to provision, 1 to publish  9 unchanged',
    'Affects  1 consumer: fin/revenue',
  ])
})

test('a running step shows how far it is; what waits is one line', () => {
  assert.deepEqual(renderProgress(sampleRun, new Map([['dbt build', { done: 18, total: 31 }]]), style), [
    'run 812  deploy fleet/planes -> prod   12m00s usual 2m50s',
    '  ok    copy        41.0s   3,322 rows',
    '  run   dbt build  11m19s   [#########-------] 18 of 31',
    '  wait  publish',
  ])
})

test('changes are told once', () => {
  assert.equal(renderChanges(null, sampleRun, style).length, 4)
  assert.deepEqual(renderChanges(sampleRun, sampleRun, style), [])
  assert.deepEqual(renderChanges(sampleRun, { ...sampleFailedRun, problem: null }, style), [
    '  FAIL  dbt build   1m48s   test not_null_planes_tailnum found 14 rows',
  ])
})

test('the end of a run that never served anything, and of one that had published', () => {
  assert.ok(renderRunEnd({ ...sampleFailedRun, served: null }, style).includes('  prod serves nothing yet.'))
  const published = {
    ...sampleFailedRun,
    steps: sampleFailedRun.steps.map((step) => (step.stage === 'publish' ? { ...step, state: 'succeeded' as const } : step)),
  }
  assert.ok(renderRunEnd(published, style).includes('  prod serves r12.'))
  const bootstrap = {
    ...sampleFailedRun,
    kind: 'bootstrap',
    environment: '*',
    served: null,
    steps: sampleFailedRun.steps.slice(0, 2),
  }
  assert.equal(
    renderRunEnd(bootstrap, style).some((line) => line.includes('serves')),
    false,
  )
})

test('an error has its place, why, details, fix, docs and request id, in this order', () => {
  const lines = renderProblem(
    {
      code: 'SPEC_FILE_REFUSED',
      message: 'The spec is refused',
      why: 'two problems',
      fix: 'Correct them.',
      docs: 'docs/errors.md#x',
      requestId: 'r-1',
      at: { file: 'data_product_spec.yml', line: 41, column: 20 },
      details: [
        {
          severity: 'error',
          code: 'SPEC_FILE_REFUSED',
          what: 'The spec is refused',
          at: { file: 'data_product_spec.yml', line: 41, column: 9 },
        },
        { severity: 'warning', code: 'CORE_DURATION_INVALID', what: '"24 hrs" is not a duration', fix: '24h' },
      ],
    },
    style,
  )
  assert.deepEqual(lines, [
    'data_product_spec.yml:41:20 error[SPEC_FILE_REFUSED] The spec is refused',
    '   why  two problems',
    '  warning[CORE_DURATION_INVALID] "24 hrs" is not a duration',
    '     fix  24h',
    '   fix  Correct them.',
    '   docs  docs/errors.md#x',
    '   request id  r-1',
  ])
})

test('product, agreement, connection and log show the facts their jobs need', () => {
  const product = renderProduct(sampleProduct, style).join('\n')
  for (const part of [
    'Environments',
    'Served',
    'Access',
    'Monitors',
    'Runs',
    'offer standard  ports planes; 90 days, at most 365',
  ])
    assert.ok(product.includes(part), part)
  assert.ok(renderAgreement(sampleAgreement, style).includes('until    2026-05-30 13:05 UTC'))
  const lines = renderConnection({ ...sampleConnection, replaced: '2026-03-01T20:00:00.000Z' }, style, (url) => `curl '${url}'`)
  assert.deepEqual(lines.slice(0, 2), [
    `    ${sampleConnection.psql}`,
    "    curl 'http://127.0.0.1:4000/data/fleet/planes/planes/v1/planes'",
  ])
  assert.match(lines[3]!, /password issued before this one.*is void/)
  assert.deepEqual(renderLogLines({ id: 1, at: '2026-03-01T13:05:00Z', step: null, kind: 'step', data: {} }, style), [])
})
