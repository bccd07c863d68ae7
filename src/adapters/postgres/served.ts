import type { Place, Revision, ServedObject } from '../../platform/warehouse.ts'
import type { BuiltObject } from './build-served.ts'
import { ask, type Site } from './session.ts'

export type Served = {
  port: string
  major: number
  schema: string
  publication: number
  revision: number
  publishedAt: string
  objects: ServedObject[]
}

/** What consumers read now: the live served schemas that stand, with their latest publication. */
export async function readServed(site: Site, place: Place): Promise<Served[]> {
  const rows = await ask<{
    port_name: string
    major: number
    port: string
    n: number
    revision: number
    published_at: Date
    objects: BuiltObject[]
  }>(
    site,
    `SELECT s.port_name, s.major, s.port, s.n, s.revision, r.published_at, s.objects
     FROM heddle.served s JOIN heddle.revision r ON r.port = s.port AND r.n = s.n JOIN pg_namespace n ON n.nspname = s.port
     WHERE s.product = $1 AND s.state = 'live' ORDER BY s.port_name, s.major`,
    [place.id],
  )
  return rows.map((row) => ({
    port: row.port_name,
    major: row.major,
    schema: row.port,
    publication: row.n,
    revision: row.revision,
    publishedAt: row.published_at.toISOString(),
    objects: row.objects.map(({ name, relation, columns, rows: count }) => ({ name, relation, columns, rows: count })),
  }))
}

export async function readSealed(site: Site, place: Place): Promise<Revision[]> {
  return ask<Revision>(site, 'SELECT n, objects FROM heddle.sealed WHERE product = $1 ORDER BY n DESC', [place.id])
}
