import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Incident, ServiceLevel } from '../../../client/types.ts'
import { renderIncident, renderIncidentTable, renderServiceLevels } from './service-levels.ts'
import type { Style } from './style.ts'

const style: Style = { width: 120, colour: false, zone: 'UTC', now: new Date('2026-03-01T13:17:00.000Z') }
const AT = '2026-03-01T11:05:00.000Z'

function level(change: Partial<ServiceLevel> & Pick<ServiceLevel, 'kind'>): ServiceLevel {
  return {
    environment: 'prod',
    port: 'planes',
    object: 'planes',
    name: change.kind,
    promise: 'readable, 99% of hours',
    state: 'met',
    since: AT,
    failing: false,
    target: 9900,
    value: 10_000,
    good: 480,
    evaluated: 480,
    unevaluated: 0,
    budget: { total: 4, used: 0, left: 4 },
    days: Array.from({ length: 20 }, () => ({ day: '2026-03-01', state: 'met', good: 24, bad: 0, unevaluated: 0 })),
    next: '5 more that are unreadable would breach it.',
    windowDays: 20,
    evaluatedAt: AT,
    incident: null,
    ...change,
  }
}

const incident: Incident = {
  number: 7,
  product: 'fleet/planes',
  environment: 'prod',
  slo: 'planes.planes freshness',
  state: 'open',
  severity: 'ticket',
  cause: { kind: 'run', what: 'Run 812 failed in dbt build.', next: 'heddle logs 812 --failed', run: 812 },
  openedAt: AT,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  messages: [
    { receiver: 'team', kind: 'email', change: 'opened', attempts: 1, deliveredAt: AT, problem: null, givenUp: false },
    {
      receiver: 'hook',
      kind: 'webhook',
      change: 'opened',
      attempts: 2,
      deliveredAt: null,
      problem: 'no answer in time',
      givenUp: false,
    },
  ],
  actions: { acknowledge: true },
}

test('levels: what holds, what is left, and one sentence for each that does not', () => {
  const lines = renderServiceLevels(
    [
      level({ kind: 'availability' }),
      level({
        kind: 'freshness',
        promise: 'at most 1d old, 95% of hours',
        state: 'at-risk',
        failing: true,
        value: 9604,
        good: 461,
        budget: { total: 24, used: 19, left: 5 },
        next: '6 hours more that are late would breach it.',
        incident: 7,
      }),
    ],
    style,
  )
  assert.deepEqual(lines, [
    'SLO           PROMISE                          NOW  COUNTED            BUDGET LEFT  STATE      20 DAYS',
    'availability  readable, 99% of hours          100%  480 hours, 0 bad   4 of 4       ok Met     ||||||||||||||||||||',
    'freshness     at most 1d old, 95% of hours  96.04%  480 hours, 19 bad  5 of 24      ! At risk  ||||||||||||||||||||',
    'freshness: 6 hours more that are late would breach it.  incident 7',
  ])
})

test('an incident says why, what next and who was told', () => {
  assert.deepEqual(renderIncident(incident, style), [
    'incident 7  FAIL Open',
    'cause  Run 812 failed in dbt build.',
    'next   heddle logs 812 --failed',
    'told   team by email, 2h ago; hook by webhook, not yet: no answer in time',
  ])
})

test('no line is wider than the terminal', () => {
  const many = [level({ kind: 'availability' }), level({ kind: 'freshness', state: 'breached', next: 'word '.repeat(40) })]
  for (const width of [60, 80, 200])
    for (const line of [
      ...renderServiceLevels(many, { ...style, width }),
      ...renderIncidentTable([incident], { ...style, width }),
      ...renderIncident({ ...incident, cause: { ...incident.cause, what: 'word '.repeat(60) } }, { ...style, width }),
    ])
      assert.ok([...line].length <= width, `${width}: ${line}`)
})
