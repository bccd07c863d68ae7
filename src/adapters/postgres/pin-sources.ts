import { fail } from '../../core/fail.ts'
import { productNames, sqlName } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { fenced } from './fenced.ts'
import { asKeeper } from './keeper.ts'
import type { Session, Site } from './session.ts'

type Source = { name: string; relation: string }

/**
 * Replaces the private schema's views by one per source and lets the service read exactly these. A source is a sealed batch of this product, or a live
 * served object of another: its view keeps its identity through a publication, so what was pinned stays pinned. The build schema is emptied, because what
 * an earlier run left there may stand on the old views.
 */
export async function pinSources(site: Site, place: Place, sources: Source[], context: EffectContext): Promise<void> {
  const { private: staging, role } = productNames(site.environment, place.domain, place.product)
  await fenced(
    site,
    context,
    { verb: 'pinSources', key: place.id, doing: `pin the sources of ${place.domain}/${place.product}` },
    async (client) => {
      const relations: { name: string; from: string }[] = []
      for (const source of sources)
        relations.push({ name: sqlName(source.name), from: await checkSource(client, place, staging, source) })
      await client.query('SELECT heddle.clear_build($1)', [place.id])
      const { rows } = await client.query<{ name: string }>(
        `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'v'`,
        [staging],
      )
      if (rows.length > 0)
        await client.query(`DROP VIEW ${rows.map(({ name }) => `${ident(staging)}.${ident(name)}`).join(', ')}`)
      await asKeeper(client, place.id, `pin the sources of ${staging}`, async () => {
        for (const { name, from } of relations) {
          await client.query(`CREATE VIEW ${ident(staging)}.${ident(name)} AS SELECT * FROM ${from}`)
          await client.query(`GRANT SELECT ON ${ident(staging)}.${ident(name)} TO ${ident(role.service)}`)
        }
      })
      return null
    },
  )
}

/** Only what the registry knows to be sealed or served is ever put below a view of ours. */
async function checkSource(client: Session, place: Place, staging: string, { name, relation }: Source): Promise<string> {
  const [schema, table, ...rest] = relation.split('.')
  if (!schema || !table || rest.length > 0)
    throw fail('WAREHOUSE_SOURCE_INVALID', { what: `"${relation.slice(0, 130)}" is not a schema and a relation` })
  const { rowCount } =
    schema === staging
      ? await client.query('SELECT FROM heddle.batch WHERE product = $1 AND relation = $2', [place.id, relation])
      : await client.query(
          `SELECT FROM heddle.served WHERE port = $1 AND state = 'live' AND EXISTS (SELECT FROM jsonb_array_elements(objects) o WHERE o ->> 'name' = $2)`,
          [schema, table],
        )
  if (rowCount === 0)
    throw fail('WAREHOUSE_SOURCE_INVALID', {
      what: `Source ${name} cannot be read`,
      why: `${relation} is neither a sealed batch of this product nor a served object.`,
    })
  return `${ident(schema)}.${ident(table)}`
}
