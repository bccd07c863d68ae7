import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeUsage } from './describe-usage.ts'

const at = new Date('2026-05-31T09:30:00Z')
const port = {
  environment: 'prod',
  port: 'planes',
  major: 1,
  days: [
    { day: '2026-05-30', readers: 0, reads: 0 },
    { day: '2026-05-31', readers: 2, reads: 7 },
  ],
  readers: [
    { subject: 'ana', reads: 5, lastReadAt: at },
    { subject: 'lee', reads: 2, lastReadAt: at },
    { subject: 'gone', reads: 2, lastReadAt: new Date('2026-04-01T00:00:00Z') },
  ],
  lastReadAt: at,
}

test('tells reads, readers and the last time, without names, and warns', () => {
  const { sentence, warnings } = describeUsage({ ports: [port], coverage: 'all' })
  assert.equal(sentence, 'Read 7 times by 2 readers in 30 days, the last time on 2026-05-31 09:30 UTC.')
  assert.deepEqual(warnings, [{ severity: 'warning', code: 'RETIRE_STILL_READ', what: sentence, why: 'all' }])
})

test('what nobody reads is told and is no reason to warn', () => {
  const quiet = { ...port, days: port.days.slice(0, 1), lastReadAt: new Date('2026-01-02T00:00:00Z') }
  assert.deepEqual(describeUsage({ ports: [quiet], coverage: '' }), {
    sentence: 'Not read in 30 days, the last time on 2026-01-02.',
    warnings: [],
  })
  assert.equal(
    describeUsage({ ports: [{ ...quiet, lastReadAt: null }], coverage: '' }).sentence,
    'Never read since its reads are counted.',
  )
  assert.equal(describeUsage({ ports: [], coverage: '' }).sentence, 'Nothing of it is served.')
})
