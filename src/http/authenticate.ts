import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { type Actor, findSubject, needSubject, type SubjectRow } from '../access/subjects.ts'
import { findToken } from '../access/tokens.ts'
import { fail } from '../core/fail.ts'
import type { HttpDeps } from './deps.ts'

/** Who calls. `behind` is the real subject when a sample user is played; `product` binds a git or service token to its product; `read` opens the data port alone. */
export type Caller = {
  subject: SubjectRow
  behind: string | null
  via: 'cli-token' | 'session' | 'git' | 'service' | 'read'
  product: string | null
}

/** Whoever acts, as the audit keeps it: with who is behind a played sample user. */
export function actorOf({ subject, behind }: Caller): Actor {
  return { ...subject, behind }
}

export const SESSION_COOKIE = 'heddle_session'

export async function authenticate(deps: HttpDeps, request: FastifyRequest): Promise<Caller | null> {
  const base = await baseCaller(deps, request)
  if (!base) return null
  const as = request.headers['heddle-as']
  if (typeof as !== 'string' || as === '' || as === base.subject.name) return base
  const played = await findSubject(deps.lifecycle.control.db, as)
  if (!played?.sample || base.product !== null || base.via === 'read')
    throw fail('HTTP_AS_REFUSED', {
      what: `Nobody may act as "${as}"`,
      why: 'Only sample users are played, and only on this machine.',
    })
  return { ...base, subject: played, behind: base.subject.name }
}

async function baseCaller(deps: HttpDeps, request: FastifyRequest): Promise<Caller | null> {
  const { db } = deps.lifecycle.control
  const header = request.headers.authorization
  if (header?.startsWith('Bearer ')) {
    const text = header.slice(7)
    if (sameText(text, deps.cliToken))
      return { subject: await needSubject(db, deps.localSubject), behind: null, via: 'cli-token', product: null }
    return fromToken(deps, text)
  }
  const cookie = readCookie(request.headers.cookie, SESSION_COOKIE)
  if (!cookie) return null
  // A browser sends the cookie by itself; the header it can only send from our own page.
  if (request.method !== 'GET' && request.method !== 'HEAD' && request.headers['heddle-request'] !== '1') {
    throw fail('HTTP_FORGERY_REFUSED', { what: 'A change with a cookie needs the header Heddle-Request: 1' })
  }
  return fromToken(deps, cookie)
}

async function fromToken(deps: HttpDeps, text: string): Promise<Caller | null> {
  const token = await findToken(deps.lifecycle.control.db, text)
  const subject = token && (await findSubject(deps.lifecycle.control.db, token.subject))
  if (!token || !subject || subject.disabled_at) return null
  return {
    subject,
    behind: null,
    via: token.kind === 'once' ? 'service' : token.kind,
    product: token.product,
  }
}

/** For git's Basic authentication: the token is the password, the user name is not looked at. */
export async function authenticateBasic(deps: HttpDeps, header: string | undefined): Promise<Caller | null> {
  if (!header?.startsWith('Basic ')) return null
  const text = Buffer.from(header.slice(6), 'base64').toString('utf8')
  const password = text.slice(text.indexOf(':') + 1)
  if (sameText(password, deps.cliToken))
    return {
      subject: await needSubject(deps.lifecycle.control.db, deps.localSubject),
      behind: null,
      via: 'cli-token',
      product: null,
    }
  const caller = await fromToken(deps, password)
  return caller?.via === 'read' ? null : caller
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function readCookie(header: string | undefined, name: string): string | null {
  for (const part of header?.split(';') ?? []) {
    const [key, value] = part.trim().split('=')
    if (key === name && value) return decodeURIComponent(value)
  }
  return null
}
