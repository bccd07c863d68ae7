import { sql } from 'kysely'
import { fail, toProblem } from '../core/fail.ts'
import { json, type Queries } from '../store/control.ts'
import { wake } from './enqueue.ts'

/** A deploy that waits until its product may read its inputs: `detail.access` holds the numbers of the requests that are not granted yet. */
type Held = { id: string; number: number; detail: Record<string, unknown>; approvers: string[] }

async function heldBy(queries: Queries, request: number): Promise<Held[]> {
  return queries
    .selectFrom('run')
    .select(['id', 'number', 'detail', 'approvers'])
    .where('state', '=', 'waiting')
    .where(sql<boolean>`detail -> 'access' @> ${json([request])}::jsonb`)
    .forUpdate()
    .execute()
}

/** The request is granted: runs that waited for nothing else start. @returns their numbers */
export async function releaseHeld(queries: Queries, request: number): Promise<number[]> {
  const started: number[] = []
  for (const run of await heldBy(queries, request)) {
    const access = (run.detail.access as number[]).filter((each) => each !== request)
    const starts = access.length === 0 && (run.approvers.length === 0 || run.detail.approved === true)
    await queries
      .updateTable('run')
      .set({ detail: json({ ...run.detail, access }), ...(starts && { state: 'queued' }) })
      .where('id', '=', run.id)
      .execute()
    if (starts) started.push(run.number)
  }
  if (started.length > 0) await wake(queries)
  return started
}

/** The request was denied or withdrawn: what waited for it will not run. */
export async function endHeld(queries: Queries, request: number, because: 'denied' | 'withdrawn'): Promise<void> {
  for (const run of await heldBy(queries, request)) {
    const problem = toProblem(
      fail('ACCESS_NOT_GRANTED', {
        what: `Request ${request}, without which this run cannot read its inputs, was ${because}`,
        fix: `Look why: heddle request show ${request}. The next deploy asks again.`,
      }),
    )
    await queries
      .updateTable('run')
      .set({ state: 'denied', problem: json(problem), ended_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', run.id)
      .execute()
  }
  await wake(queries)
}
