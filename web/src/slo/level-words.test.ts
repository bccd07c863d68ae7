import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceLevel } from '../api/types.ts'
import { budgetWords, dayWords, isReplayed, leftShare, worstLevel } from './level-words.ts'

const day = (good: number, bad: number, unevaluated = 0, replayed = 0): ServiceLevel['days'][number] => ({
  day: '2026-03-01',
  state: 'met',
  good,
  bad,
  unevaluated,
  replayed,
})
const hours = { kind: 'freshness' } as const
const updates = { kind: 'completeness' } as const
const level = (state: ServiceLevel['state'], total: number, left: number) =>
  ({ state, name: `${state} ${left}/${total}`, budget: { total, used: total - left, left } }) as ServiceLevel

test('a day says what was measured, what was not, and what was replayed', () => {
  assert.equal(dayWords(hours, day(23, 1)), '23 of 24 hours good')
  assert.equal(dayWords(updates, day(1, 0)), '1 of 1 update good')
  assert.equal(dayWords(hours, day(20, 0, 4)), '20 of 20 hours good, 4 not measured')
  assert.equal(dayWords(hours, day(0, 0, 24)), '24 hours not measured')
  assert.equal(dayWords(hours, day(0, 0)), 'no data')
  assert.equal(dayWords(hours, day(24, 0, 0, 24)), '24 of 24 hours good, replayed')
  assert.equal(dayWords(hours, day(24, 0, 0, 6)), '24 of 24 hours good, 6 replayed')
  // An hour that was not measured is not one that was replayed.
  assert.equal(isReplayed(day(0, 0, 24)), false)
})

test('a budget names its unit, also where there is nothing to spend', () => {
  assert.equal(budgetWords({ ...updates, budget: { total: 1, used: 1, left: 0 } }), '1 of 1 update used')
  assert.equal(budgetWords({ ...hours, budget: { total: 4, used: 1, left: 3 } }), '1 of 4 h used')
  assert.equal(budgetWords({ ...hours, budget: { total: 0, used: 0, left: 0 } }), 'none to spend')
  assert.equal(budgetWords({ ...hours, budget: { total: 0, used: 2, left: -2 } }), '2 hours too many')
  assert.equal(leftShare({ budget: { total: 4, used: 6, left: -2 } }), 0)
  assert.equal(leftShare({ budget: { total: 0, used: 0, left: 0 } }), null)
})

test('the worst state is told first, then the smallest rest of a budget', () => {
  assert.equal(worstLevel([]), null)
  assert.equal(worstLevel([level('met', 4, 4), level('met', 4, 1), level('met', 0, 0)])?.name, 'met 1/4')
  assert.equal(worstLevel([level('met', 4, 0), level('breached', 4, 4), level('at-risk', 4, 0)])?.name, 'breached 4/4')
})
