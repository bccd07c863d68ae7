import { sql } from 'kysely'
import { newId } from '../core/id.ts'
import type { Message, Sent } from '../platform/notification.ts'
import { json, type Queries } from '../store/control.ts'
import type { StoredDestination } from '../store/schema.ts'

export type NotificationRow = {
  id: string
  key: string
  product: string | null
  environment: string | null
  incidents: string[]
  change: 'opened' | 'resolved'
  receiver: string
  destination: StoredDestination
  message: Message
  attempts: number
  next_try: Date
  delivered_at: Date | null
  given_up_at: Date | null
  problem: string | null
}

/** Waits between tries in seconds, as Standard Webhooks advises; then it is given up. */
export const WAITS_S: readonly number[] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]

/** A message once: its key is the change it tells and who is told. @returns whether it is new */
export async function queueNotification(
  queries: Queries,
  notification: Pick<NotificationRow, 'product' | 'environment' | 'incidents' | 'change' | 'receiver' | 'destination'> & {
    message: Omit<Message, 'id'>
    now: Date
  },
): Promise<boolean> {
  const { incidents, change, receiver, message, now } = notification
  const id = newId()
  const row = await queries
    .insertInto('notification')
    .values({
      id,
      key: `${change}:${incidents.toSorted().join('+')}:${receiver}`,
      product: notification.product,
      environment: notification.environment,
      incidents,
      change,
      receiver,
      destination: json(notification.destination),
      message: json({ id, ...message }),
      next_try: now,
      delivered_at: null,
      given_up_at: null,
      problem: null,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Takes the messages that are due, by moving their next try: whoever else looks finds them gone, and if this process dies they come again with the same id.
 */
export async function takeDue(queries: Queries, now: Date, limit = 20): Promise<NotificationRow[]> {
  const { rows } = await sql<NotificationRow>`
    update notification set attempts = attempts + 1, next_try = ${now}::timestamptz + interval '2 minutes'
    where id in (
      select id from notification where delivered_at is null and given_up_at is null and next_try <= ${now}::timestamptz
      order by next_try limit ${limit} for update skip locked
    ) returning *`.execute(queries)
  return rows.map((row) => ({ ...row, attempts: Number(row.attempts) }))
}

/** What came of a try. A receiver that asks for more time gets it. */
export async function settleNotification(queries: Queries, row: NotificationRow, sent: Sent, now: Date): Promise<void> {
  const wait = WAITS_S[row.attempts - 1]
  const over = sent.outcome === 'refused' || wait === undefined
  await queries
    .updateTable('notification')
    .set(
      sent.outcome === 'delivered'
        ? { delivered_at: now, problem: null }
        : {
            problem: sent.problem.slice(0, 300),
            ...(over ? { given_up_at: now } : { next_try: retryAt(now, wait, sent.outcome === 'later' ? sent.afterMs : null) }),
          },
    )
    .where('id', '=', row.id)
    .execute()
}

function retryAt(now: Date, waitS: number, afterMs: number | null): Date {
  return new Date(now.getTime() + Math.max(waitS * 1000, Math.min(afterMs ?? 0, 86_400_000)))
}

export async function notificationsOf(queries: Queries, incidents: readonly string[]): Promise<NotificationRow[]> {
  if (incidents.length === 0) return []
  return queries
    .selectFrom('notification')
    .selectAll()
    .where(sql<boolean>`incidents && ${[...incidents]}::uuid[]`)
    .orderBy('created_at')
    .execute()
}
