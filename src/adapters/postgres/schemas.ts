import { fail } from '../../core/fail.ts'
import { productNames } from '../../core/names.ts'
import type { Resource } from '../../platform/resource.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { dropSchema } from './drop-schema.ts'
import { fenced } from './fenced.ts'
import { ask, type Session, type Site } from './session.ts'
import { carriesTag, type Tag, writeTag } from './tag.ts'

export function createSchemas(site: Site): Resource<Place, Record<string, never>, { schemas: string[] }> {
  const names = (place: Place) => productNames(site.environment, place.domain, place.product)
  return {
    async read({ id }) {
      const wanted: Record<string, string> = { [names(id).private]: 'private', [names(id).build]: 'build' }
      const found = await ask<{ name: string; comment: string | null }>(
        site,
        `SELECT nspname AS name, obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = ANY ($1) ORDER BY nspname`,
        [Object.keys(wanted)],
      )
      if (found.length === 0) return { state: 'absent' }
      const foreign = found.some(({ name, comment }) => !carriesTag(comment, { heddle: id.id, kind: wanted[name]! }))
      return { state: foreign ? 'foreign' : 'owned', attributes: { schemas: found.map(({ name }) => name) } }
    },
    async reconcile({ id, context }) {
      return fenced(
        site,
        context,
        { verb: 'schemas.reconcile', key: id.id, doing: `make the schemas of ${id.domain}/${id.product}` },
        async (client) => {
          const { private: staging, build, role } = names(id)
          await ensureSchema(client, staging, { heddle: id.id, kind: 'private' })
          await client.query(`GRANT USAGE ON SCHEMA ${ident(staging)} TO ${ident(role.service)}`)
          await client.query(`GRANT USAGE, CREATE ON SCHEMA ${ident(staging)} TO ${ident(role.keeper)}`)
          await ensureSchema(client, build, { heddle: id.id, kind: 'build' })
          await client.query(`GRANT USAGE, CREATE ON SCHEMA ${ident(build)} TO ${ident(role.service)}`)
          return { schemas: [staging, build] }
        },
      )
    },
    /** With them go the product's sealed revisions; served schemas go with their ports. */
    async remove({ id, context }) {
      await fenced(
        site,
        context,
        { verb: 'schemas.remove', key: id.id, doing: `remove the schemas of ${id.domain}/${id.product}` },
        async (client) => {
          const { rows } = await client.query<{ name: string; kind: string }>(
            `SELECT nspname AS name, c.comment::jsonb ->> 'kind' AS kind FROM pg_namespace
           CROSS JOIN LATERAL (SELECT obj_description(oid, 'pg_namespace') AS comment) c
           WHERE nspowner = current_user::regrole AND c.comment IS JSON OBJECT AND c.comment::jsonb ->> 'heddle' = $1 ORDER BY nspname`,
            [id.id],
          )
          if (rows.some(({ kind }) => kind === 'build')) await client.query('SELECT heddle.clear_build($1)', [id.id])
          // views of the private schema stand on nothing below; revisions stand under served views, which must be gone
          for (const { name, kind } of rows)
            if (kind === 'private' || kind === 'build' || kind === 'revision') await dropSchema(client, name)
          await client.query('DELETE FROM heddle.batch WHERE product = $1', [id.id])
          await client.query('DELETE FROM heddle.sealed WHERE product = $1', [id.id])
          return null
        },
      )
    },
  }
}

/** Makes a schema of the provisioner's, or finds ours. @throws PRODUCT_NAME_TAKEN when the name belongs to something else */
export async function ensureSchema(client: Session, schema: string, tag: Tag): Promise<boolean> {
  const { rows } = await client.query<{ comment: string | null }>(
    `SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = $1`,
    [schema],
  )
  if (rows[0]) {
    if (carriesTag(rows[0].comment, tag)) return false
    throw fail('PRODUCT_NAME_TAKEN', {
      what: `Schema ${schema} exists and belongs to something else`,
      why: 'Its comment does not carry the owner tag.',
    })
  }
  await client.query(`CREATE SCHEMA ${ident(schema)}`)
  await client.query(`COMMENT ON SCHEMA ${ident(schema)} IS ${literal(writeTag(tag))}`)
  return true
}
