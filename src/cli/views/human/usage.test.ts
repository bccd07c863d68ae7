import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Usage } from '../../../client/types.ts'
import { renderUsage, sparkline } from './usage.ts'

const style = { width: 100, colour: false, zone: 'UTC', now: new Date('2026-03-02T12:00:00Z') }
const usage: Usage = {
  product: 'fleet/planes',
  asOf: '2026-03-02T11:59:40.000Z',
  coverage: 'Counted are reads.',
  ports: [
    {
      environment: 'prod',
      port: 'planes',
      major: 1,
      days: [
        { day: '2026-03-01', readers: 0, reads: 0 },
        { day: '2026-03-02', readers: 1, reads: 1204 },
      ],
      readers: [{ subject: 'service:ops/flights', reads: 1204, lastReadAt: '2026-03-02T11:00:00.000Z' }],
      lastReadAt: '2026-03-02T11:00:00.000Z',
    },
  ],
  proposal: null,
}

test('a day is a character: a dot for none, the busiest day the highest', () => {
  assert.equal(sparkline([0, 1, 4, 8]), '.▁▄█')
  assert.equal(sparkline([]), '')
})

test('reads by port, by reader, and what they cover', () => {
  const text = renderUsage(usage, style).join('\n')
  assert.match(text, /planes v1 +1,204 +1h ago +\.█/)
  assert.match(text, /planes v1 in prod read by service:ops\/flights 1,204 \(1h ago\)/)
  assert.match(text, /Counted are reads\.$/)
})

test('a proposal says how to retire it', () => {
  const proposal = { unusedDays: 61, because: 'Nobody has read it for 61 days.', since: '2026-01-01T00:00:00.000Z' }
  assert.match(
    renderUsage({ ...usage, proposal }, style).join('\n'),
    /61 days\. {2}Retire it\? {2}heddle retire fleet\/planes --dry-run/,
  )
})
