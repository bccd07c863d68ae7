import { fail } from '../../core/fail.ts'
import type { ProductNames } from '../../core/names.ts'
import { environmentGroups, productNames, subjectLogin } from '../../core/names.ts'
import type { Resource } from '../../platform/resource.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { limitLogin } from './budgets.ts'
import { endSessions } from './end-sessions.ts'
import { fenced, guarded } from './fenced.ts'
import { ask, type Session, type Site } from './session.ts'
import { carriesTag, type Tag, writeTag } from './tag.ts'

const KINDS = ['consumer', 'service', 'owner', 'keeper', 'prober'] as const

export function createRoles(site: Site): Resource<Place, { owners: string[] }, { roles: string[] }> {
  const names = (place: Place) => productNames(site.environment, place.domain, place.product)
  return {
    async read({ id }) {
      const found = await readRoles(site, names(id))
      if (found.length === 0) return { state: 'absent' }
      const foreign = found.some(({ kind, comment }) => !carriesTag(comment, { heddle: id.id, kind }))
      return { state: foreign ? 'foreign' : 'owned', attributes: { roles: found.map(({ role }) => role) } }
    },
    async reconcile({ id, desired, context }) {
      return fenced(
        site,
        context,
        { verb: 'roles.reconcile', key: id.id, doing: `make the roles of ${id.domain}/${id.product}` },
        (client) => makeRoles(client, site.environment, id, desired.owners),
      )
    },
    async remove({ id, context }) {
      const { role } = names(id)
      const found = await readRoles(site, names(id))
      const ours = found.filter(({ kind, comment }) => carriesTag(comment, { heddle: id.id, kind }))
      for (const login of [role.service, role.prober])
        if (ours.some((one) => one.role === login)) {
          await guarded(
            site,
            context,
            `shut ${login}`,
            async (client) => void (await client.query(`ALTER ROLE ${ident(login)} NOLOGIN`)),
          )
          await endSessions(site, login)
        }
      await fenced(
        site,
        context,
        { verb: 'roles.remove', key: id.id, doing: `remove the roles of ${id.domain}/${id.product}` },
        async (client) => {
          for (const { role: one, kind } of ours) if (kind !== 'keeper') await client.query(`DROP ROLE IF EXISTS ${ident(one)}`)
          await client.query('SELECT heddle.drop_keeper($1)', [id.id])
          await client.query(`DELETE FROM heddle.login WHERE holder = $1`, [id.id])
          await client.query('DELETE FROM heddle.owner WHERE product = $1', [id.id])
          await client.query('DELETE FROM heddle.product WHERE id = $1', [id.id])
          return null
        },
      )
    },
  }
}

async function readRoles(site: Site, names: ProductNames): Promise<{ role: string; kind: string; comment: string | null }[]> {
  const rows = await ask<{ role: string; comment: string | null }>(
    site,
    `SELECT rolname AS role, shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = ANY ($1)`,
    [Object.values(names.role)],
  )
  return rows.map((row) => ({ ...row, kind: KINDS.find((kind) => names.role[kind] === row.role)! }))
}

async function makeRoles(client: Session, environment: string, place: Place, owners: string[]): Promise<{ roles: string[] }> {
  const names = productNames(environment, place.domain, place.product)
  const { role } = names
  await register(client, place, names)
  await ensureRole(client, role.consumer, { heddle: place.id, kind: 'consumer' })
  await ensureRole(client, role.owner, { heddle: place.id, kind: 'owner' })
  await ensureRole(client, role.service, { heddle: place.id, kind: 'service' })
  await ensureRole(client, role.prober, { heddle: place.id, kind: 'prober' })
  await client.query('SELECT heddle.ensure_keeper($1, $2)', [role.keeper, place.id])
  const { connect, job } = environmentGroups(environment)
  // dbt's incremental and snapshot models need temporary tables; nobody else gets them
  await client.query(`GRANT ${ident(job)} TO ${ident(role.service)} WITH INHERIT TRUE, SET FALSE`)
  await client.query(`GRANT ${ident(connect)} TO ${ident(role.prober)} WITH INHERIT TRUE, SET FALSE`)
  for (const [kind, login] of [
    ['service', role.service],
    ['prober', role.prober],
  ])
    await client.query(
      `INSERT INTO heddle.login (role, kind, holder, domain) VALUES ($1, $2, $3, $4)
       ON CONFLICT (role) DO UPDATE SET holder = excluded.holder, domain = excluded.domain`,
      [login, kind, place.id, place.domain],
    )
  await limitLogin(client, role.service, place.domain)
  await limitLogin(client, role.prober, place.domain)
  await convergeOwners(client, environment, place, role.owner, owners)
  return { roles: Object.values(role) }
}

