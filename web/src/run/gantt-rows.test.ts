import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Run, RunNode, RunStep } from '../api/types.ts'
import { createAxis, ganttOf, tickFor } from './gantt-rows.ts'

const ZERO = Date.parse('2026-03-18T12:22:13Z')
const at = (ms: number) => new Date(ZERO + ms).toISOString()

function step(
  id: string,
  stage: string,
  state: RunStep['state'],
  times: [number, number | null] | null = null,
  more: Partial<RunStep> = {},
): RunStep {
  const [from, to] = times ?? [null, null]
  return {
    id,
    stage,
    command: 'x',
    address: 'a/b',
    title: `title of ${id}`,
    risk: 'safe',
    because: '',
    dependsOn: [],
    state,
    attempt: 1,
    startedAt: from === null ? null : at(from),
    endedAt: to === null ? null : at(to),
    ms: from === null || to === null ? null : to - from,
    problem: null,
    outcome: null,
    ...more,
  }
}

function run(steps: RunStep[], more: Partial<Run> = {}): Run {
  return {
    number: 1,
    kind: 'deploy',
    product: 'a/b',
    environment: 'prod',
    state: 'running',
    by: 'dev',
    because: 'push',
    commit: null,
    step: null,
    problem: null,
    createdAt: at(0),
    startedAt: at(0),
    endedAt: null,
    ms: null,
    usualMs: null,
    steps,
    nodes: [],
    isolation: null,
    approvers: [],
    approvals: [],
    served: null,
    actions: { retry: false, cancel: true, undo: false, approve: false },
    ...more,
  }
}

const none = new Map<string, boolean>()
const names = (steps: RunStep[], more: Partial<Run> = {}, folds: ReadonlyMap<string, boolean> = none) =>
  ganttOf(run(steps, more), ZERO + 5_000, folds).rows.map((row) => `${'  '.repeat(row.level)}${row.name} ${row.state}`)

test('a stage of one step is that step; one of several folds once all are done', () => {
  const steps = [
    step('p1', 'provision', 'succeeded', [0, 500]),
    step('p2', 'provision', 'succeeded', [500, 1_000]),
    step('i', 'ingest', 'running', [1_000, null]),
  ]
  assert.deepEqual(names(steps), ['provision succeeded', 'ingest running'])
  assert.deepEqual(names(steps, {}, new Map([['provision', true]])), [
    'provision succeeded',
    '  title of p1 succeeded',
    '  title of p2 succeeded',
    'ingest running',
  ])
})

test('a stage opens by itself where it runs or failed, and the innermost failure is the culprit', () => {
  const steps = [step('p1', 'provision', 'succeeded', [0, 500]), step('p2', 'provision', 'failed', [500, 1_000])]
  const { rows } = ganttOf(run(steps, { state: 'failed' }), ZERO, none)
  assert.deepEqual(
    rows.map((row) => row.culprit),
    [false, false, true],
  )
  const node: RunNode = {
    step: 't',
    name: 'not_null',
    resource: 'test',
    status: 'fail',
    startedAt: at(0),
    endedAt: at(100),
    message: null,
  }
  const built = ganttOf(run([step('t', 'transform', 'failed', [0, 200])], { state: 'failed', nodes: [node] }), ZERO, none)
  assert.deepEqual(
    built.rows.map((row) => [row.name, row.culprit]),
    [
      ['transform', false],
      ['not_null', true],
    ],
  )
})

test('what did not run folds, three at most, and is skipped rather than queued once the run is over', () => {
  const steps = ['verify', 'policies', 'publish', 'monitors', 'catalog'].map((stage) => step(stage, stage, 'pending'))
  assert.deepEqual(names(steps), ['verify, policies, publish pending', 'monitors, catalog pending'])
  assert.deepEqual(names(steps, { state: 'failed' }), ['verify, policies, publish skipped', 'monitors, catalog skipped'])
  assert.equal(ganttOf(run(steps, { state: 'failed' }), ZERO, none).rows[0]?.note, 'nothing published')
})

test('a running step grows to now, and a clock that is behind makes no negative bar', () => {
  const steps = [step('i', 'ingest', 'running', [1_000, null])]
  assert.equal(ganttOf(run(steps), ZERO + 4_000, none).rows[0]?.took, 3_000)
  assert.equal(ganttOf(run(steps), ZERO - 4_000, none).rows[0]?.took, 0)
})

test('hours between two attempts are left out of the axis', () => {
  const hours = 3 * 3_600_000
  const steps = [step('i', 'ingest', 'succeeded', [0, 2_000]), step('t', 'transform', 'succeeded', [hours, hours + 3_000])]
  const gantt = ganttOf(run(steps, { state: 'succeeded' }), ZERO, none)
  assert.equal(gantt.leftOut, hours - 2_000)
  assert.deepEqual(
    gantt.rows.map((row) => [row.start, row.end]),
    [
      [0, 2_000],
      [2_000, 5_000],
    ],
  )
  assert.equal(gantt.tick, 1_000)
})

test('a run that waited long in the queue starts its axis at its first step', () => {
  const axis = createAxis([{ start: 100_000, end: 101_000 }], 0)
  assert.deepEqual(axis.place([{ start: 100_000, end: 101_000 }]), { start: 0, end: 1_000 })
})

test('the axis is the smallest round one that holds everything', () => {
  for (const [length, tick] of [
    [0, 50],
    [300, 50],
    [301, 100],
    [20_100, 4_000],
    [3_600_000, 600_000],
    [90 * 3_600_000, 15 * 3_600_000],
  ] as const)
    assert.equal(tickFor(length), tick, String(length))
})
