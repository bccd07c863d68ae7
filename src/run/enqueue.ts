import { sql } from 'kysely'
import { fail } from '../core/fail.ts'
import { newId } from '../core/id.ts'
import type { Plan } from '../plan/step.ts'
import { json, type Queries } from '../store/control.ts'
import { DEPLOY_KINDS, type RunKind } from '../store/schema.ts'

export type NewRun = {
  kind: RunKind
  product: string
  environment: string
  lane: string
  plan: Plan
  by: string
  because: string
  commit: string | null
  detail: Record<string, unknown>
  /** subjects of whom one must approve first; empty = starts at once */
  approvers?: string[]
  /** it also waits for these requests for access; their numbers are `detail.access` */
  held?: number[]
  /** nobody waits for it: it starts when nothing else wants to, one of its kind at a time */
  inBackground?: boolean
}

const BACKGROUND = -1

/**
 * Stores plan, run and steps and wakes the workers; part of the caller's transaction, so a run exists exactly when what asked for it does. In the
 * control lane an older deploy that has not started is superseded.
 */
export async function enqueueRun(queries: Queries, run: NewRun): Promise<{ id: string; number: number; superseded: number[] }> {
  await refuseRetired(queries, { ...run, retried: null })
  const superseded = DEPLOY_KINDS.includes(run.kind) ? await supersedeDeploys(queries, run) : []
  const id = newId()
  const plan = newId()
  await queries
    .insertInto('plan')
    .values({
      id: plan,
      kind: run.kind,
      product: run.product,
      environment: run.environment,
      world_hash: run.plan.worldHash,
      steps: json(run.plan.steps),
      affected: json(run.plan.affected),
    })
    .execute()
  const approvers = run.approvers ?? []
  const held = run.held ?? []
  const { number } = await queries
    .insertInto('run')
    .values({
      id,
      kind: run.kind,
      product: run.product,
      environment: run.environment,
      lane: run.lane,
      plan,
      state: approvers.length > 0 || held.length > 0 ? 'waiting' : 'queued',
      by: run.by,
      because: run.because,
      commit_id: run.commit,
      detail: json(held.length > 0 ? { ...run.detail, access: held } : run.detail),
      approvers,
      approvals: json([]),
      priority: run.inBackground ? BACKGROUND : 0,
    })
    .returning('number')
    .executeTakeFirstOrThrow()
  await queries
    .insertInto('step')
    .values(
      run.plan.steps.map((step, ordinal) => ({
        run: id,
        id: step.id,
        ordinal,
        stage: step.stage,
        command: step.command,
        address: step.address,
        title: step.title,
        args: json(step.args),
        depends_on: step.dependsOn,
        risk: step.risk,
        because: step.because,
      })),
    )
    .execute()
  await wake(queries)
  return { id, number, superseded }
}

/**
 * Nothing runs for a retired product but its restore, and nothing beside a retirement but the end of an agreement. Waits for a retirement that is being
 * asked for: it locks the product's row whole.
 * @throws PRODUCT_RETIRED, PRODUCT_RETIRING
 */
export async function refuseRetired(
  queries: Queries,
  run: Pick<NewRun, 'kind' | 'product'> & { retried: string | null },
): Promise<void> {
  const product = await queries
    .selectFrom('product')
    .select(['domain', 'name', 'state'])
    .where('id', '=', run.product)
    .forKeyShare()
    .executeTakeFirstOrThrow()
  const address = `${product.domain}/${product.name}`
  const goesOn = run.kind === 'retire' && run.retried !== null
  // what an undo leaves is marked retired too, and only the undo itself may go on with it
  if (product.state === 'retired' && run.kind !== 'restore' && run.kind !== 'undo' && !goesOn)
    throw fail('PRODUCT_RETIRED', { what: `${address} is retired`, fix: `Bring it back: heddle restore ${address}` })
  const other = await queries
    .selectFrom('run')
    .select(['number', 'kind'])
    .where('product', '=', run.product)
    .where('kind', 'in', ['retire', 'restore'])
    .where('state', 'in', ['waiting', 'queued', 'running'])
    .where('id', '<>', run.retried ?? '00000000-0000-0000-0000-000000000000')
    .executeTakeFirst()
  if (other && run.kind !== 'revoke')
    throw fail('PRODUCT_RETIRING', {
      what: `Run ${other.number} ${other.kind === 'retire' ? 'retires' : 'restores'} ${address}`,
      fix: `heddle logs ${other.number} -f`,
    })
}

/** Deploys that have not started are not wanted any more. @returns their numbers */
export async function supersedeDeploys(
  queries: Queries,
  run: Pick<NewRun, 'product' | 'environment' | 'lane'>,
): Promise<number[]> {
  const rows = await queries
    .updateTable('run')
    .set({ state: 'superseded', ended_at: sql<Date>`clock_timestamp()` })
    .where('product', '=', run.product)
    .where('environment', '=', run.environment)
    .where('lane', '=', run.lane)
    .where('kind', 'in', DEPLOY_KINDS)
    .where('state', 'in', ['queued', 'waiting'])
    // Started once and queued again by a retry: it holds finished steps, so it is not superseded silently.
    .where('started_at', 'is', null)
    .returning('number')
    .execute()
  return rows.map((row) => row.number)
}

export async function wake(queries: Queries): Promise<void> {
  await sql`select pg_notify('heddle_run', '')`.execute(queries)
}
