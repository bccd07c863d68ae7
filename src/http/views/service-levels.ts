import type { z } from 'zod'
import { formatDuration } from '../../core/duration.ts'
import type { IncidentRow } from '../../observe/incidents.ts'
import { type LevelRow, shownState } from '../../observe/levels.ts'
import type { NotificationRow } from '../../observe/notifications.ts'
import { DAY_MS } from '../../slo/window.ts'
import type { ServiceLevel as SpecLevel } from '../../spec/types.ts'
import type * as shapes from '../schemas.ts'

const NOTHING = {
  failing: false,
  value: null,
  good: 0,
  evaluated: 0,
  unevaluated: 0,
  budget: { total: 0, used: 0, left: 0 },
  days: [],
}

export function serviceLevelView(row: LevelRow, incident: number | null, now: Date): z.infer<typeof shapes.ServiceLevel> {
  const { level, evaluation } = row
  const state = shownState(row, now)
  const {
    state: _state,
    next,
    ...verdict
  } = evaluation?.verdict ?? { ...NOTHING, state, next: 'It is measured within the minute.' }
  return {
    environment: row.environment,
    port: row.port,
    object: row.object,
    kind: row.kind,
    name: level.name,
    promise: promiseOf(level),
    state,
    since: evaluation?.since.toISOString() ?? null,
    target: Math.round(level.target * 1_000_000) / 100,
    ...verdict,
    next: state === evaluation?.state || !evaluation ? next : 'Nobody evaluates it at the moment; the platform team is told.',
    windowDays: Math.round(level.windowMs / DAY_MS),
    evaluatedAt: evaluation?.at.toISOString() ?? null,
    incident,
  }
}

function promiseOf(level: SpecLevel): string {
  const share = `${Math.round(level.target * 1e6) / 1e4}%`
  if (level.kind === 'availability') return `readable, ${share} of hours`
  if (level.kind === 'freshness') return `at most ${formatDuration(level.thresholdMs)} old, ${share} of hours`
  const within = `${Math.round(level.within * 1e6) / 1e4}%`
  const what = level.of === 'delta' ? 'new rows' : 'rows'
  return `${what} within ${within} of the ${level.against === 'last' ? 'last update' : 'mean'}, ${share} of updates`
}

export function incidentView(
  row: IncidentRow,
  {
    product,
    messages,
    mayAcknowledge,
  }: { product: string | null; messages: readonly NotificationRow[]; mayAcknowledge: boolean },
): z.infer<typeof shapes.Incident> {
  return {
    number: row.number,
    product,
    environment: row.environment,
    slo: row.slo,
    state: row.state,
    severity: row.severity,
    cause: row.cause,
    openedAt: row.opened_at.toISOString(),
    acknowledgedAt: row.acknowledged_at?.toISOString() ?? null,
    acknowledgedBy: row.acknowledged_by,
    resolvedAt: row.resolved_at?.toISOString() ?? null,
    messages: messages.map((message) => ({
      receiver: message.receiver,
      kind: message.destination.kind,
      change: message.change,
      attempts: message.attempts,
      deliveredAt: message.delivered_at?.toISOString() ?? null,
      problem: message.problem,
      givenUp: message.given_up_at !== null,
    })),
    actions: { acknowledge: mayAcknowledge && row.state === 'open' },
  }
}
