import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ProposalFacts, proposeRetirement } from './propose-retirement.ts'

const now = new Date('2026-06-01T12:00:00Z')
const ago = (days: number) => new Date(now.getTime() - days * 86_400_000)
const rule = { afterMs: 60 * 86_400_000, now }
const prod = { environment: 'prod', asOf: now, countingSince: ago(200), obstacle: null, gaps: [] }
const port = { environment: 'prod', port: 'planes', major: 1, countedSince: ago(200) }
const facts: ProposalFacts = { createdAt: ago(300), lastReadAt: ago(61), ports: [port], coverage: [prod], consumers: [] }
const gap = (from: number, to: number) => ({ from: ago(from).toISOString(), to: ago(to).toISOString(), why: 'x' })

test('nobody read it for longer than the mesh says', () => {
  assert.deepEqual(proposeRetirement(facts, rule), {
    unusedDays: 61,
    because: 'Nobody has read it for 61 days. Nobody holds an agreement.',
    since: ago(61),
  })
  const never = proposeRetirement({ ...facts, lastReadAt: null, consumers: ['ana', 'lee'] }, rule)
  assert.equal(never?.unusedDays, 200)
  assert.equal(
    never?.because,
    'Nobody has read it in the 200 days since its reads are counted. ana, lee hold an agreement and did not read.',
  )
})

const reasonsAgainst: [string, Partial<ProposalFacts>][] = [
  ['it was read yesterday', { lastReadAt: ago(1) }],
  ['it was read within the time', { lastReadAt: ago(59.9) }],
  ['the product is younger than the time', { createdAt: ago(59), lastReadAt: null }],
  ['nothing is served', { ports: [] }],
  ['a port is not counted', { ports: [port, { ...port, major: 2, countedSince: null }] }],
  ['a port is counted for less than the time', { ports: [port, { ...port, major: 2, countedSince: ago(10) }] }],
  ['an environment has never been looked at', { ports: [port, { ...port, environment: 'dev' }] }],
  ['nothing is counted at the moment', { coverage: [{ ...prod, obstacle: 'not loaded' }] }],
  ['the sums are old', { coverage: [{ ...prod, asOf: ago(2) }] }],
  ['a gap covers the whole time', { coverage: [{ ...prod, gaps: [gap(90, 0)] }] }],
  ['gaps that overlap cover too much of it', { coverage: [{ ...prod, gaps: [gap(50, 45), gap(47, 43)] }] }],
]
for (const [reason, change] of reasonsAgainst)
  test(`no proposal: ${reason}`, () => assert.equal(proposeRetirement({ ...facts, ...change }, rule), null))

test('short gaps, and gaps before the time, do not keep it', () => {
  const gaps = [gap(100, 65), gap(50, 48), gap(49, 47.5)]
  assert.ok(proposeRetirement({ ...facts, coverage: [{ ...prod, gaps }] }, rule))
})
