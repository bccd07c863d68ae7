import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextDue } from './next-due.ts'

const due = (schedule: string, zone: string, after: string) =>
  nextDue(schedule, zone, new Date(after))?.toISOString().slice(0, 16)

const CASES: [schedule: string, zone: string, after: string, expected: string | undefined][] = [
  ['15 4 * * *', 'UTC', '2026-11-23T04:14:59Z', '2026-11-23T04:15'],
  ['15 4 * * *', 'UTC', '2026-11-23T04:15:00Z', '2026-11-24T04:15'],
  ['15 4 * * *', 'Europe/Vienna', '2026-11-23T00:00:00Z', '2026-11-23T03:15'],
  ['0 0 * * *', 'America/New_York', '2026-11-23T04:00:00Z', '2026-11-23T05:00'],
  ['0 0 * * *', 'Pacific/Auckland', '2026-11-23T10:30:00Z', '2026-11-23T11:00'],
  ['*/5 * * * *', 'Asia/Kathmandu', '2026-11-23T10:31:00Z', '2026-11-23T10:35'],
  ['0 9 * * mon-fri', 'UTC', '2026-11-27T09:00:00Z', '2026-11-30T09:00'],
  ['0 0 13 * fri', 'UTC', '2026-11-08T00:00:00Z', '2026-11-13T00:00'],
  ['0 0 29 2 *', 'UTC', '2026-11-08T00:00:00Z', '2028-02-29T00:00'],
  ['0 0 31 12 *', 'UTC', '2026-12-31T00:00:00Z', '2027-12-31T00:00'],
  // Vienna skips 02:00 to 03:00 on 2027-03-28, and has 02:00 to 03:00 twice on 2026-10-25
  ['30 2 * * *', 'Europe/Vienna', '2027-03-27T12:00:00Z', '2027-03-28T01:00'],
  ['30 2 * * *', 'Europe/Vienna', '2027-03-28T01:00:00Z', '2027-03-29T00:30'],
  ['30 2 * * *', 'Europe/Vienna', '2026-10-24T12:00:00Z', '2026-10-25T00:30'],
  ['30 2 * * *', 'Europe/Vienna', '2026-10-25T00:30:00Z', '2026-10-26T01:30'],
  ['not a schedule', 'UTC', '2026-11-08T00:00:00Z', undefined],
]

for (const [schedule, zone, after, expected] of CASES)
  test(`${schedule} in ${zone} after ${after}`, () => assert.equal(due(schedule, zone, after), expected))

test('a year of a schedule fires once a day, whatever the clocks do', () => {
  let at = new Date('2026-01-01T00:00:00Z')
  let count = 0
  for (; at.getTime() < Date.UTC(2027, 0, 1); count++) at = nextDue('30 2 * * *', 'America/New_York', at)!
  assert.equal(count, 366)
})
