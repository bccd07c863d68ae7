import { fail } from '../../core/fail.ts'
import { readerLogin, subjectLogin } from '../../core/names.ts'
import { ident, literal } from '../../sql/quote.ts'
import { limitLogin } from './budgets.ts'
import { ensureRole } from './roles.ts'
import { newPassword, scramVerifier } from './scram.ts'
import { ask, type Session, type Site, transaction } from './session.ts'

/**
 * The second login of a subject, for the HTTP data port alone, so that its password and the one a person got by `heddle connect` know nothing of each
 * other. It is a member of the subject's own login and of nothing else: what that one may read it may read, what that one loses it loses in the same moment.
 */
export async function ensureReader(client: Session, environment: string, subject: string): Promise<string> {
  const own = subjectLogin(environment, subject)
  const login = readerLogin(environment, subject)
  const made = await ensureRole(client, login, { heddle: subject, kind: 'reader' })
  if (!made) return login
  await client.query(`GRANT ${ident(own)} TO ${ident(login)} WITH INHERIT TRUE, SET FALSE`)
  const { rows } = await client.query<{ domain: string | null }>(
    `INSERT INTO heddle.login (role, kind, holder, domain) SELECT $1, 'reader', holder, domain FROM heddle.login WHERE role = $2 RETURNING domain`,
    [login, own],
  )
  await limitLogin(client, login, rows[0]?.domain ?? null)
  // Row filters and masks look at `current_user`.
  await client.query(
    `INSERT INTO heddle.attribute (role, name, vals) SELECT $1, name, vals FROM heddle.attribute WHERE role = $2`,
    [login, own],
  )
  return login
}

/** A new password for the reader login; open sessions stay. @throws WAREHOUSE_SUBJECT_UNKNOWN when the subject has no grant */
export async function openReader(site: Site, subject: string, validMs: number): Promise<{ user: string; password: string }> {
  const own = subjectLogin(site.environment, subject)
  const password = newPassword()
  const verifier = scramVerifier(password)
  const user = await transaction(site, { doing: `open the reader login of ${subject}` }, async (client) => {
    // A revocation holds the same row: either it sees this log-in open and shuts it, or this sees that nothing is granted.
    await client.query('SELECT FROM heddle.login WHERE role = $1 FOR UPDATE', [own])
    const { rows } = await client.query<{ until: string }>(
      `SELECT (now() + $2 * interval '1 ms')::text AS until FROM heddle.login l JOIN pg_roles r ON r.rolname = l.role
       WHERE l.role = $1 AND l.kind = 'subject' AND EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)`,
      [own, validMs],
    )
    if (!rows[0]) throw fail('WAREHOUSE_SUBJECT_UNKNOWN', { what: `${subject} has no grant in ${site.environment}` })
    const login = await ensureReader(client, site.environment, subject)
    await client.query('SELECT heddle.return_login($1, NULL)', [login])
    await client.query(`ALTER ROLE ${ident(login)} LOGIN PASSWORD ${literal(verifier)} VALID UNTIL ${literal(rows[0].until)}`)
    return login
  })
  return { user, password }
}

/** Login → its subject, of both kinds: who counts reads by login adds the two. Logins of products (service, prober) are not in it. */
export async function readSubjectsOfLogins(site: Site): Promise<Map<string, string>> {
  const rows = await ask<{ role: string; holder: string }>(
    site,
    `SELECT role, holder FROM heddle.login WHERE kind IN ('subject', 'reader')`,
  )
  return new Map(rows.map(({ role, holder }) => [role, holder]))
}
