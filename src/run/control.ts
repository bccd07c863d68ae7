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
    .select(['number', 'kind', 'state', 'product', 'environment', 'lane'])
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
    .where('lane', '=', run.lane)
    .where('kind', 'in', DEPLOY_KINDS.includes(run.kind) ? DEPLOY_KINDS : [run.kind])
    .where('number', '>', run.number)
    .where('state', 'in', ['queued', 'running', 'succeeded', 'waiting'])
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
  await queries
    .updateTable('run')
    .set({ state: 'queued', problem: null, ended_at: null, cancel_by: null, by })
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
        ...(met && (isHeld ? { detail: json({ ...run.detail, approved: true }) } : { state: 'queued' as const })),
      })
      .where('id', '=', run.id)
      .execute()
  }
  await wake(queries)
}
