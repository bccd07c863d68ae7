import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Queries } from './control.ts'

/** Who did what to which object. `detail` holds ids, names and hashes: never a row of a product, never a secret. */
export type AuditEvent = {
  actor: string
  onBehalfOf: string | null
  action: string
  object: string
  detail: Record<string, unknown>
}

const GENESIS = '0'.repeat(64)

export function chainHash(previous: string, body: string): string {
  return createHash('sha256').update(previous).update('\n').update(body).digest('hex')
}

/** The last statement of the transaction whose change it records, because it holds the chain's lock until commit. */
export async function audit(queries: Queries, event: AuditEvent): Promise<void> {
  await sql`select pg_advisory_xact_lock(7205760)`.execute(queries)
  const last = await queries.selectFrom('audit').select('hash').orderBy('seq', 'desc').limit(1).executeTakeFirst()
  const previous = last?.hash ?? GENESIS
  const body = JSON.stringify(event)
  await queries
    .insertInto('audit')
    .values({ body, previous, hash: chainHash(previous, body) })
    .execute()
}

export async function listAudit(
  queries: Queries,
  after: number,
  limit: number,
): Promise<(AuditEvent & { seq: number; at: Date })[]> {
  const rows = await queries.selectFrom('audit').selectAll().where('seq', '>', after).orderBy('seq').limit(limit).execute()
  return rows.map((row) => ({ ...(JSON.parse(row.body) as AuditEvent), seq: row.seq, at: row.at }))
}

/** @returns the first sequence number whose link does not hold, or null when the whole chain does */
export async function findBrokenLink(queries: Queries): Promise<number | null> {
  let previous = GENESIS
  let after = 0
  for (;;) {
    const rows = await queries.selectFrom('audit').selectAll().where('seq', '>', after).orderBy('seq').limit(1000).execute()
    if (rows.length === 0) return null
    for (const row of rows) {
      if (row.previous !== previous || row.hash !== chainHash(previous, row.body)) return row.seq
      previous = row.hash
      after = row.seq
    }
  }
}
