import { type Site, transaction } from './session.ts'

export type OutboxEvent = { id: string; kind: string; product: string; payload: Record<string, unknown>; at: string }

/**
 * Hands unacknowledged events over in their order and acknowledges each after its handler returned. A handler that throws stops the drain; its event comes
 * again. `id` carries the database's incarnation, so events of a restored database are new ones. One drain at a time: a second returns 0.
 */
export async function drainOutbox(site: Site, handle: (event: OutboxEvent) => Promise<void>): Promise<number> {
  for (let handled = 0; ; handled++) {
    const refusal: { error: unknown }[] = []
    const more = await transaction(site, { doing: 'drain the outbox', tries: 1 }, async (client) => {
      const { rows: locks } = await client.query<{ mine: boolean }>(
        `SELECT pg_try_advisory_xact_lock(hashtextextended('heddle outbox', 0)) AS mine`,
      )
      if (!locks[0]!.mine) return false
      const { rows } = await client.query<{
        id: string
        kind: string
        product: string
        payload: Record<string, unknown>
        at: Date
        incarnation: string
      }>(
        `SELECT o.id, o.kind, o.product, o.payload, o.at, e.incarnation FROM heddle.outbox o CROSS JOIN heddle.environment e
         WHERE o.acknowledged_at IS NULL ORDER BY o.id LIMIT 1`,
      )
      const row = rows[0]
      if (!row) return false
      const event = {
        id: `${row.incarnation}:${row.id}`,
        kind: row.kind,
        product: row.product,
        payload: row.payload,
        at: row.at.toISOString(),
      }
      await handle(event).catch((error: unknown) => {
        refusal.push({ error })
        throw error
      })
      await client.query('UPDATE heddle.outbox SET acknowledged_at = clock_timestamp() WHERE id = $1', [row.id])
      return true
    }).catch((error: unknown) => {
      // the handler's own error, not one of the warehouse
      throw refusal[0] ? refusal[0].error : error
    })
    if (!more) return handled
  }
}
