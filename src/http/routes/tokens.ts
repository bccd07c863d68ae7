import { z } from 'zod'
import { issueToken, listReadTokens, revokeReadToken } from '../../access/tokens.ts'
import { parseDuration } from '../../core/duration.ts'
import { fail } from '../../core/fail.ts'
import { audit } from '../../store/audit.ts'
import type { HttpDeps } from '../deps.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'

const MAX_MS = 365 * 86_400_000

/** A subject's own tokens for programs that read its data: they open the data port and nothing else. */
export function tokenRoutes(app: App, deps: HttpDeps): void {
  const { db } = deps.lifecycle.control

  app.post(
    '/tokens',
    {
      config: { rule: 'signed-in' },
      schema: {
        body: z.object({ name: z.string().trim().min(1).max(60), until: z.string().default('90d') }),
        response: { 200: shapes.IssuedToken },
      },
    },
    async (request) => {
      const { subject, behind } = request.caller!
      const { name, until } = request.body
      const validMs = parseDuration(until)
      if (validMs > MAX_MS)
        throw fail('HTTP_INPUT_INVALID', { what: 'A token lasts a year at most', fix: 'Ask for 365d or less.' })
      const issued = await issueToken(db, { subject: subject.name, kind: 'read', product: null, name, validMs })
      await audit(db, {
        actor: subject.name,
        onBehalfOf: behind,
        action: 'token.read',
        object: `token ${issued.id}`,
        detail: { name, expiresAt: issued.expiresAt.toISOString() },
      })
      return { token: issued.token, kind: 'read', expiresAt: issued.expiresAt.toISOString() }
    },
  )

  app.get(
    '/tokens',
    { config: { rule: 'signed-in' }, schema: { response: { 200: shapes.List(shapes.ReadToken) } } },
    async (request) => {
      const rows = await listReadTokens(db, request.caller!.subject.name, deps.clock.now())
      return { items: rows.map((row) => ({ ...row, expiresAt: row.expiresAt.toISOString() })), next: null }
    },
  )

  app.delete(
    '/tokens/:id',
    { config: { rule: 'signed-in' }, schema: { params: z.object({ id: z.uuid() }) } },
    async (request, reply) => {
      const { subject, behind } = request.caller!
      const { id } = request.params
      if (!(await revokeReadToken(db, subject.name, id)))
        throw fail('TOKEN_UNKNOWN', { what: `${subject.name} has no such token` })
      await audit(db, { actor: subject.name, onBehalfOf: behind, action: 'token.revoke', object: `token ${id}`, detail: {} })
      return reply.status(204).send()
    },
  )
}
