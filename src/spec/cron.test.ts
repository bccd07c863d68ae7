import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCron, shortestGapMinutes } from './cron.ts'
import { readSpan } from './span.ts'
import { changedHours, isTimeZone } from './time-zones.ts'

test('schedules', () => {
  for (const good of ['* * * * *', '*/15 4-6 1,15 jan-mar MON', '0 0 29 2 *', '5 4 31 1-12/2 7', '0 12 30 2 mon'])
    assert.equal(typeof readCron(good), 'object', good)
  for (const bad of [
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
    '* * * * 8',
    '5-1 * * * *',
    '*/0 * * * *',
    '*-3 * * * *',
    '0 0 30 2 *',
    '0 0 31 4,6 *',
    '@daily',
    'a * * * *',
  ])
    assert.equal(typeof readCron(bad), 'string', bad)
  const gap = (text: string) => shortestGapMinutes(readCron(text) as Exclude<ReturnType<typeof readCron>, string>)
  assert.deepEqual([gap('*/5 * * * *'), gap('0 4 * * *'), gap('0 23,1 * * *')], [5, 1440, 120])
})

test('zones and the hours their clocks change', () => {
  assert.deepEqual([...changedHours('America/New_York', 2026)].sort(), [1, 2])
  assert.deepEqual([...changedHours('Europe/Vienna', 2026)].sort(), [2])
  assert.deepEqual([...changedHours('UTC', 2026)], [])
  assert.deepEqual([isTimeZone('Asia/Kathmandu'), isTimeZone('Nowhere/None'), isTimeZone('../etc')], [true, false, false])
})

test('calendar spans are taken at their longest', () => {
  assert.deepEqual(
    [readSpan('24h'), readSpan('1M'), readSpan('7Y'), readSpan('1.5h')],
    [86_400_000, 31 * 86_400_000, 7 * 366 * 86_400_000, undefined],
  )
})
