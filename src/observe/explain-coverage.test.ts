import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainCoverage } from './explain-coverage.ts'

const asOf = new Date('2026-06-01T12:00:00Z')
const prod = { environment: 'prod', asOf, countingSince: asOf, obstacle: null, gaps: [] }
const port = { environment: 'prod', port: 'planes', major: 1, countedSince: new Date('2026-05-01T08:00:00Z') }

test('says since when each port is counted, and which is not yet', () => {
  const text = explainCoverage([port, { ...port, major: 2, countedSince: null }], [prod])
  assert.match(text, /^Counted are reads/)
  assert.match(
    text,
    /prod: planes v1 counted since 2026-05-01 08:00 UTC\. prod: planes v2 is counted from its next publication on\.$/,
  )
})

test('says why nothing is counted', () => {
  const text = explainCoverage([port], [{ ...prod, obstacle: 'pg_stat_statements is not loaded' }])
  assert.match(text, /prod: not counted: pg_stat_statements is not loaded\.$/)
  assert.match(explainCoverage([port], []), /prod: not counted yet\.$/)
  assert.equal(explainCoverage([], [prod]), 'Nothing is served yet, so nothing is counted.')
})

test('names the newest gaps and counts the others', () => {
  const gaps = [1, 2, 3, 4, 5].map((day) => ({
    from: `2026-05-0${day}T01:00:00.000Z`,
    to: `2026-05-0${day}T01:00:09.000Z`,
    why: 'lost',
  }))
  const text = explainCoverage([port], [{ ...prod, gaps }])
  assert.match(
    text,
    /missing from 2026-05-05 01:00:00 UTC to 2026-05-05 01:00:09 UTC: lost\..*2026-05-03.* and of 2 earlier times\.$/,
  )
  assert.doesNotMatch(text, /2026-05-02/)
})
