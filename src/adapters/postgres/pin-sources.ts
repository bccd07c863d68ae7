import { fail } from '../../core/fail.ts'
import { productNames, sqlName } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { PinnedSource, Place } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { fenced } from './fenced.ts'
import { asKeeper } from './keeper.ts'
import { readPinned } from './product-access.ts'
import type { Session, Site } from './session.ts'

type Found = { schema: string; table: string; served: { publication: number; revision: number } | null }
type Relation = Found & { name: string }
export type Pinned = { pinned: { name: string; publication: number; revision: number }[] }

/**
 * Replaces the private schema's views by one per source and lets the service read exactly these. A source is a sealed batch of this product, or a served
 * object of another: its view keeps its identity through a publication, so what was pinned stays pinned, and a view that already stands on the
 * publication asked for is left alone. The build schema is emptied, because what an earlier run left there may stand on the old views.
 */
export async function pinSources(site: Site, place: Place, sources: PinnedSource[], context: EffectContext): Promise<Pinned> {
  const { private: staging, role } = productNames(site.environment, place.domain, place.product)
  return fenced(
    site,
    context,
    { verb: 'pinSources', key: place.id, doing: `pin the sources of ${place.domain}/${place.product}` },
    async (client) => {
      const relations: Relation[] = []
      for (const source of sources)
        relations.push({ name: sqlName(source.name), ...(await checkSource(client, place, staging, source)) })
      await client.query('SELECT heddle.clear_build($1)', [place.id])
      const standing = await readPinned(client, staging)
      // What stands on a demoted publication cannot be made again: nobody may use that schema any more.
      const stands = (wanted: Relation) =>
        wanted.schema !== staging &&
        standing.some(({ name, schema, table }) => name === wanted.name && schema === wanted.schema && table === wanted.table)
      const kept = new Set(relations.filter(stands).map(({ name }) => name))
      const { rows } = await client.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'v'`,
        [staging],
      )
      const gone = rows.filter(({ name }) => !kept.has(name))
      if (gone.length > 0)
        await client.query(`DROP VIEW ${gone.map(({ name }) => `${ident(staging)}.${ident(name)}`).join(', ')}`)
      await asKeeper(client, place.id, `pin the sources of ${staging}`, async () => {
        for (const { name, schema, table } of relations.filter((relation) => !kept.has(relation.name))) {
          await client.query(`CREATE VIEW ${ident(staging)}.${ident(name)} AS SELECT * FROM ${ident(schema)}.${ident(table)}`)
          await client.query(`GRANT SELECT ON ${ident(staging)}.${ident(name)} TO ${ident(role.service)}`)
        }
      })
      return {
        pinned: sources.flatMap(({ name }, index) => {
          const served = relations[index]!.served
          return served ? [{ name, ...served }] : []
        }),
      }
    },
  )
}

/** Only what the registry knows to be sealed or served is ever put below a view of ours. */
async function checkSource(
  client: Session,
  place: Place,
  staging: string,
  { name, relation, publication }: PinnedSource,
): Promise<Found> {
  const [schema, table, ...rest] = relation.split('.')
  if (!schema || !table || rest.length > 0)
    throw fail('WAREHOUSE_SOURCE_INVALID', { what: `"${relation.slice(0, 130)}" is not a schema and a relation` })
  if (schema === staging) {
    const { rowCount } = await client.query('SELECT FROM heddle.batch WHERE product = $1 AND relation = $2', [place.id, relation])
    if (rowCount) return { schema, table, served: null }
  } else {
    const found = (await findServed(client, schema, table, publication)) ?? (await findServed(client, schema, table, publication))
    if (found) return found
  }
  throw fail('WAREHOUSE_SOURCE_INVALID', {
    what: `Source ${name} cannot be read`,
    why: `${relation} is neither a sealed batch of this product nor a served object.`,
  })
}

/** Holds back a switch of the port until the view stands. One that was under way hides the row it waited for, so the caller looks twice. */
async function findServed(client: Session, port: string, table: string, publication: number | undefined): Promise<Found | null> {
  const { rows } = await client.query<{ n: number; state: string; revision: number }>(
    `SELECT n, state, revision FROM heddle.served
     WHERE port = $1 AND (CASE WHEN $3::integer IS NULL THEN state = 'live' ELSE n = $3 AND state <> 'built' END)
       AND EXISTS (SELECT FROM jsonb_array_elements(objects) o WHERE o ->> 'name' = $2) FOR SHARE`,
    [port, table, publication ?? null],
  )
  const row = rows[0]
  if (!row) return null
  const served = { publication: row.n, revision: row.revision }
  return { schema: row.state === 'live' ? port : `${port}__r${row.n}`, table, served }
}
