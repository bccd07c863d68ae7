import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { budgetOf } from './budget.ts'
import { evaluate } from './evaluate.ts'
import { judgeUpdate } from './judge-update.ts'
import type { Level, Outcome, Series, Slice } from './level.ts'
import { DAY_MS, HOUR_MS, inWindow, sliceStart } from './window.ts'

const NOW = Date.UTC(2026, 2, 25, 13, 20)
const availability: Level = { kind: 'availability', target: 0.99, windowMs: 20 * DAY_MS }
const freshness: Level = { kind: 'freshness', target: 0.95, windowMs: 20 * DAY_MS, thresholdMs: DAY_MS }
const completeness = {
  kind: 'completeness',
  target: 0.95,
  windowMs: 20 * DAY_MS,
  within: 0.05,
  against: 'mean',
  minimum: 5,
} as const

/** Hourly slices, the last one is the current hour. */
function hours(outcomes: readonly Outcome[], now = NOW): Slice[] {
  return outcomes.map((outcome, at) => ({ outcome, start: sliceStart(now) - (outcomes.length - 1 - at) * HOUR_MS }))
}
const many = (n: number, outcome: Outcome = 'good'): Outcome[] => Array.from({ length: n }, () => outcome)
const series = (slices: Slice[], more: Partial<Series> = {}): Series => ({
  slices,
  since: slices[0]?.start ?? NOW,
  current: null,
  paused: false,
  ...more,
})

test('the states, each from its hours', () => {
  const cases: [string, Level, Series, string][] = [
    ['all good', availability, series(hours(many(480))), 'met'],
    ['four of 480 bad hours are the whole budget', availability, series(hours([...many(4, 'bad'), ...many(476)])), 'at-risk'],
    ['five are more', availability, series(hours([...many(5, 'bad'), ...many(475)])), 'breached'],
    ['one bad hour, over', availability, series(hours([...many(1, 'bad'), ...many(479)])), 'met'],
    ['bad now', availability, series(hours([...many(479), 'bad'])), 'at-risk'],
    ['a first day', availability, series(hours(many(23))), 'gathering'],
    ['a first day with a bad end', availability, series(hours([...many(5), 'bad'])), 'at-risk'],
    [
      'a young product may lose what its first window may lose',
      availability,
      series(hours([...many(2, 'bad'), ...many(40)])),
      'at-risk',
    ],
    ['not measured for two hours', availability, series(hours([...many(100), 'missing', 'missing'])), 'not-evaluated'],
    ['the probe fails', availability, series(hours([...many(100), 'error', 'error'])), 'not-evaluated'],
    ['nobody wrote anything for two hours', availability, series(hours(many(100), NOW - 2 * HOUR_MS)), 'not-evaluated'],
    ['an hour not measured yet is no silence', availability, series(hours(many(100), NOW - HOUR_MS)), 'met'],
    ['a planned stop is no silence', availability, series(hours([...many(100), ...many(9, 'excluded')])), 'met'],
    ['late by the clock, before any slice says so', freshness, series(hours(many(100)), { current: 'bad' }), 'at-risk'],
    ['fresh again, though the slice was bad', freshness, series(hours([...many(479), 'bad']), { current: 'good' }), 'met'],
    ['paused', freshness, series(hours(many(10, 'bad')), { paused: true }), 'paused'],
    ['never measured', availability, series([], { since: NOW - 3 * HOUR_MS }), 'no-data'],
    ['just made', availability, series([], { since: NOW }), 'gathering'],
    ['no update yet', completeness, series([], { since: NOW }), 'gathering'],
    ['no update in the window', completeness, series([], { since: NOW - 30 * DAY_MS }), 'no-data'],
    ['no baseline yet', completeness, series(hours(many(4, 'excluded'))), 'gathering'],
    ['judged', completeness, series(hours([...many(5, 'excluded'), 'good'])), 'met'],
    ['the newest update is short', completeness, series(hours([...many(5, 'excluded'), ...many(20), 'bad'])), 'at-risk'],
  ]
  for (const [what, level, given, expected] of cases) assert.equal(evaluate(level, given, NOW).state, expected, what)
})

test('what fails now is told apart from what the window lost', () => {
  const lost = series(hours([...many(30, 'bad'), ...many(450)]))
  assert.deepEqual([evaluate(freshness, lost, NOW).state, evaluate(freshness, lost, NOW).failing], ['breached', false])
  assert.equal(evaluate(freshness, { ...lost, current: 'bad' }, NOW).failing, true)
})

test('the window holds 480 hours and drops the oldest', () => {
  const slices = hours(['bad', ...many(480)])
  assert.equal(inWindow(availability, slices, NOW).length, 480)
  assert.equal(evaluate(availability, series(slices), NOW).good, 480)
  assert.equal(evaluate(availability, series(slices), NOW).value, 10_000)
})

test('budgets are whole: 1 bad of 10 at 90 %, 1 of 20 at 95 %', () => {
  const level = (target: number, hoursLong: number): Level => ({ kind: 'availability', target, windowMs: hoursLong * HOUR_MS })
  assert.equal(budgetOf(level(0.9, 10), hours(many(10))).total, 1)
  assert.equal(budgetOf(level(0.95, 20), hours(many(20))).total, 1)
  assert.equal(budgetOf(level(0.99, 480), hours(many(480))).total, 4)
  assert.equal(budgetOf(level(1, 480), hours(many(480))).total, 0)
})

