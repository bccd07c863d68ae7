import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Run, RunEvent } from '../api/types.ts'
import { filterLines, firstError, linesOf } from './log-lines.ts'
import { applyEvent, servedAfterFailure } from './run-state.ts'

const event = (kind: string, data: Record<string, unknown>, step: string | null = null): RunEvent => ({
  id: 1,
  at: '2026-03-18T12:00:01Z',
  step,
  kind,
  data,
})
const base = {
  state: 'running',
  steps: [{ id: 'a', stage: 'ingest', state: 'running', attempt: 1, startedAt: 'x', endedAt: null }],
  nodes: [],
  served: null,
} as unknown as Run

test('events move a run forward only: the past that a stream starts with changes nothing', () => {
  const failed = { ...base, state: 'failed' } as Run
  assert.equal(applyEvent(failed, event('state', { state: 'running' })), failed)
  assert.equal(applyEvent(base, event('state', { state: 'succeeded' })).state, 'succeeded')
  assert.equal(applyEvent(base, event('state', { state: 'no such state' })), base)
  const done = applyEvent(base, event('step', { id: 'a', state: 'succeeded', outcome: '3 rows' }))
  assert.deepEqual(
    [done.steps[0]?.state, done.steps[0]?.outcome, done.steps[0]?.endedAt],
    ['succeeded', '3 rows', '2026-03-18T12:00:01Z'],
  )
  assert.equal(applyEvent(done, event('step', { id: 'a', state: 'running' })).steps[0]?.state, 'succeeded')
  assert.equal(applyEvent(done, event('step', { id: 'a', state: 'running', attempt: 2 })).steps[0]?.state, 'running')
})

test('a node is added, then finished, and a late start does not open it again', () => {
  const started = applyEvent(base, event('node', { name: 'n', status: 'started' }, 'a'))
  const ended = applyEvent(started, event('node', { name: 'n', status: 'success', endedAt: 'later' }, 'a'))
  assert.deepEqual([started.nodes.length, ended.nodes.length, ended.nodes[0]?.status], [1, 1, 'success'])
  assert.equal(applyEvent(ended, event('node', { name: 'n', status: 'started' }, 'a')), ended)
})

test('what consumers read is never told better than it is', () => {
  const failed = (stages: string[], served: string | null) =>
    servedAfterFailure({ ...base, served, steps: stages.map((stage) => ({ stage, state: 'succeeded' })) } as unknown as Run)
  assert.equal(failed(['ingest'], 'r12').title, 'Consumers still read r12')
  assert.match(failed(['ingest'], 'r12').detail, /No policy or grant changed/)
  assert.doesNotMatch(failed(['ingest', 'policies'], 'r12').detail, /No policy/)
  assert.equal(failed(['publish'], 'r12').title, 'The new data is served')
  assert.equal(failed([], null).title, 'Nothing is served yet')
})

test('log lines: several of one event, the first error, filters that add up', () => {
  const lines: ReturnType<typeof linesOf> = []
  for (const next of [
    event('log', { level: 'info', text: 'one\ntwo\n' }, 'a'),
    event('log', { level: 'error', text: 'Three' }, 'b'),
    event('state', {}),
  ])
    lines.push(...linesOf(next, lines.length + 1))
  assert.deepEqual(
    lines.map((line) => [line.number, line.text]),
    [
      [1, 'one'],
      [2, 'two'],
      [3, 'Three'],
    ],
  )
  assert.equal(firstError(lines)?.number, 3)
  assert.equal(filterLines(lines, { q: 'three' }).length, 1)
  assert.equal(filterLines(lines, { step: 'a', level: 'error' }).length, 0)
  assert.equal(filterLines(lines, { level: 'warn' }).length, 1)
  assert.equal(filterLines(lines, {}), lines)
})
