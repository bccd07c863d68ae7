import { type LookupAddress, lookup } from 'node:dns'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Clock } from '../../core/clock.ts'
import type { Destination, Message, Notification, Sent } from '../../platform/notification.ts'
import { isAllowedHost, isPublicAddress, refusalOf } from './guard.ts'
import { signatureOf, signingKey } from './sign.ts'

type Webhook = Extract<Destination, { kind: 'webhook' }>
export type WebhookDeps = {
  /** hosts inside that may be reached, `host` or `host:number` */
  allow: readonly string[]
  clock: Clock
  /** milliseconds for the whole exchange; default 15000 */
  timeoutMs?: number
  /** the system's, unless a test has its own */
  resolve?: Resolve
}
type Resolve = (
  hostname: string,
  options: { all: true },
  answer: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void

const BODY_LIMIT = 20_000
const INSIDE = 'HEDDLE_INSIDE'

/** Standard Webhooks: one signed POST. A redirect is a failure, 410 ends it, Retry-After is honoured. */
export function createWebhookNotification({
  allow,
  clock,
  timeoutMs = 15_000,
  resolve = lookup,
}: WebhookDeps): Notification<Webhook> {
  return {
    async send({ to, message, signal }) {
      const refusal = refusalOf(to.url, allow)
      if (refusal) return { outcome: 'refused', problem: `NOTIFY_ADDRESS_REFUSED: ${refusal}` }
      const key = signingKey(to.secret)
      if (!key) return { outcome: 'refused', problem: 'NOTIFY_SECRET_MISSING: there is no whsec_ key of 24 to 64 bytes' }
      const url = new URL(to.url)
      url.hash = ''
      const body = bodyOf(message)
      const timestamp = Math.floor(clock.now().getTime() / 1000)
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'heddle',
        'webhook-id': message.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatureOf(key, { id: message.id, timestamp, body }),
      }
      return post({
        url,
        body,
        headers,
        ...(!isAllowedHost(url, allow) && { lookup: publicOnly(resolve) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      })
    },
  }
}

function bodyOf({ type, at, data, subject, text }: Message): string {
  const whole = JSON.stringify({ type, timestamp: at, data: { ...data, subject, text } })
  // long lists are for who looks it up
  return Buffer.byteLength(whole) <= BODY_LIMIT
    ? whole
    : JSON.stringify({ type, timestamp: at, data: { subject, url: data.url } })
}

type Post = { url: URL; body: string; headers: Record<string, string | number>; lookup?: LookupFunction; signal: AbortSignal }

function post({ url, body, headers, lookup, signal }: Post): Promise<Sent> {
  return new Promise((settle) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    // the address that is connected to is the one that was looked at: a name cannot change between
    const request = send(url, { method: 'POST', headers, signal, agent: false, ...(lookup && { lookup }) }, (response) => {
      response.resume()
      settle(answered(response.statusCode ?? 0, response.headers['retry-after']))
      request.destroy()
    })
    request.once('error', (error: NodeJS.ErrnoException) =>
      settle(
        error.code === INSIDE
          ? { outcome: 'refused', problem: 'NOTIFY_ADDRESS_REFUSED: its name stands for an address inside a private network' }
          : {
              outcome: 'later',
              problem: signal.aborted ? 'no answer in time' : `no connection: ${error.code ?? 'unknown'}`,
              afterMs: null,
            },
      ),
    )
    request.end(body)
  })
}

function publicOnly(resolve: Resolve): LookupFunction {
  return (hostname, options, answer) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return answer(error, '', 0)
      const inside = found.find(({ address }) => !isPublicAddress(address))
      if (inside || found.length === 0)
        return answer(Object.assign(new RangeError('not a public address'), { code: INSIDE }), '', 0)
      if (options.all) return answer(null, found)
      return answer(null, found[0]!.address, found[0]!.family)
    })
}

function answered(status: number, retryAfter: string | undefined): Sent {
  if (status >= 200 && status < 300) return { outcome: 'delivered' }
  if (status === 410) return { outcome: 'refused', problem: 'the receiver answered 410: it is gone' }
  const seconds = Number(retryAfter)
  return { outcome: 'later', problem: `the receiver answered ${status}`, afterMs: seconds > 0 ? seconds * 1000 : null }
}