/** The registry row makes a name belong to a UUID; two products whose names become one in SQL collide here. */
async function register(client: Session, place: Place, names: ProductNames): Promise<void> {
  await client.query(
    `INSERT INTO heddle.product (id, domain, name, base, service) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
    [place.id, place.domain, place.product, names.private, names.role.service],
  )
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM heddle.product WHERE id = $1 OR base = $4 OR service = $5 OR (domain = $2 AND name = $3)`,
    [place.id, place.domain, place.product, names.private, names.role.service],
  )
  if (rows.some(({ id }) => id !== place.id))
    throw fail('PRODUCT_NAME_TAKEN', {
      what: `The name ${place.domain}/${place.product} is taken in this environment`,
      why: `Its schema ${names.private} belongs to another product.`,
    })
}

/** Makes a role that cannot log in, or finds ours. @throws PRODUCT_NAME_TAKEN when the name belongs to something else */
export async function ensureRole(client: Session, role: string, tag: Tag): Promise<boolean> {
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1`,
    [role],
  )
  if (rows[0]) {
    if (carriesTag(rows[0].comment, tag)) return false
    throw fail(tag.kind === 'subject' || tag.kind === 'reader' ? 'PLATFORM_RESOURCE_FOREIGN' : 'PRODUCT_NAME_TAKEN', {
      what: `Role ${role} exists and belongs to something else`,
      why: 'Its comment does not carry the owner tag.',
    })
  }
  await client.query(`CREATE ROLE ${ident(role)} NOLOGIN NOINHERIT`)
  await client.query(`COMMENT ON ROLE ${ident(role)} IS ${literal(writeTag(tag))}`)
  return true
}

/** Owners named by the spec come and go with it; those granted by request stay. */
async function convergeOwners(
  client: Session,
  environment: string,
  place: Place,
  ownerRole: string,
  owners: string[],
): Promise<void> {
  const wanted = owners.map((subject) => subjectLogin(environment, subject))
  for (const [index, login] of wanted.entries()) {
    await ensureLogin(client, environment, owners[index]!)
    await client.query(
      `INSERT INTO heddle.owner (product, login, by_spec) VALUES ($1, $2, true) ON CONFLICT (product, login) DO UPDATE SET by_spec = true`,
      [place.id, login],
    )
    await admit(client, environment, login, ownerRole)
  }
  const gone = await client.query<{ login: string }>(
    `UPDATE heddle.owner SET by_spec = false WHERE product = $1 AND by_spec AND login <> ALL ($2) RETURNING login`,
    [place.id, wanted],
  )
  const { rows } = await client.query<{ login: string }>(
    `DELETE FROM heddle.owner WHERE product = $1 AND login = ANY ($2) AND NOT by_request RETURNING login`,
    [place.id, gone.rows.map(({ login }) => login)],
  )
  for (const { login } of rows) await client.query(`REVOKE ${ident(ownerRole)} FROM ${ident(login)}`)
}

/** The subject's own login, which cannot log in before a credential is issued. */
export async function ensureLogin(client: Session, environment: string, subject: string): Promise<string> {
  const login = subjectLogin(environment, subject)
  const made = await ensureRole(client, login, { heddle: subject, kind: 'subject' })
  await client.query(`INSERT INTO heddle.login (role, kind, holder) VALUES ($1, 'subject', $2) ON CONFLICT (role) DO NOTHING`, [
    login,
    subject,
  ])
  if (made) await limitLogin(client, login, null)
  return login
}

/** Membership that lends its rights and cannot be switched to. */
export async function admit(client: Session, environment: string, login: string, role: string): Promise<void> {
  const { connect } = environmentGroups(environment)
  await client.query(`GRANT ${ident(connect)}, ${ident(role)} TO ${ident(login)} WITH INHERIT TRUE, SET FALSE`)
}
