import { productNames } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { dropSchema, readDependents } from './drop-schema.ts'
import { fenced } from './fenced.ts'
import type { Session, Site } from './session.ts'

export type Collected = { dropped: string[]; kept: string[] }

/** Drops what nothing refers to. What somebody reads or stands on is kept and named; the next call tries again. */
export async function collect(site: Site, place: Place, keep: number[], context: EffectContext): Promise<Collected> {
  const names = productNames(site.environment, place.domain, place.product)
  return fenced(
    site,
    context,
    { verb: 'collect', key: place.id, doing: `collect what ${place.domain}/${place.product} left` },
    async (client) => {
      await client.query(`SET LOCAL lock_timeout = '500ms'`)
      const found: Collected = { dropped: [], kept: [] }
      const served = await client.query<{ port: string; n: number; port_name: string; major: number }>(
        `SELECT port, n, port_name, major FROM heddle.served s WHERE product = $1 AND (state = 'demoted'
         OR (state = 'built' AND EXISTS (SELECT FROM heddle.served l WHERE l.port = s.port AND l.state = 'live' AND l.n > s.n)))`,
        [place.id],
      )
      for (const { port, n, port_name, major } of served.rows)
        if (await tryDrop(client, names.servedRevision(port_name, major, n), found))
          await client.query('DELETE FROM heddle.served WHERE port = $1 AND n = $2', [port, n])
      const revisions = await client.query<{ n: number }>(
        `SELECT n FROM heddle.sealed WHERE product = $1 AND n <> ALL ($2)
         AND n NOT IN (SELECT revision FROM heddle.served WHERE product = $1) ORDER BY n`,
        [place.id, keep],
      )
      for (const { n } of revisions.rows)
        if (await tryDrop(client, names.revision(n), found))
          await client.query('DELETE FROM heddle.sealed WHERE product = $1 AND n = $2', [place.id, n])
      await dropBatches(client, place, found)
      return found
    },
  )
}

/** One schema in a savepoint: a lock somebody holds keeps it, not the rest. */
async function tryDrop(client: Session, schema: string, found: Collected): Promise<boolean> {
  const exists = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])
  if (exists.rowCount === 0) return true
  if ((await readDependents(client, schema)).length > 0) {
    found.kept.push(schema)
    return false
  }
  return attempt(client, schema, found, () => dropSchema(client, schema))
}

async function attempt(client: Session, name: string, found: Collected, drop: () => Promise<unknown>): Promise<boolean> {
  await client.query('SAVEPOINT collecting')
  try {
    await drop()
    await client.query('RELEASE SAVEPOINT collecting')
    found.dropped.push(name)
    return true
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT collecting')
    if (!(error instanceof Error && 'code' in error && ['55P03', '2BP01', 'WAREHOUSE_OBJECT_USED'].includes(String(error.code))))
      throw error
    found.kept.push(name)
    return false
  }
}

/** Batches older than the one that is pinned, when no view stands on them. A batch newer than the pinned one waits for its run. */
async function dropBatches(client: Session, place: Place, found: Collected): Promise<void> {
  const { rows } = await client.query<{ source: string; n: number; relation: string }>(
    `WITH pinned AS (
       SELECT b.source, b.n FROM heddle.batch b
       JOIN pg_class c ON c.oid = to_regclass(b.relation)
       WHERE b.product = $1 AND EXISTS (
         SELECT FROM pg_depend d WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
     )
     SELECT b.source, b.n, b.relation FROM heddle.batch b
     WHERE b.product = $1 AND b.n < (SELECT min(p.n) FROM pinned p WHERE p.source = b.source) ORDER BY b.source, b.n`,
    [place.id],
  )
  for (const { source, n, relation } of rows) {
    const table = relation.split('.').map(ident).join('.')
    if (await attempt(client, relation, found, () => client.query(`DROP TABLE IF EXISTS ${table} RESTRICT`)))
      await client.query('DELETE FROM heddle.batch WHERE product = $1 AND source = $2 AND n = $3', [place.id, source, n])
  }
}
