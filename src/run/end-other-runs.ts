import { sql } from 'kysely'
import type { Queries } from '../store/control.ts'
import { wake } from './enqueue.ts'

/**
 * Ends whatever runs for a product besides the given run: what has not started is cancelled, what runs is told to end. The end of an agreement is waited
 * for instead. @returns numbers of what was cancelled and of what still runs
 */
export async function endOtherRuns(
  queries: Queries,
  { product, run, by }: { product: string; run: string; by: string },
): Promise<{ cancelled: number[]; running: number[] }> {
  const cancelled = await queries
    .updateTable('run')
    .set({ state: 'cancelled', cancel_by: by, ended_at: sql<Date>`clock_timestamp()` })
    .where('product', '=', product)
    .where('id', '<>', run)
    .where('kind', '<>', 'revoke')
    .where('state', 'in', ['queued', 'waiting'])
    .returning('number')
    .execute()
  await queries
    .updateTable('run')
    .set({ cancel_by: by })
    .where('product', '=', product)
    .where('id', '<>', run)
    .where('kind', '<>', 'revoke')
    .where('state', '=', 'running')
    .where('cancel_by', 'is', null)
    .execute()
  const running = await queries
    .selectFrom('run')
    .select('number')
    .where('product', '=', product)
    .where('id', '<>', run)
    .where('state', 'in', ['queued', 'running'])
    .execute()
  if (running.length > 0) await wake(queries)
  return { cancelled: cancelled.map(({ number }) => number), running: running.map(({ number }) => number) }
}

/** Grants under way that give the product, as a consumer, something of another product: they may make its roles. */
export async function runningGrantsTo(queries: Queries, subject: string): Promise<number[]> {
  const rows = await queries
    .selectFrom('run')
    .innerJoin('agreement', (join) => join.on(sql<boolean>`agreement.number = (run.detail ->> 'agreement')::bigint`))
    .select('run.number')
    .where('run.kind', '=', 'grant')
    .where('run.state', '=', 'running')
    .where('agreement.subject', '=', subject)
    .execute()
  return rows.map(({ number }) => number)
}
