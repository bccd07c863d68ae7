import { sql } from 'kysely'
import { fail } from '../core/fail.ts'
import { json, type Queries } from '../store/control.ts'
import { type Approval, DEPLOY_KINDS, type RunState } from '../store/schema.ts'
import { refuseRetired, wake } from './enqueue.ts'

export type RunControlRow = {
  id: string
  number: number
  state: RunState
  product: string
  environment: string
  by: string
  approvers: string[]
  approvals: Approval[]
  detail: Record<string, unknown>
}

export async function lockRun(queries: Queries, number: number): Promise<RunControlRow> {
  const row = await queries
    .selectFrom('run')
    .select(['id', 'number', 'state', 'product', 'environment', 'by', 'approvers', 'approvals', 'detail'])
    .where('number', '=', number)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw fail('RUN_UNKNOWN', { what: `There is no run ${number}`, fix: 'heddle runs' })
  return row
}

/** Queues the run again; finished steps stay finished, the failed one starts anew. @throws RUN_STATE_WRONG, RUN_SUPERSEDED */
export async function retryRun(queries: Queries, id: string, by: string): Promise<void> {
  const run = await queries
    .selectFrom('run')
    .select(['number', 'kind', 'state', 'product', 'environment', 'lane', 'approvers', 'detail', 'started_at'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (run.state !== 'failed' && run.state !== 'cancelled')
    throw fail('RUN_STATE_WRONG', { what: `Run ${run.number} is ${run.state}; only a failed or cancelled run is retried` })
  const newer = await queries
    .selectFrom('run')
    .select('number')
    .where('product', '=', run.product)
    .where('environment', '=', run.environment)
    .where('number', '>', run.number)
    .where(({ and, eb, or }) =>
      or([
        and([
          eb('kind', 'in', DEPLOY_KINDS.includes(run.kind) ? DEPLOY_KINDS : [run.kind]),
          eb('lane', '=', run.lane),
          eb('state', 'in', ['queued', 'running', 'succeeded', 'waiting']),
        ]),
        // a refresh repeats the release it was planned from, so a later one ends it too
        and([
          eb.lit(run.kind === 'refresh'),
          eb('kind', 'in', ['deploy', 'promote', 'rollback']),
          eb('state', 'in', ['queued', 'running', 'succeeded']),
        ]),
      ]),
    )
    .executeTakeFirst()
  if (newer && run.kind !== 'grant' && run.kind !== 'revoke')
    throw fail('RUN_SUPERSEDED', {
      what: `Run ${newer.number} has replaced run ${run.number}`,
      fix: `heddle logs ${newer.number}`,
    })
  await refuseRetired(queries, { kind: run.kind, product: run.product, retried: id })
  await queries
    .updateTable('step')
    .set({ state: 'pending', problem: null })
    .where('run', '=', id)
    .where('state', 'in', ['failed', 'cancelled'])
    .execute()
  // Cancelled while it waited for its approval, it waits again, for the same people, as what it was: a retry approves nothing.
  const isApproved = run.started_at !== null || run.approvers.length === 0 || run.detail.approved === true
  const state = isApproved
    ? { state: 'queued' as const, by }
    : { state: 'waiting' as const, detail: json({ ...run.detail, access: [] }) }
  await queries
    .updateTable('run')
    .set({ ...state, problem: null, ended_at: null, cancel_by: null })
    .where('id', '=', id)
    .execute()
  await wake(queries)
}

/** A queued or waiting run ends at once; a running one is told to. */
export async function cancelRun(queries: Queries, run: RunControlRow, by: string): Promise<void> {
  if (run.state === 'running') await queries.updateTable('run').set({ cancel_by: by }).where('id', '=', run.id).execute()
  else if (run.state === 'queued' || run.state === 'waiting') {
    await queries
      .updateTable('run')
      .set({ state: 'cancelled', cancel_by: by, ended_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', run.id)
      .execute()
  } else throw fail('RUN_STATE_WRONG', { what: `Run ${run.number} is ${run.state}; there is nothing to cancel` })
  await wake(queries)
}

/** Records the decision on a run that waits for approval. */
export async function decideRun(queries: Queries, run: RunControlRow, approval: Approval, met: boolean): Promise<void> {
  const approvals = json([...run.approvals, approval])
  // It may also wait for access to its inputs (held-runs.ts).
  const isHeld = ((run.detail.access as number[] | undefined) ?? []).length > 0
  if (approval.decision === 'denied') {
    await queries
      .updateTable('run')
      .set({ state: 'denied', approvals, ended_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', run.id)
      .execute()
  } else {
    await queries
      .updateTable('run')
      .set({
        approvals,
        ...(met && { detail: json({ ...run.detail, approved: true }), ...(!isHeld && { state: 'queued' as const }) }),
      })
      .where('id', '=', run.id)
      .execute()
  }
  await wake(queries)
}
