import { type Site, transaction } from './session.ts'

export type OutboxEvent = { id: string; kind: string; product: string; payload: Record<string, unknown>; at: string }

type Row = { id: string; kind: string; product: string; payload: Record<string, unknown>; at: Date; incarnation: string }

/**
 * Hands unacknowledged events over in their order and acknowledges each after its handler returned. A handler that throws stops the drain; its event comes
 * again. `id` carries the database's incarnation, so events of a restored database are new ones. One drain at a time: a second returns 0.
 */
export async function drainOutbox(site: Site, handle: (event: OutboxEvent) => Promise<void>): Promise<number> {
  for (let handled = 0; ; handled++) {
    const refusal: { error: unknown }[] = []
    const more = await transaction(site, { doing: 'drain the outbox', tries: 1 }, async (client) => {
      const first = await client.query<{ id: string }>(
        'SELECT id FROM heddle.outbox WHERE acknowledged_at IS NULL ORDER BY id LIMIT 1',
      )
      if (!first.rows[0]) return false
      // another drain that holds the first event hands over all of them
      const { rows } = await client.query<Row>(
        `SELECT o.id, o.kind, o.product, o.payload, o.at, (SELECT e.incarnation FROM heddle.environment e) AS incarnation
         FROM heddle.outbox o WHERE o.id = $1 AND o.acknowledged_at IS NULL FOR UPDATE SKIP LOCKED`,
        [first.rows[0].id],
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
