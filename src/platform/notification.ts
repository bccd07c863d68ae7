/**
 * One message about something that changed. `text` and `data` say the same, for people and for machines. Never a row's value, never a secret.
 * @example { id, type: 'incident.opened', thread: incidentId, subject: 'fleet/planes is late', text: '…', data: {…}, at: '2026-03-01T13:05:00.000Z' }
 */
export type Message = {
  /** the same for every try, so that a receiver can tell a repetition */
  id: string
  /** `incident.opened`, `incident.resolved` */
  type: string
  /** messages of one thread belong together in a mailbox */
  thread: string
  subject: string
  text: string
  data: Record<string, unknown>
  at: string
}

export type Destination =
  | { kind: 'email'; to: readonly string[] }
  /** `secret` is `whsec_` and the base64 of 24 to 64 bytes (Standard Webhooks) */
  | { kind: 'webhook'; url: string; secret: string }

/** `later`: worth another try, after `afterMs` when the receiver said so. `refused`: no try will help until somebody changes something. */
export type Sent =
  | { outcome: 'delivered' }
  | { outcome: 'later'; problem: string; afterMs: number | null }
  | { outcome: 'refused'; problem: string }

/** Sends messages of one kind of destination. A failure is an answer, not an exception. */
export type Notification<D extends Destination = Destination> = {
  send(request: { to: D; message: Message; signal: AbortSignal }): Promise<Sent>
}
