import { sql } from 'kysely'
import type { Problem } from '../core/fail.ts'
import { fail } from '../core/fail.ts'
import type { Queries } from '../store/control.ts'
import type { Approval, RunKind, RunState, StepState } from '../store/schema.ts'

export type RunListRow = {
  id: string
  number: number
  kind: RunKind
  domain: string
  name: string
  product: string
  environment: string
  state: RunState
  by: string
  because: string
  commit_id: string | null
  problem: Problem | null
  approvers: string[]
  approvals: Approval[]
  detail: Record<string, unknown>
  created_at: Date
  started_at: Date | null
  ended_at: Date | null
  /** the step that runs or failed */
  step: string | null
  usual_ms: number | null
}

export type RunFilter = { product?: string; states?: RunState[]; limit: number; before?: number; number?: number }

export async function listRuns(queries: Queries, filter: RunFilter): Promise<RunListRow[]> {
  const rows = await sql<RunListRow>`
    select r.id, r.number, r.kind, p.domain, p.name, r.product, r.environment, r.state, r.by, r.because, r.commit_id, r.problem,
      r.approvers, r.approvals, r.detail, r.created_at, r.started_at, r.ended_at,
      (select s.title from step s where s.run = r.id and s.state in ('running', 'failed', 'cancelled') order by s.ordinal limit 1) as step,
      (select percentile_cont(0.5) within group (order by extract(epoch from u.ended_at - u.started_at) * 1000)
         from (select ended_at, started_at from run x where x.product = r.product and x.environment = r.environment and x.kind = r.kind
           and x.state = 'succeeded' and x.number < r.number order by x.number desc limit 9) u)::float8 as usual_ms
    from run r join product p on p.id = r.product
    where (${filter.product ?? null}::uuid is null or r.product = ${filter.product ?? null}::uuid)
      and (${filter.states ?? null}::text[] is null or r.state = any(${filter.states ?? null}::text[]))
      and (${filter.before ?? null}::bigint is null or r.number < ${filter.before ?? null}::bigint)
      and (${filter.number ?? null}::bigint is null or r.number = ${filter.number ?? null}::bigint)
    order by r.number desc limit ${filter.limit}`.execute(queries)
  return rows.rows
}

/** What a product's state follows from. */
export type StateRun = Pick<
  RunListRow,
  | 'number'
  | 'kind'
  | 'state'
  | 'environment'
  | 'commit_id'
  | 'detail'
  | 'step'
  | 'problem'
  | 'approvers'
  | 'created_at'
  | 'started_at'
  | 'ended_at'
>

/** The newest runs of each product: what the states of many products need, in one question. */
export async function latestRuns(
  queries: Queries,
  products: readonly string[],
  kinds: readonly string[],
): Promise<(StateRun & { product: string })[]> {
  const rows = await sql<StateRun & { product: string }>`
    select r.* from unnest(${[...products]}::uuid[]) as p (id) cross join lateral (
      select x.product, x.number, x.kind, x.state, x.environment, x.commit_id, x.detail, x.problem, x.approvers, x.created_at, x.started_at, x.ended_at,
        (select s.title from step s where s.run = x.id and s.state in ('running', 'failed', 'cancelled') order by s.ordinal limit 1) as step
      from run x where x.product = p.id and x.kind = any(${[...kinds]}::text[])
      order by x.number desc limit 12
    ) r order by r.number desc`.execute(queries)
  return rows.rows
}

export async function needRunRow(queries: Queries, number: number): Promise<RunListRow> {
  const [row] = await listRuns(queries, { limit: 1, number })
  if (!row) throw fail('RUN_UNKNOWN', { what: `There is no run ${number}`, fix: 'heddle runs' })
  return row
}

export type StepDetail = {
  id: string
  stage: string
  command: string
  address: string
  title: string
  risk: 'safe' | 'disruptive' | 'destructive'
  because: string
  depends_on: string[]
  state: StepState
  attempt: number
  started_at: Date | null
  ended_at: Date | null
  result: Record<string, unknown> | null
  problem: Problem | null
}

export async function listSteps(queries: Queries, run: string): Promise<StepDetail[]> {
  return queries
    .selectFrom('step')
    .select([
      'id',
      'stage',
      'command',
      'address',
      'title',
      'risk',
      'because',
      'depends_on',
      'state',
      'attempt',
      'started_at',
      'ended_at',
      'result',
      'problem',
    ])
    .where('run', '=', run)
    .orderBy('ordinal')
    .execute()
}

/** Median milliseconds of each step in the last successful runs of the same kind, product and environment. */
export async function usualSteps(
  queries: Queries,
  run: Pick<RunListRow, 'product' | 'environment' | 'kind' | 'number'>,
): Promise<Record<string, number>> {
  const rows = await sql<{ id: string; ms: number }>`
    select s.id, percentile_cont(0.5) within group (order by extract(epoch from s.ended_at - s.started_at) * 1000)::float8 as ms
    from (select id from run where product = ${run.product} and environment = ${run.environment} and kind = ${run.kind}
      and state = 'succeeded' and number < ${run.number} order by number desc limit 9) r join step s on s.run = r.id
    where s.state = 'succeeded' group by s.id`.execute(queries)
  return Object.fromEntries(rows.rows.map((row) => [row.id, Math.round(row.ms)]))
}

export type EventRow = { id: number; step: string | null; at: Date; kind: string; data: Record<string, unknown> }

export async function listEvents(queries: Queries, run: string, after: number, limit = 1000): Promise<EventRow[]> {
  return queries
    .selectFrom('event')
    .select(['id', 'step', 'at', 'kind', 'data'])
    .where('run', '=', run)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** The dbt nodes of a run, each with its last status. */
export async function listNodes(queries: Queries, run: string): Promise<EventRow[]> {
  return queries
    .selectFrom('event')
    .select(['id', 'step', 'at', 'kind', 'data'])
    .where('run', '=', run)
    .where('kind', '=', 'node')
    .orderBy('id')
    .execute()
}

export async function runNumber(queries: Queries, id: string | null): Promise<number | null> {
  if (id === null) return null
  return (await queries.selectFrom('run').select('number').where('id', '=', id).executeTakeFirst())?.number ?? null
}

/** The result of a step of the newest run of a kind, when that run has succeeded. */
export async function lastResult(
  queries: Queries,
  { product, kind, step }: { product: string; kind: RunKind; step: string },
): Promise<Record<string, unknown> | null> {
  const row = await queries
    .selectFrom('run')
    .innerJoin('step', 'step.run', 'run.id')
    .select(['run.state', 'step.result'])
    .where('run.product', '=', product)
    .where('run.kind', '=', kind)
    .where('step.id', '=', step)
    .orderBy('run.number', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.state === 'succeeded' ? row.result : null
}
