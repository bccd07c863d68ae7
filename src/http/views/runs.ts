import type { z } from 'zod'
import type { EventRow, RunListRow, StepDetail } from '../../run/read-runs.ts'
import type * as shapes from '../schemas.ts'

type RunSummary = z.infer<typeof shapes.RunSummary>

export const iso = (date: Date | null): string | null => (date ? date.toISOString() : null)

export function runSummary(row: RunListRow): RunSummary {
  return {
    number: row.number,
    kind: row.kind,
    product: `${row.domain}/${row.name}`,
    environment: row.environment,
    state: row.state,
    by: row.by,
    because: row.because,
    commit: row.commit_id,
    step: row.step,
    problem: row.problem as RunSummary['problem'],
    createdAt: row.created_at.toISOString(),
    startedAt: iso(row.started_at),
    endedAt: iso(row.ended_at),
    ms: took(row.started_at, row.ended_at),
    usualMs: row.usual_ms === null ? null : Math.round(row.usual_ms),
  }
}

export function runStep(step: StepDetail, usualMs: number | null): z.infer<typeof shapes.RunStep> {
  return {
    id: step.id,
    stage: step.stage,
    command: step.command,
    address: step.address,
    title: step.title,
    risk: step.risk,
    because: step.because,
    dependsOn: step.depends_on,
    state: step.state,
    attempt: step.attempt,
    startedAt: iso(step.started_at),
    endedAt: iso(step.ended_at),
    ms: took(step.started_at, step.ended_at),
    usualMs,
    problem: step.problem as RunSummary['problem'],
    outcome: typeof step.result?.outcome === 'string' ? step.result.outcome : null,
  }
}

/** Node events in order, folded into one row per dbt node. */
export function runNodes(events: readonly EventRow[]): z.infer<typeof shapes.RunNode>[] {
  const nodes = new Map<string, z.infer<typeof shapes.RunNode>>()
  for (const { step, data } of events) {
    const key = String(data.node)
    const before = nodes.get(key)
    nodes.set(key, {
      step: step ?? '',
      name: String(data.name),
      resource: String(data.resource ?? before?.resource ?? ''),
      status: String(data.status),
      startedAt: (data.startedAt as string | undefined) ?? before?.startedAt ?? null,
      endedAt: (data.endedAt as string | undefined) ?? null,
      message: (data.message as string | null | undefined) ?? null,
    })
  }
  return [...nodes.values()]
}

function took(from: Date | null, to: Date | null): number | null {
  return from && to ? to.getTime() - from.getTime() : null
}
