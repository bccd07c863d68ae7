import { fail } from '../../core/fail.ts'
import { productNames } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place, PortPlace, Proof } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { endSessions } from './end-sessions.ts'
import { alreadyDone, fenced, guarded } from './fenced.ts'
import { ask, type Session, type Site, transaction } from './session.ts'
import { sampleUsage } from './usage.ts'

type Reading = { consumer: Place; at: PortPlace; context: EffectContext }

/** Names on both sides: who reads, with what, and which role lets it. */
function namesOf(site: Site, { consumer, at }: Pick<Reading, 'consumer' | 'at'>) {
  const from = productNames(site.environment, at.place.domain, at.place.product)
  const to = productNames(site.environment, consumer.domain, consumer.product)
  return {
    reader: from.portRole(at.port, at.major),
    port: from.served(at.port, at.major),
    keeper: to.role.keeper,
    service: to.role.service,
    staging: to.private,
    doing: `${consumer.domain}/${consumer.product} reading ${at.place.domain}/${at.place.product}/${at.port} v${at.major}`,
  }
}

/** Views run with their owner's rights, and the consumer's keeper owns the views its runs read: so the keeper is what is granted. */
export async function grantProduct(site: Site, request: Reading & { attributes: Record<string, string[]> }): Promise<void> {
  const { consumer, attributes, context } = request
  const { reader, keeper, service, doing } = namesOf(site, request)
  await fenced(
    site,
    context,
    { verb: 'grantProduct', key: `${consumer.id} ${reader}`, doing: `grant ${doing}` },
    async (client) => {
      await needKeeper(client, site, consumer)
      await client.query(`GRANT ${ident(reader)} TO ${ident(keeper)} WITH INHERIT TRUE, SET FALSE`)
      await writeAttributes(client, service, attributes)
      return null
    },
  )
}

export async function revokeProduct(site: Site, request: Reading): Promise<{ sessionsEnded: number }> {
  const { consumer, context } = request
  const { reader, keeper, service, doing } = namesOf(site, request)
  const effect = { verb: 'revokeProduct', key: `${consumer.id} ${reader}`, doing: `revoke ${doing}` }
  const done = await alreadyDone(site, context, effect)
  if (done) return done.result as { sessionsEnded: number }
  await sampleUsage(site)
  await guarded(site, context, effect.doing, async (client) => {
    if (await isMember(client, keeper, reader)) await client.query(`REVOKE ${ident(reader)} FROM ${ident(keeper)}`)
  })
  // A build under way would go on with what it has begun to read.
  const sessionsEnded = await endSessions(site, service)
  return fenced(site, context, effect, async (client) => {
    await dropViews(client, request, site)
    return { sessionsEnded }
  })
}

async function needKeeper(client: Session, site: Site, consumer: Place): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM heddle.keeper WHERE product = $1', [consumer.id])
  if (rowCount === 0)
    throw fail('WAREHOUSE_OBJECT_MISSING', { what: `${consumer.domain}/${consumer.product} has no roles in ${site.environment}` })
}

async function isMember(client: Session, member: string, role: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member WHERE u.rolname = $1 AND g.rolname = $2`,
    [member, role],
  )
  return rowCount !== 0
}

/** Views without rights do no harm, but the port's old publications could not go while they stand. One that a build stands on goes with the next run. */
async function dropViews(client: Session, request: Reading, site: Site): Promise<void> {
  const { staging, port } = namesOf(site, request)
  await client.query(`SET LOCAL lock_timeout = '1s'`)
  for (const { name, schema } of await readPinned(client, staging))
    if (schema === port || schema.startsWith(`${port}__r`)) {
      await client.query('SAVEPOINT dropping')
      await client.query(`DROP VIEW ${ident(staging)}.${ident(name)}`).then(
        () => client.query('RELEASE SAVEPOINT dropping'),
        () => client.query('ROLLBACK TO SAVEPOINT dropping'),
      )
    }
}

/** The private schema's views and what each stands on. */
export async function readPinned(client: Session, staging: string): Promise<{ name: string; schema: string; table: string }[]> {
  const { rows } = await client.query<{ name: string; schema: string; table: string }>(
    `SELECT DISTINCT v.relname AS name, tn.nspname AS schema, t.relname AS table
     FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace JOIN pg_rewrite r ON r.ev_class = v.oid
     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
     JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
     WHERE n.nspname = $1 AND v.relkind = 'v'`,
    [staging],
  )
  return rows
}

/** Nobody logs in as a product between its runs, so the catalogs are asked what its keeper may read. */
export async function proveProduct(
  site: Site,
  request: Pick<Reading, 'consumer' | 'at'> & { expect: 'granted' | 'revoked' },
): Promise<Proof[]> {
  const { reader, port, keeper } = namesOf(site, request)
  const granted = request.expect === 'granted'
  const at = site.clock.now().toISOString()
  const [member] = await ask<{ is: boolean }>(
    site,
    `SELECT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
       WHERE u.rolname = $1 AND g.rolname = $2 AND m.inherit_option AND NOT m.set_option) AS is`,
    [keeper, reader],
  )
  const objects = await ask<{ name: string; may: boolean }>(
    site,
    `SELECT c.relname AS name, has_table_privilege(k.oid, c.oid, 'SELECT') AND has_schema_privilege(k.oid, n.oid, 'USAGE') AS may
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles k ON k.rolname = $2
     WHERE n.nspname = $1 AND c.relkind = 'v' ORDER BY 1`,
    [port, keeper],
  )
  const proof = (what: string, may: boolean): Proof => ({
    what,
    expected: granted ? 'allowed' : 'refused',
    ok: may === granted,
    sqlstate: null,
    detail: `Asked of the catalogs: ${may ? 'it may' : 'it may not'}.`,
    at,
  })
  return [
    proof(`member of ${reader}`, member!.is),
    ...objects.map(({ name, may }) => proof(`read ${port}.${name} as ${keeper}`, may)),
  ]
}

/** Row filters and masks look at `current_user`, which in a run is the service login. */
export async function setServiceAttributes(site: Site, place: Place, attributes: Record<string, string[]>): Promise<void> {
  const { role } = productNames(site.environment, place.domain, place.product)
  await transaction(site, { doing: `set the attributes of ${place.domain}/${place.product}` }, async (client) => {
    const { rowCount } = await client.query('SELECT FROM heddle.keeper WHERE product = $1', [place.id])
    // An environment where the product has never been has nothing to set; its grant sets them later.
    if (rowCount) await writeAttributes(client, role.service, attributes)
  })
}

async function writeAttributes(client: Session, role: string, attributes: Record<string, string[]>): Promise<void> {
  const names = Object.keys(attributes)
  await client.query('DELETE FROM heddle.attribute WHERE role = $1 AND name <> ALL ($2)', [role, names])
  for (const name of names)
    await client.query(
      `INSERT INTO heddle.attribute AS a (role, name, vals) VALUES ($1, $2, $3)
       ON CONFLICT (role, name) DO UPDATE SET vals = excluded.vals WHERE a.vals IS DISTINCT FROM excluded.vals`,
      [role, name, attributes[name]],
    )
}
