import { createHash, randomBytes } from 'node:crypto'
import { newId } from '../core/id.ts'
import type { Queries } from '../store/control.ts'

export type TokenKind = 'session' | 'once' | 'git' | 'service' | 'read'
export type TokenFacts = { subject: string; kind: TokenKind; product: string | null }

const PREFIX: Record<TokenKind, string> = { session: 'hds', once: 'hdo', git: 'hdg', service: 'hdv', read: 'hdr' }

/** @returns the token, shown this once; only its hash is kept */
export async function issueToken(
  queries: Queries,
  token: TokenFacts & { validMs: number; name?: string },
): Promise<{ id: string; token: string; expiresAt: Date }> {
  const text = `${PREFIX[token.kind]}_${randomBytes(24).toString('base64url')}`
  const expiresAt = new Date(Date.now() + token.validMs)
  const id = newId()
  await queries
    .insertInto('token')
    .values({
      id,
      subject: token.subject,
      kind: token.kind,
      product: token.product,
      name: token.name ?? null,
      hash: hashToken(text),
      expires_at: expiresAt,
      used_at: null,
      revoked_at: null,
    })
    .execute()
  return { id, token: text, expiresAt }
}

export async function findToken(queries: Queries, text: string): Promise<TokenFacts | null> {
  const row = await queries
    .selectFrom('token')
    .select(['subject', 'kind', 'product'])
    .where('hash', '=', hashToken(text))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', new Date())
    .where('kind', '<>', 'once')
    .executeTakeFirst()
  return row ?? null
}

/** A one-time token works once. @returns its subject, or null */
export async function redeemOnce(queries: Queries, text: string): Promise<string | null> {
  const row = await queries
    .updateTable('token')
    .set({ used_at: new Date() })
    .where('hash', '=', hashToken(text))
    .where('kind', '=', 'once')
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', new Date())
    .returning('subject')
    .executeTakeFirst()
  return row?.subject ?? null
}

export async function revokeToken(queries: Queries, text: string): Promise<void> {
  await queries.updateTable('token').set({ revoked_at: new Date() }).where('hash', '=', hashToken(text)).execute()
}

/** A subject's tokens for programs, the newest first; those that ended are left out. */
export async function listReadTokens(
  queries: Queries,
  subject: string,
  now: Date,
): Promise<{ id: string; name: string; expiresAt: Date }[]> {
  const rows = await queries
    .selectFrom('token')
    .select(['id', 'name', 'expires_at'])
    .where('subject', '=', subject)
    .where('kind', '=', 'read')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('id', 'desc')
    .execute()
  return rows.map((row) => ({ id: row.id, name: row.name ?? '', expiresAt: row.expires_at }))
}

/** @returns whether it was theirs and still open */
export async function revokeReadToken(queries: Queries, subject: string, id: string): Promise<boolean> {
  const done = await queries
    .updateTable('token')
    .set({ revoked_at: new Date() })
    .where('id', '=', id)
    .where('subject', '=', subject)
    .where('kind', '=', 'read')
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(done.numUpdatedRows) === 1
}

/** Nobody comes in for this product any more. @returns how many were open */
export async function revokeProductTokens(queries: Queries, product: string): Promise<number> {
  const done = await queries
    .updateTable('token')
    .set({ revoked_at: new Date() })
    .where('product', '=', product)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(done.numUpdatedRows)
}

/** Tokens are 192 random bits, so a plain hash is enough. */
function hashToken(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
