import { readFailure, unreachable } from './failure.ts'
import { actingAs } from './view-as.ts'

export const API = '/api/v1'

export type Call = {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH'
  body?: unknown
  /** the same key for the same intent: a repeated click or a retry after a lost answer does it once */
  key?: string
  signal?: AbortSignal | undefined
}

/** One call of the API. Throws a `Failure`. */
export async function call<T>(path: string, { method = 'GET', body, key, signal }: Call = {}): Promise<T> {
  const response = await fetch(API + path, {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...identityHeaders(),
      ...(method === 'GET'
        ? {}
        : { 'content-type': 'application/json', 'heddle-request': '1', 'idempotency-key': key ?? newKey() }),
    },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
    signal: signal ?? null,
  }).catch((thrown: unknown) => {
    throw signal?.aborted ? thrown : unreachable()
  })
  if (!response.ok) throw await readFailure(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

/** Who the reader looks as, when that is not himself. */
export function identityHeaders(): Record<string, string> {
  const as = actingAs()
  return as ? { 'heddle-as': as } : {}
}

/** `crypto.randomUUID` exists on secure origins only; a portal behind plain HTTP needs the key too. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
