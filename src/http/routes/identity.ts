import { z } from 'zod'
import { isPlatform, listSubjects, needSubject } from '../../access/subjects.ts'
import { issueToken, redeemOnce, revokeToken } from '../../access/tokens.ts'
import { listDomains } from '../../catalog/products.ts'
import { fail } from '../../core/fail.ts'
import { changeAttributes } from '../../lifecycle/access.ts'
import { listAudit } from '../../store/audit.ts'
import { actorOf, type Caller, SESSION_COOKIE } from '../authenticate.ts'
import type { HttpDeps } from '../deps.ts'
import { needPlatform, needPlatformOrGovernance } from '../permissions.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'

const SESSION_MS = 12 * 3_600_000

export function identityRoutes(app: App, deps: HttpDeps): void {
  const { db } = deps.lifecycle.control

  app.get('/health', { config: { rule: 'anyone' }, schema: { response: { 200: shapes.Health } } }, async () => ({
    ...deps.health(),
    version: deps.version,
  }))

  app.post(
    '/login',
    { config: { rule: 'anyone' }, schema: { body: z.object({ once: z.string().max(200) }), response: { 200: shapes.Me } } },
    async (request, reply) => {
      const name = await redeemOnce(db, request.body.once)
      if (!name)
        throw fail('HTTP_ONCE_SPENT', { what: 'This address was used already or is older than 10 minutes', fix: 'heddle open' })
      const subject = await needSubject(db, name)
      const { token } = await issueToken(db, { subject: name, kind: 'session', product: null, validMs: SESSION_MS })
      reply.header(
        'set-cookie',
        `${SESSION_COOKIE}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_MS / 1000}`,
      )
      return meView(deps, { subject, behind: null, via: 'session', product: null })
    },
  )

  app.post('/logout', { config: { rule: 'signed-in' } }, async (request, reply) => {
    const cookie = new RegExp(`${SESSION_COOKIE}=([^;]+)`).exec(request.headers.cookie ?? '')
    if (cookie) await revokeToken(db, decodeURIComponent(cookie[1]!))
    return reply.header('set-cookie', `${SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`).status(204).send()
  })

  /** A one-time address for the browser of whoever holds the data directory's token. */
  app.post(
    '/once',
    { config: { rule: 'signed-in' }, schema: { response: { 200: z.object({ url: z.string() }) } } },
    async (request) => {
      if (request.caller!.via !== 'cli-token')
        throw fail('HTTP_NOT_ALLOWED', { what: 'Only the holder of the data directory gets one-time addresses' })
      const { token } = await issueToken(db, { subject: deps.localSubject, kind: 'once', product: null, validMs: 600_000 })
      return { url: `${deps.lifecycle.url()}/?once=${token}` }
    },
  )

  app.get(
    '/me',
    { config: { rule: 'signed-in', tokens: ['git', 'service'] }, schema: { response: { 200: shapes.Me } } },
    async (request) => meView(deps, request.caller!),
  )

  app.get('/domains', { config: { rule: 'signed-in' }, schema: { response: { 200: shapes.List(shapes.Domain) } } }, async () => ({
    items: await listDomains(db),
    next: null,
  }))

  app.get(
    '/subjects',
    { config: { rule: 'signed-in' }, schema: { response: { 200: shapes.List(shapes.Subject) } } },
    async () => ({ items: await listSubjects(db), next: null }),
  )

  app.put(
    '/subjects/:name/attributes',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: z.object({ name: z.string() }),
        body: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), z.array(z.string().max(200)).max(500)),
        response: { 200: shapes.Subject },
      },
    },
    async (request) => {
      needPlatform(request.caller!)
      return changeAttributes(deps.lifecycle, request.params.name, request.body, actorOf(request.caller!))
    },
  )

  app.get(
    '/audit',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({ after: z.coerce.number().default(0), limit: z.coerce.number().max(500).default(100) }),
        response: { 200: shapes.List(shapes.AuditRow) },
      },
    },
    async (request) => {
      needPlatformOrGovernance(request.caller!)
      const rows = await listAudit(db, request.query.after, request.query.limit)
      const items = rows.map((row) => ({ ...row, at: row.at.toISOString() }))
      return { items, next: rows.length === request.query.limit ? String(rows.at(-1)!.seq) : null }
    },
  )
}

async function meView(deps: HttpDeps, { subject, behind, via }: Caller) {
  const sample = (await listSubjects(deps.lifecycle.control.db)).filter((each) => each.sample && each.kind === 'user')
  return {
    name: subject.name,
    title: subject.title,
    groups: subject.groups,
    platform: isPlatform(subject),
    as: behind ? subject.name : null,
    viewAs: via === 'cli-token' || via === 'session' ? sample.map((each) => each.name) : [],
  }
}
