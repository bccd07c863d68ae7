import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newRequestCommand, quote } from './cli.ts'
import { counted, formatAge, formatDuration, formatLogTime, formatTime } from './time.ts'

test('times name their zone, and the day when it is another one', () => {
  const now = new Date('2026-03-18T12:30:00Z')
  const at = '2026-03-18T12:22:13.118Z'
  for (const [zone, expected] of [
    ['UTC', '12:22 UTC'],
    ['Europe/Berlin', '13:22 CET'],
    ['Asia/Kathmandu', '18:07 GMT+5:45'],
    ['Pacific/Kiritimati', '02:22 GMT+14'],
    ['Pacific/Pago_Pago', '01:22 GMT-11'],
  ] as const)
    assert.equal(formatTime(at, { now, zone }), expected)
  assert.equal(formatTime('2026-03-12T08:14:00Z', { now, zone: 'Europe/Berlin' }), '12 Mar, 09:14 CET')
  assert.equal(formatTime('2025-03-12T08:14:00Z', { now, zone: 'Europe/Berlin' }), '12 Mar 2025, 09:14 CET')
  assert.equal(formatTime('2026-03-29T00:59:00Z', { now, zone: 'Europe/Berlin' }), '29 Mar, 01:59 CET')
  assert.equal(formatTime('2026-03-29T01:01:00Z', { now, zone: 'Europe/Berlin' }), '29 Mar, 03:01 CEST')
  assert.equal(formatLogTime(at, 'Europe/Berlin'), '13:22:13.118')
})

test('durations and ages keep two units at most', () => {
  for (const [ms, expected] of [
    [-5, '0 ms'],
    [40, '40 ms'],
    [95, '0.1 s'],
    [400, '0.4 s'],
    [59_949, '59.9 s'],
    [59_960, '1 min'],
    [108_000, '1 min 48 s'],
    [3_599_999, '1 h'],
    [11_520_000, '3 h 12 min'],
    [100 * 3_600_000, '4 d 4 h'],
  ] as const)
    assert.equal(formatDuration(ms), expected)
  assert.deepEqual(
    [formatAge(10_000), formatAge(22 * 60_000), formatAge(3 * 3_600_000), formatAge(6 * 86_400_000)],
    ['now', '22 min', '3 h', '6 d'],
  )
  assert.deepEqual([counted(1, 'run'), counted(1_204, 'run')], ['1 run', '1,204 runs'])
})

test('a copied command survives the shell', () => {
  assert.equal(quote('team-fleet'), 'team-fleet')
  assert.equal(quote("it's $HOME"), "'it'\\''s $HOME'")
  assert.equal(
    newRequestCommand({ kind: 'product', payload: { domain: 'fleet', name: 'planes', title: 'Planes in service' } }),
    "heddle new planes --domain fleet --title 'Planes in service'",
  )
})
