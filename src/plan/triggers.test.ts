import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type News, type TriggerDefinition } from './triggers.ts'

const NOW = new Date('2026-11-23T12:00:00Z')
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000)
const published = (...seconds: number[]): News => ({ first: ago(Math.max(...seconds)), last: ago(Math.min(...seconds)) })
const events = (more: Partial<NonNullable<TriggerDefinition['events']>> = {}): TriggerDefinition['events'] => ({
  match: 'all',
  debounceMs: 0,
  maxWaitMs: null,
  inputs: ['left', 'right'],
  ...more,
})
type Facts = { left?: News; right?: News; other?: News; nextDue?: Date | null }
const verdict = (definition: Partial<TriggerDefinition>, { nextDue = null, ...news }: Facts) => {
  const all = { left: null, right: null, ...news }
  const { fire, ...rest } = judge({ events: null, onlyProducts: true, ...definition }, { now: NOW, nextDue, news: all })
  return fire ? ('by' in rest ? `${rest.by}${rest.complete ? '' : ' incomplete'}` : '') : 'skipped' in rest ? 'skipped' : 'no'
}

const CASES: [name: string, definition: Partial<TriggerDefinition>, facts: Facts, expected: string][] = [
  ['nothing new, nothing due', { events: events() }, {}, 'no'],
  ['a diamond: one side is not enough', { events: events() }, { left: published(1) }, 'no'],
  ['a diamond: both sides are one run', { events: events() }, { left: published(3), right: published(1) }, 'events'],
  ['a source twice is still one side', { events: events() }, { left: published(9, 1) }, 'no'],
  ['any: one side is enough', { events: events({ match: 'any' }) }, { left: published(1) }, 'events incomplete'],
  ['any: an input that is not a source', { events: events({ match: 'any', inputs: ['left'] }) }, { right: published(1) }, 'no'],
  ['debounce: not quiet yet', { events: events({ match: 'any', debounceMs: 5_000 }) }, { left: published(9, 2) }, 'no'],
  ['debounce: quiet', { events: events({ match: 'any', debounceMs: 5_000 }) }, { left: published(9, 5) }, 'events incomplete'],
  [
    'never quiet: at the latest after maxWait',
    { events: events({ debounceMs: 5_000, maxWaitMs: 60_000 }) },
    { left: published(60, 1), right: published(2) },
    'events',
  ],
  ['all: waits for the other side', { events: events({ maxWaitMs: 60_000 }) }, { left: published(59) }, 'no'],
  ['all: maxWait, then without it', { events: events({ maxWaitMs: 60_000 }) }, { left: published(60) }, 'events incomplete'],
  ['clock: not yet', {}, { nextDue: ago(-1), left: published(1) }, 'no'],
  ['clock: nothing newer, no run', { events: events() }, { nextDue: ago(0) }, 'skipped'],
  ['clock: one side after all', { events: events() }, { nextDue: ago(0), left: published(1) }, 'clock incomplete'],
  [
    'clock: an input that is not a source',
    { events: events({ inputs: ['left'] }) },
    { nextDue: ago(0), other: published(1) },
    'clock incomplete',
  ],
  [
    'clock: sources of its own may always have something',
    { onlyProducts: false },
    { nextDue: ago(86_400 * 30) },
    'clock incomplete',
  ],
  ['events come before the clock', { events: events() }, { nextDue: ago(0), left: published(1), right: published(1) }, 'events'],
]

for (const [name, definition, facts, expected] of CASES) test(name, () => assert.equal(verdict(definition, facts), expected))

test('what waits says until when', () => {
  const found = judge(
    { events: events({ maxWaitMs: 60_000 }), onlyProducts: true },
    { now: NOW, nextDue: null, news: { left: published(20), right: null } },
  )
  assert.deepEqual(found, { fire: false, lookAgain: new Date(NOW.getTime() + 40_000) })
})
