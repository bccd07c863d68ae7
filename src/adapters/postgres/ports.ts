import { environmentGroups, productNames } from '../../core/names.ts'
import type { Resource } from '../../platform/resource.ts'
import type { PortPlace } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { dropSchema } from './drop-schema.ts'
import { fenced } from './fenced.ts'
import { asKeeper } from './keeper.ts'
import { ensureRole } from './roles.ts'
import { ask, type Session, type Site } from './session.ts'
import { carriesTag } from './tag.ts'

export function createPorts(site: Site): Resource<PortPlace, Record<string, never>, { role: string }> {
  const names = ({ place }: PortPlace) => productNames(site.environment, place.domain, place.product)
  const effect = (at: PortPlace, verb: string) => ({
    verb,
    key: `${at.port}/v${at.major}`,
    doing: `${verb} ${at.port} v${at.major}`,
  })
  return {
    async read({ id }) {
      const role = names(id).portRole(id.port, id.major)
      const [found] = await ask<{ comment: string | null }>(
        site,
        `SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1`,
        [role],
      )
      if (!found) return { state: 'absent' }
      return {
        state: carriesTag(found.comment, { heddle: id.place.id, kind: 'port' }) ? 'owned' : 'foreign',
        attributes: { role },
      }
    },
    async reconcile({ id, context }) {
      return fenced(site, context, effect(id, 'port.reconcile'), async (client) => {
        const { role } = names(id)
        const reader = names(id).portRole(id.port, id.major)
        await ensureRole(client, reader, { heddle: id.place.id, kind: 'port' })
        // Consumer is the union of the ports; owners read them too
        for (const member of [role.consumer, role.owner])
          await client.query(`GRANT ${ident(reader)} TO ${ident(member)} WITH INHERIT TRUE, SET FALSE`)
        await client.query(
          `GRANT ${ident(environmentGroups(site.environment).connect)} TO ${ident(role.owner)} WITH INHERIT TRUE, SET FALSE`,
        )
        await repairGrants(client, id, names(id).served(id.port, id.major), reader)
        return { role: reader }
      })
    },
    async remove({ id, context }) {
      await fenced(site, context, effect(id, 'port.remove'), async (client) => {
        const { served, servedRevision, portRole } = names(id)
        const port = served(id.port, id.major)
        const { rows } = await client.query<{ n: number; state: string }>(
          'SELECT n, state FROM heddle.served WHERE port = $1 AND product = $2',
          [port, id.place.id],
        )
        for (const { n, state } of rows) await dropSchema(client, state === 'live' ? port : servedRevision(id.port, id.major, n))
        await client.query('SELECT heddle.drop_counters($1, $2)', [id.place.id, port])
        // what was published stays in heddle.revision: numbers of a name never start again
        await client.query('DELETE FROM heddle.served WHERE port = $1 AND product = $2', [port, id.place.id])
        const reader = portRole(id.port, id.major)
        const found = await client.query<{ comment: string | null }>(
          `SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1`,
          [reader],
        )
        if (found.rows[0] && carriesTag(found.rows[0].comment, { heddle: id.place.id, kind: 'port' }))
          await client.query(`DROP ROLE ${ident(reader)}`)
        return null
      })
    },
  }
}

/** Grants somebody took from the live served schema come back. */
async function repairGrants(client: Session, at: PortPlace, schema: string, reader: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN heddle.served s ON s.port = n.nspname AND s.state = 'live'
     WHERE n.nspname = $1 AND s.product = $2 AND c.relkind = 'v'
       AND NOT (has_table_privilege($3, c.oid, 'SELECT') AND has_schema_privilege($3, n.oid, 'USAGE'))`,
    [schema, at.place.id, reader],
  )
  if (rows.length === 0) return
  await client.query(`GRANT USAGE ON SCHEMA ${ident(schema)} TO ${ident(reader)}`)
  await asKeeper(client, at.place.id, `repair the grants of ${schema}`, async () => {
    for (const { name } of rows) await client.query(`GRANT SELECT ON ${ident(schema)}.${ident(name)} TO ${ident(reader)}`)
  })
}
