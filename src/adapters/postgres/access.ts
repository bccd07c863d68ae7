import { fail } from '../../core/fail.ts'
import { environmentGroups, productNames, subjectLogin } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Credential, Place, PortPlace } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { limitLogin } from './budgets.ts'
import { endSessions } from './end-sessions.ts'
import { alreadyDone, fenced, guarded } from './fenced.ts'
import { ensureReader } from './reader-login.ts'
import { shutReaders } from './readers-of.ts'
import { admit, ensureLogin } from './roles.ts'
import { newPassword, scramVerifier } from './scram.ts'
import { type Session, type Site, transaction } from './session.ts'
import { sampleUsage } from './usage.ts'

export type SubjectRequest = {
  subject: string
  domain: string | null
  attributes: Record<string, string[]>
  context: EffectContext | null
}

/** The login and what row filters read of it. Committed when this resolves: the next statement of an open session sees it. */
export async function setSubject(
  site: Site,
  { subject, domain, attributes, context }: SubjectRequest,
): Promise<{ login: string }> {
  const doing = `set the attributes of ${subject}`
  const body = async (client: Session) => {
    const login = await ensureLogin(client, site.environment, subject)
    const logins = [login, await ensureReader(client, site.environment, subject)]
    const { rows: moved } = await client.query<{ role: string }>(
      'UPDATE heddle.login SET domain = $2 WHERE role = ANY ($1) AND domain IS DISTINCT FROM $2 RETURNING role',
      [logins, domain],
    )
    for (const { role } of moved) await limitLogin(client, role, domain)
    const names = Object.keys(attributes)
    await client.query('DELETE FROM heddle.attribute WHERE role = ANY ($1) AND name <> ALL ($2)', [logins, names])
    for (const name of names)
      await client.query(
        `INSERT INTO heddle.attribute AS a (role, name, vals) SELECT role, $2, $3 FROM unnest($1::name[]) AS role
         ON CONFLICT (role, name) DO UPDATE SET vals = excluded.vals WHERE a.vals IS DISTINCT FROM excluded.vals`,
        [logins, name, attributes[name]],
      )
    return { login }
  }
  return context ? fenced(site, context, { verb: 'subject', key: subject, doing }, body) : transaction(site, { doing }, body)
}

/** Holds back whoever else changes this login's password; gives a borrowed one back first. */
export async function lockLogin(client: Session, login: string): Promise<void> {
  await client.query('SELECT heddle.return_login($1, NULL)', [login])
}

/** A new password for the subject's own login; the one before it is void. */
export async function issueCredential(site: Site, subject: string, validMs: number): Promise<Credential> {
  const login = subjectLogin(site.environment, subject)
  const password = newPassword()
  const { expiresAt, replaced } = await transaction(site, { doing: `issue a credential for ${subject}` }, async (client) => {
    await lockLogin(client, login)
    const { rows } = await client.query<{ granted: boolean; until: string; iso: Date; before: Date | null }>(
      `SELECT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid) AS granted,
         (now() + $2 * interval '1 ms')::text AS until, now() + $2 * interval '1 ms' AS iso,
         CASE WHEN r.rolcanlogin AND r.rolvaliduntil > now() THEN r.rolvaliduntil END AS before
       FROM heddle.login l JOIN pg_roles r ON r.rolname = l.role WHERE l.role = $1 AND l.kind = 'subject'`,
      [login, validMs],
    )
    if (!rows[0]?.granted) throw fail('WAREHOUSE_SUBJECT_UNKNOWN', { what: `${subject} has no grant in ${site.environment}` })
    await client.query(
      `ALTER ROLE ${ident(login)} LOGIN PASSWORD ${literal(scramVerifier(password))} VALID UNTIL ${literal(rows[0].until)}`,
    )
    return { expiresAt: rows[0].iso.toISOString(), replaced: rows[0].before?.toISOString() ?? null }
  })
  return { user: login, password, host: site.host, port: site.port, database: site.database, expiresAt, replaced }
}

export async function grant(site: Site, subject: string, at: PortPlace, context: EffectContext): Promise<void> {
  const { place } = at
  const reader = productNames(site.environment, place.domain, place.product).portRole(at.port, at.major)
  await fenced(
    site,
    context,
    { verb: 'grant', key: `${subject} ${reader}`, doing: `grant ${at.port} v${at.major} to ${subject}` },
    async (client) => {
      await admit(client, site.environment, await ensureLogin(client, site.environment, subject), reader)
      return null
    },
  )
}

export async function grantOwner(site: Site, subject: string, place: Place, context: EffectContext): Promise<void> {
  const owner = productNames(site.environment, place.domain, place.product).role.owner
  await fenced(
    site,
    context,
    { verb: 'grantOwner', key: `${subject} ${owner}`, doing: `make ${subject} an owner` },
    async (client) => {
      const login = await ensureLogin(client, site.environment, subject)
      await client.query(
        `INSERT INTO heddle.owner (product, login, by_request) VALUES ($1, $2, true) ON CONFLICT (product, login) DO UPDATE SET by_request = true`,
        [place.id, login],
      )
      await admit(client, site.environment, login, owner)
      return null
    },
  )
}

/**
 * Takes the membership, and with the last one the log-in; then ends the login's sessions (an open one would go on with what it has begun to read) and
 * looks that none is left.
 */
export async function revoke(
  site: Site,
  subject: string,
  at: PortPlace,
  context: EffectContext,
): Promise<{ sessionsEnded: number }> {
  const { place } = at
  const login = subjectLogin(site.environment, subject)
  const reader = productNames(site.environment, place.domain, place.product).portRole(at.port, at.major)
  const effect = { verb: 'revoke', key: `${subject} ${reader}`, doing: `revoke ${at.port} v${at.major} from ${subject}` }
  const done = await alreadyDone(site, context, effect)
  if (done) return done.result as { sessionsEnded: number }
  await sampleUsage(site)
  await guarded(site, context, effect.doing, (client) => takeMembership(client, site.environment, login, reader))
  const sessionsEnded = await endSessions(site, login)
  return fenced(site, context, effect, async () => ({ sessionsEnded }))
}

export async function takeMembership(client: Session, environment: string, login: string, reader: string): Promise<void> {
  await lockLogin(client, login)
  const { rows } = await client.query<{ role: string }>(
    `SELECT g.rolname AS role FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
     WHERE u.rolname = $1 AND m.grantor = current_user::regrole`,
    [login],
  )
  const held = new Set(rows.map(({ role }) => role))
  if (held.delete(reader)) await client.query(`REVOKE ${ident(reader)} FROM ${ident(login)}`)
  const group = environmentGroups(environment).connect
  if (held.delete(group) && held.size === 0) await client.query(`REVOKE ${ident(group)} FROM ${ident(login)}`)
  const exists = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [login])
  if (held.size === 0 && exists.rowCount) {
    await client.query(`ALTER ROLE ${ident(login)} NOLOGIN PASSWORD NULL VALID UNTIL '-infinity'`)
    await shutReaders(client, login)
  }
}
