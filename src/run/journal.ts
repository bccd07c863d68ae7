import { sql, type UpdateObject } from 'kysely'
import type { Problem } from '../core/fail.ts'
import { fail } from '../core/fail.ts'
import type { Step } from '../plan/step.ts'
import { json, type Queries } from '../store/control.ts'
import type { Database, RunState, StepState } from '../store/schema.ts'
import type { CommandResult, RunFacts } from './command.ts'

/** Every write below names the epoch it was claimed with; the database refuses a worker that lost its lease. */
export type Claim = { run: string; epoch: number; cancelBy?: string | null }
export type StepRow = Step & { state: StepState; attempt: number; result: CommandResult | null }

export const LEASE_SECONDS = 10

/**
 * Takes the oldest run that may start: queued with a free lane, or running with a lease that ended. Runs in the background come last, and one at a time:
 * whoever pushes meanwhile finds a place.
 */
export async function claimRun(queries: Queries, worker: string, lane: string | null = null): Promise<Claim | null> {
  const claimed = await sql<{ id: string; epoch: number; cancel_by: string | null }>`
    update run set state = 'running', owner = ${worker}, epoch = nextval('run_epoch'),
      lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}),
      started_at = coalesce(started_at, clock_timestamp()), problem = null, ended_at = null
    where id = (
      select q.id from run q
      where (${lane}::text is null or q.lane = ${lane}) and ((q.state = 'queued' and not exists (
          select from run a where a.product = q.product and a.environment = q.environment and a.state = 'running'
            and (a.lane = q.lane or (a.lane in ('control', 'data') and q.lane in ('control', 'data'))))
          and (q.priority >= 0 or not exists (select from run b where b.state = 'running' and b.priority < 0)))
        or (q.state = 'running' and q.lease_until < clock_timestamp()))
      order by q.priority desc, q.number for update skip locked limit 1)
    returning id, epoch, cancel_by`
    .execute(queries)
    .catch((error: { code?: string }) => {
      // Two workers chose two runs of one lane at once: the unique index let one through, the other looks again.
      if (error.code === '23505') return { rows: [] }
      throw error
    })
  const row = claimed.rows[0]
  return row ? { run: row.id, epoch: row.epoch, cancelBy: row.cancel_by } : null
}

export async function renewLease(queries: Queries, claim: Claim): Promise<{ held: boolean; cancelBy: string | null }> {
  const row = await queries
    .updateTable('run')
    .set({ lease_until: sql<Date>`clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})` })
    .where('id', '=', claim.run)
    .where('epoch', '=', claim.epoch)
    .where('state', '=', 'running')
    .returning('cancel_by')
    .executeTakeFirst()
  return { held: row !== undefined, cancelBy: row?.cancel_by ?? null }
}

export async function readRun(queries: Queries, id: string): Promise<RunFacts> {
  const row = await queries
    .selectFrom('run')
    .innerJoin('product', 'product.id', 'run.product')
    .select([
      'run.id',
      'run.number',
      'run.kind',
      'run.lane',
      'run.environment',
      'run.commit_id',
      'run.by',
      'run.epoch',
      'run.detail',
    ])
    .select(['product.id as productId', 'product.domain', 'product.name', 'product.uid', 'product.title'])
    .where('run.id', '=', id)
    .executeTakeFirstOrThrow()
  return {
    id: row.id,
    number: row.number,
    kind: row.kind,
    lane: row.lane,
    product: { id: row.productId, domain: row.domain, product: row.name, uid: row.uid, title: row.title },
    environment: row.environment,
    commit: row.commit_id,
    by: row.by,
    epoch: row.epoch,
    detail: row.detail,
  }
}

export async function readSteps(queries: Queries, run: string): Promise<StepRow[]> {
  const rows = await queries.selectFrom('step').selectAll().where('run', '=', run).orderBy('ordinal').execute()
  const plan = await queries
    .selectFrom('run')
    .innerJoin('plan', 'plan.id', 'run.plan')
    .select('plan.steps')
    .where('run.id', '=', run)
    .executeTakeFirstOrThrow()
  const planned = new Map(plan.steps.map((step) => [step.id, step]))
  return rows.map((row) => ({
    ...planned.get(row.id)!,
    args: row.args,
    state: row.state,
    attempt: row.attempt,
    result: row.result,
  }))
}

/** Intent, before the effect. */
export async function intend(queries: Queries, claim: Claim, step: string): Promise<void> {
  await changeStep(queries, claim, step, {
    state: 'running',
    epoch: claim.epoch,
    attempt: sql<number>`attempt + 1`,
    started_at: sql<Date>`clock_timestamp()`,
    ended_at: null,
    problem: null,
  })
}

/** Result, after the effect; the resource the step stands for enters the inventory in the same transaction. */
export async function conclude(queries: Queries, claim: Claim, run: RunFacts, step: Step, result: CommandResult): Promise<void> {
  await changeStep(queries, claim, step.id, { state: 'succeeded', result: json(result), ended_at: sql<Date>`clock_timestamp()` })
  if (!step.resource) return
  await queries
    .insertInto('inventory')
    .values({
      environment: (step.args.environment as string | undefined) ?? run.environment,
      address: step.address,
      product: run.product.id,
      kind: step.resource.kind,
      input_hash: step.resource.inputHash,
      observed: json(result),
      run: run.id,
    })
    .onConflict((conflict) =>
      conflict.columns(['environment', 'address']).doUpdateSet((row) => ({
        kind: row.ref('excluded.kind'),
        input_hash: row.ref('excluded.input_hash'),
        observed: row.ref('excluded.observed'),
        run: row.ref('excluded.run'),
        product: row.ref('excluded.product'),
        generation: sql<number>`inventory.generation + 1`,
        updated_at: sql<Date>`now()`,
      })),
    )
    .execute()
}

export async function failStep(
  queries: Queries,
  claim: Claim,
  step: string,
  problem: Problem,
  state: 'failed' | 'cancelled',
): Promise<void> {
  await changeStep(queries, claim, step, { state, problem: json(problem), ended_at: sql<Date>`clock_timestamp()` })
}

export async function finishRun(
  queries: Queries,
  claim: Claim,
  state: Extract<RunState, 'succeeded' | 'failed' | 'cancelled'>,
  problem: Problem | null,
): Promise<void> {
  const done = await queries
    .updateTable('run')
    .set({ state, problem: problem && json(problem), ended_at: sql<Date>`clock_timestamp()`, lease_until: null, owner: null })
    .where('id', '=', claim.run)
    .where('epoch', '=', claim.epoch)
    .where('state', '=', 'running')
    .executeTakeFirst()
  if (done.numUpdatedRows === 0n) throw stale(claim)
}

async function changeStep(
  queries: Queries,
  claim: Claim,
  step: string,
  change: UpdateObject<Database, 'step', 'step'>,
): Promise<void> {
  const changed = await queries
    .updateTable('step')
    .set(change)
    .where('run', '=', claim.run)
    .where('id', '=', step)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('run')
          .select('run.id')
          .where('run.id', '=', claim.run)
          .where('run.epoch', '=', claim.epoch)
          .where('run.state', '=', 'running')
          .forUpdate(),
      ),
    )
    .executeTakeFirst()
  if (changed.numUpdatedRows === 0n) throw stale(claim)
}

function stale(claim: Claim) {
  return fail('RUN_LEASE_LOST', { what: `This worker no longer holds run ${claim.run} (epoch ${claim.epoch})` })
}
