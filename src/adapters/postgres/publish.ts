import { fail } from '../../core/fail.ts'
import { productNames } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place, Revision } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import type { BuiltObject } from './build-served.ts'
import { fenced } from './fenced.ts'
import type { Session, Site } from './session.ts'

export type PublishRequest = {
  place: Place
  revision: Revision
  ports: { port: string; major: number }[]
  release: string
  context: EffectContext
}
type Switched = { port: string; major: number; schema: string; publication: number; objects: { name: string; rows: number }[] }

const OUTBOX_CHANNEL = 'heddle_outbox'

/**
 * The switch: for every port the schema consumers read is renamed away, loses its readers, and the built one takes its name; guard rows and outbox event
 * go in the same transaction. Renaming waits for no reader; the lock timeout is for other DDL.
 */
export async function publish(site: Site, request: PublishRequest): Promise<{ publishedAt: string }> {
  const { place, revision, ports, release, context } = request
  const effect = {
    verb: 'publish',
    key: String(revision.n),
    doing: `publish revision ${revision.n} of ${place.domain}/${place.product}`,
    tries: 5,
  }
  return fenced(site, context, effect, async (client) => {
    await client.query(`SET LOCAL lock_timeout = '2s'`)
    const { rows } = await client.query<{ at: string }>(
      `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at`,
    )
    const publishedAt = rows[0]!.at
    const switched: Switched[] = []
    for (const port of ports) switched.push(await switchPort(client, site, request, port, publishedAt))
    const payload = { revision: revision.n, release, run: context.fence.run, publishedAt, ports: switched }
    await client.query('INSERT INTO heddle.outbox (kind, product, payload) VALUES ($1, $2, $3)', [
      'publication',
      place.id,
      JSON.stringify(payload),
    ])
    await client.query(`NOTIFY ${OUTBOX_CHANNEL}`)
    return { publishedAt }
  })
}

async function switchPort(
  client: Session,
  site: Site,
  { place, revision, release }: PublishRequest,
  { port, major }: { port: string; major: number },
  publishedAt: string,
): Promise<Switched> {
  const names = productNames(site.environment, place.domain, place.product)
  const live = names.served(port, major)
  const reader = ident(names.portRole(port, major))
  const { rows } = await client.query<{ n: number; state: string; revision: number; objects: BuiltObject[] }>(
    `SELECT n, state, revision, objects FROM heddle.served WHERE port = $1 AND product = $2 AND state IN ('built', 'live') ORDER BY n FOR UPDATE`,
    [live, place.id],
  )
  const built = rows.find((row) => row.state === 'built' && row.revision === revision.n)
  if (!built)
    throw fail('WAREHOUSE_OBJECT_MISSING', { what: `Nothing is built to serve revision ${revision.n} at ${port} v${major}` })
  const before = rows.find(({ state }) => state === 'live')
  if (before) {
    const demoted = ident(names.servedRevision(port, major, before.n))
    await client.query(`ALTER SCHEMA ${ident(live)} RENAME TO ${demoted}`)
    await client.query(`REVOKE USAGE ON SCHEMA ${demoted} FROM ${reader}`)
    await client.query(`UPDATE heddle.served SET state = 'demoted' WHERE port = $1 AND n = $2`, [live, before.n])
  }
  await client.query(`ALTER SCHEMA ${ident(names.servedRevision(port, major, built.n))} RENAME TO ${ident(live)}`)
  await client.query(`GRANT USAGE ON SCHEMA ${ident(live)} TO ${reader}`)
  await client.query(`UPDATE heddle.served SET state = 'live' WHERE port = $1 AND n = $2`, [live, built.n])
  await client.query('UPDATE heddle.counter SET since = $2 WHERE port = $1 AND since IS NULL', [live, publishedAt])
  await client.query(
    'INSERT INTO heddle.revision (port, n, product, revision, release, published_at) VALUES ($1, $2, $3, $4, $5, $6)',
    [live, built.n, place.id, revision.n, release, publishedAt],
  )
  return { port, major, schema: live, publication: built.n, objects: built.objects.map(({ name, rows }) => ({ name, rows })) }
}
