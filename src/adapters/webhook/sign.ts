import { createHmac } from 'node:crypto'

const SECRET = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/

/** The key of a `whsec_…` secret, 24 to 64 bytes; null when the text is none. */
export function signingKey(secret: string): Buffer | null {
  const found = SECRET.exec(secret)
  if (!found) return null
  const key = Buffer.from(found[1]!, 'base64')
  return key.length >= 24 && key.length <= 64 ? key : null
}

/** Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, the timestamp in whole seconds. */
export function signatureOf(key: Buffer, { id, timestamp, body }: { id: string; timestamp: number; body: string }): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
