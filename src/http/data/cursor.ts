import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { fail } from '../../core/fail.ts'
import type { PortBoundary } from '../../platform/port-read.ts'

/** Where the next page begins, for one publication. */
export type CursorContent = { publication: number; after: PortBoundary }

const CIPHER = 'aes-256-gcm'
const NONCE = 12
const TAG = 16
/** What still fits into a query with its filters. */
const LIMIT = 4096

/**
 * Opaque, since it holds values of a row and addresses are written to logs; bound to `scope`, which is whoever reads and everything that was asked.
 * @throws DATA_QUERY_INVALID when the values of the order are too long for an address
 */
export function sealCursor(key: Buffer, scope: string, { publication, after }: CursorContent): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(scope))
  const body = Buffer.concat([cipher.update(JSON.stringify([publication, after.values, after.seen]), 'utf8'), cipher.final()])
  const text = Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
  if (text.length <= LIMIT) return text
  throw fail('DATA_QUERY_INVALID', {
    what: 'The values of the order are too long for a cursor',
    fix: 'Order by shorter columns, or take everything at once as text/csv.',
  })
}

/** @throws DATA_CURSOR_INVALID for one that was made for another query or subject, or was not made here */
export function openCursor(key: Buffer, scope: string, text: string): CursorContent {
  const bytes = Buffer.from(text, 'base64url')
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE), { authTagLength: TAG })
    decipher.setAAD(Buffer.from(scope)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
    const body = Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8')
    const [publication, values, seen] = JSON.parse(body) as [number, (string | null)[], number]
    return { publication, after: { values, seen } }
  } catch {
    throw fail('DATA_CURSOR_INVALID', { what: 'The cursor was not made for this query' })
  }
}