test('the strip has 20 days; a day says what it held', () => {
  const { days } = evaluate(freshness, series(hours([...many(24, 'missing'), ...many(24), ...many(13), 'bad'])), NOW)
  assert.equal(days.length, 20)
  assert.deepEqual(days.at(-1), { day: '2026-03-25', state: 'breached', good: 13, bad: 1, unevaluated: 0, replayed: 0 })
  assert.deepEqual(
    days.slice(-4).map(({ state }) => state),
    ['no-data', 'not-evaluated', 'met', 'breached'],
  )
})

test('a day says how much of it was replayed, and never counts what was not measured', () => {
  const slices = hours(many(14)).map((slice, at) => ({
    ...slice,
    replayed: at < 10,
    outcome: at === 0 ? ('missing' as const) : slice.outcome,
  }))
  assert.deepEqual(evaluate(freshness, series(slices), NOW).days.at(-1)!.replayed, 9)
})

test('a level without a baseline says how many updates it has and needs', () => {
  const { state, next } = evaluate(completeness, series(hours(many(3, 'excluded'))), NOW)
  assert.deepEqual([state, next], ['gathering', 'It needs 5 updates to compare with and has 3; the next after them is judged.'])
})

const outcome = fc.constantFrom<Outcome>('good', 'bad', 'error', 'missing', 'excluded')
const target = fc.integer({ min: 500_000, max: 1_000_000 }).map((n) => n / 1_000_000)

test('property: in a full window, breached is exactly "share below target"', () => {
  fc.assert(
    fc.property(fc.array(outcome, { minLength: 48, maxLength: 48 }), target, (outcomes, goal) => {
      const level: Level = { kind: 'availability', target: goal, windowMs: 48 * HOUR_MS }
      // the newest hour is measured, so that silence does not come first
      const slices = hours([...outcomes.slice(1), 'good'])
      const { state, good, evaluated } = evaluate(level, series(slices), NOW)
      const below = BigInt(good) * 1_000_000n < BigInt(evaluated) * BigInt(Math.round(goal * 1_000_000))
      assert.equal(state === 'breached', below)
    }),
  )
})

test('property: order, repetition of the question and hours nobody measured change no figure', () => {
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 480 }), (outcomes) => {
      const slices = hours(outcomes)
      const verdict = evaluate(availability, series(slices, { since: 0 }), NOW)
      assert.deepEqual(evaluate(availability, series(slices.toReversed(), { since: 0 }), NOW), verdict)
      const known = slices.filter((slice) => slice.outcome === 'good' || slice.outcome === 'bad')
      const { good, evaluated, value } = evaluate(availability, series(known, { since: 0 }), NOW)
      assert.deepEqual({ good, evaluated, value }, { good: verdict.good, evaluated: verdict.evaluated, value: verdict.value })
    }),
  )
})

test('property: nothing evaluated is never shown as well, and 100 % means all', () => {
  fc.assert(
    fc.property(fc.array(outcome, { maxLength: 480 }), (outcomes) => {
      const { state, value, good, evaluated } = evaluate(availability, series(hours(outcomes)), NOW)
      if (evaluated === 0) assert.ok(value === null && state !== 'met')
      else assert.equal(value === 10_000, good === evaluated)
    }),
  )
})

test('property: a bad hour never helps', () => {
  fc.assert(
    fc.property(fc.array(outcome, { minLength: 1, maxLength: 480 }), fc.nat(), (outcomes, which) => {
      const at = which % outcomes.length
      if (outcomes[at] !== 'good') return
      const before = evaluate(availability, series(hours(outcomes)), NOW)
      const after = evaluate(availability, series(hours(outcomes.with(at, 'bad'))), NOW)
      assert.ok(after.value! <= before.value!)
      assert.equal(after.budget.left, before.budget.left - 1)
    }),
  )
})

test('an update is judged against the mean, or the one before', () => {
  const days = (values: number[]) => values.map((value, at) => ({ at: NOW + at * DAY_MS, value }))
  const judge = (
    level: typeof completeness | (Omit<typeof completeness, 'against' | 'minimum'> & { against: 'last'; minimum: 1 }),
    values: number[],
  ) => judgeUpdate(level, days(values).slice(0, -1), days(values).at(-1)!)
  assert.equal(judge(completeness, [100, 100, 100, 100, 95]), 'excluded')
  assert.equal(judge(completeness, [100, 100, 100, 100, 100, 95]), 'good')
  assert.equal(judge(completeness, [100, 100, 100, 100, 100, 94]), 'bad')
  assert.equal(judge(completeness, [0, 0, 0, 0, 0, 0]), 'good')
  assert.equal(judge(completeness, [90, 110, 100, 100, 100, 95]), 'good')
  const last = { ...completeness, against: 'last', minimum: 1 } as const
  assert.equal(judge(last, [100]), 'excluded')
  assert.equal(judge(last, [1_000, 100, 95]), 'good')
  assert.equal(judge(last, [10, 100, 94]), 'bad')
  // a table that shrinks as it always did is complete
  assert.equal(judge(completeness, [-10, -10, -10, -10, -10, -10]), 'good')
  assert.equal(judge(completeness, [-10, -10, -10, -10, -10, -11]), 'bad')
})

test('property: updates are judged exactly, also beyond 2^53', () => {
  const rows = fc.integer({ min: 0, max: 2 ** 45 })
  fc.assert(
    fc.property(fc.array(rows, { minLength: 5, maxLength: 12 }), rows, (values, value) => {
      const earlier = values.map((each, at) => ({ at: NOW + at, value: each }))
      const mean = values.reduce((sum, each) => sum + BigInt(each), 0n)
      const wanted = BigInt(value) * BigInt(values.length) * 100n >= mean * 95n
      assert.equal(judgeUpdate(completeness, earlier, { at: NOW + 100, value }), wanted ? 'good' : 'bad')
    }),
  )
})
