import { fail } from '../../core/fail.ts'
import { productNames } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { takeMembership } from './access.ts'
import { dropSchema } from './drop-schema.ts'
import { endSessions } from './end-sessions.ts'
import { alreadyDone, fenced, guarded } from './fenced.ts'
import { ask, type Session, type Site } from './session.ts'
import { readStanding } from './standing.ts'
import { sampleUsage } from './usage.ts'

type Removed = { schemas: string[]; roles: string[]; sessionsEnded: number }

/** A served view stands on a revision, what is private on batches beside it. */
const ORDER = ['served', 'private', 'build', 'revision']

/**
 * Takes everything of a product out of an environment. First nobody can come in and nobody is in, then one transaction drops it all, so there is no half of
 * it; only schemas and roles with the product's tag go. What others built on it stops it before anything is changed.
 */
export async function removeProduct(site: Site, place: Place, context: EffectContext): Promise<Removed> {
  const address = `${place.domain}/${place.product}`
  const effect = { verb: 'product.remove', key: place.id, doing: `remove ${address}` }
  const done = await alreadyDone(site, context, effect)
  if (done) return done.result as Removed
  const { dependents } = await readStanding(site, place)
  if (dependents.length > 0)
    throw fail('WAREHOUSE_OBJECT_USED', {
      what: `${address} cannot go in ${site.environment}`,
      why: `On it stand ${dependents.slice(0, 5).join(', ')}.`,
    })
  await sampleUsage(site)
  let sessionsEnded = await shutLogins(site, place, context)
  sessionsEnded += await letReadersGo(site, place, context)
  return fenced(site, context, effect, async (client) => {
    const schemas = await tagged(client, SCHEMAS, place)
    const roles = await tagged(client, ROLES, place)
    if (schemas.some(({ kind }) => kind === 'build')) await client.query('SELECT heddle.clear_build($1)', [place.id])
    for (const kind of ORDER) for (const schema of schemas) if (schema.kind === kind) await dropSchema(client, schema.name)
    await client.query('SELECT heddle.drop_counters($1, NULL)', [place.id])
    for (const { name, kind } of roles) if (kind !== 'keeper') await client.query(`DROP ROLE ${ident(name)}`)
    await client.query('SELECT heddle.drop_keeper($1)', [place.id])
    for (const table of ['served', 'sealed', 'batch', 'owner'])
      await client.query(`DELETE FROM heddle.${ident(table)} WHERE product = $1`, [place.id])
    await client.query('DELETE FROM heddle.attribute WHERE role = ANY ($1)', [roles.map(({ name }) => name)])
    await client.query('DELETE FROM heddle.login WHERE holder = $1', [place.id])
    await client.query('DELETE FROM heddle.product WHERE id = $1', [place.id])
    const kept = schemas.filter(({ kind }) => !ORDER.includes(kind)).map(({ name }) => name)
    if (kept.length > 0)
      throw fail('WAREHOUSE_OBJECT_USED', { what: `What is ${kept.join(', ')}? It carries the tag of ${address}` })
    return { schemas: schemas.map(({ name }) => name), roles: roles.map(({ name }) => name), sessionsEnded }
  })
}

const SCHEMAS = `SELECT n.nspname AS name, c.comment::jsonb ->> 'kind' AS kind FROM pg_namespace n
  CROSS JOIN LATERAL (SELECT obj_description(n.oid, 'pg_namespace') AS comment) c
  WHERE n.nspowner = current_user::regrole AND CASE WHEN c.comment IS JSON OBJECT THEN c.comment::jsonb ->> 'heddle' = $1 ELSE false END ORDER BY 1`
/** Roles belong to the server: another environment's of the same product carry the same tag. */
const ROLES = `SELECT r.rolname AS name, c.comment::jsonb ->> 'kind' AS kind FROM pg_roles r
  CROSS JOIN LATERAL (SELECT shobj_description(r.oid, 'pg_authid') AS comment) c
  WHERE CASE WHEN c.comment IS JSON OBJECT THEN c.comment::jsonb ->> 'heddle' = $1 ELSE false END
    AND starts_with(r.rolname, (SELECT name FROM heddle.environment) || '__') ORDER BY 1`

async function tagged(client: Session, sql: string, place: Place): Promise<{ name: string; kind: string }[]> {
  return (await client.query<{ name: string; kind: string }>(sql, [place.id])).rows
}

async function shutLogins(site: Site, place: Place, context: EffectContext): Promise<number> {
  const { role } = productNames(site.environment, place.domain, place.product)
  let ended = 0
  for (const login of [role.service, role.prober]) {
    const shut = await guarded(site, context, `shut ${login}`, async (client) => {
      const found = (await tagged(client, ROLES, place)).some(({ name }) => name === login)
      if (found) await client.query(`ALTER ROLE ${ident(login)} NOLOGIN PASSWORD NULL`)
      return found
    })
    if (shut) ended += await endSessions(site, login)
  }
  return ended
}

/** Their logins stay, with whatever else they may read; their sessions end, because an open one holds what is about to go. */
async function letReadersGo(site: Site, place: Place, context: EffectContext): Promise<number> {
  const members = await ask<{ login: string; role: string }>(
    site,
    `SELECT u.rolname AS login, g.name AS role FROM (${ROLES}) AS g JOIN pg_roles r ON r.rolname = g.name JOIN pg_auth_members m ON m.roleid = r.oid
     JOIN pg_roles u ON u.oid = m.member JOIN heddle.login l ON l.role = u.rolname AND l.kind = 'subject' ORDER BY 1, 2`,
    [place.id],
  )
  let ended = 0
  for (const login of new Set(members.map((member) => member.login))) {
    await guarded(site, context, `let ${login} go`, async (client) => {
      for (const { role } of members.filter((member) => member.login === login))
        await takeMembership(client, site.environment, login, role)
    })
    ended += await endSessions(site, login)
  }
  return ended
}
