import { sql } from 'kysely'
import type { RequestRow } from '../access/requests.ts'
import type { Queries } from '../store/control.ts'
import type { AccessPayload } from './access.ts'

/**
 * The request for access that says the same and is not finished yet, or null. Until the caller's transaction ends nobody else files one for this reader.
 * What somebody writes to convince the approver does not make another request.
 */
export async function findSameRequest(
  queries: Queries,
  payload: AccessPayload,
  by: string,
  environment: string,
): Promise<RequestRow | null> {
  const subject = payload.subject ?? by
  await sql`select pg_advisory_xact_lock(hashtextextended(${`access ${payload.product} ${subject}`}, 0))`.execute(queries)
  const open = await queries
    .selectFrom('request')
    .selectAll()
    .where('kind', '=', 'access')
    .where('by', '=', by)
    .where('state', 'in', ['submitted', 'approved'])
    .where(
      sql<boolean>`payload @> ${JSON.stringify({ product: payload.product, port: payload.port, purpose: payload.purpose })}::jsonb`,
    )
    .orderBy('number')
    .execute()
  return (
    open.find((row) => {
      const other = row.payload as AccessPayload
      return (
        (other.subject ?? row.by) === subject &&
        (other.environment ?? environment) === (payload.environment ?? environment) &&
        other.major === payload.major &&
        other.offer === payload.offer &&
        other.duration === payload.duration
      )
    }) ?? null
  )
}
