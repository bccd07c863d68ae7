import type pg from 'pg'
import { productNames } from '../../core/names.ts'
import type { Measured, MeasureRequest, ServedObject } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { asProber } from './prober.ts'
import { relationSql } from './relation.ts'
import { readServed, type Served } from './served.ts'
import { type Site, transaction } from './session.ts'
import { sqlstate, translate } from './translate.ts'

const STATEMENT_MS = 5_000
const LOCK_MS = 1_000
const REFUSED = '42501'
const ABSENT = ['42P01', '3F000']
/** The publication came between the session's snapshot and the view: the next statement sees it. */
const NEWER = '40001'

type Wanted = MeasureRequest['ports'][number]['objects'][number]

/** Reads the served view as a consumer would, and counts on the sealed table below it, where no row filter hides rows from the prober. */
export async function measure(site: Site, { place, ports }: MeasureRequest): Promise<Measured[]> {
  const served = await readServed(site, place)
  await admitProber(site, { place, ports })
  return asProber(site, place, async (client) => {
    await client.query(`SET statement_timeout = ${STATEMENT_MS}; SET lock_timeout = ${LOCK_MS}; SET timezone = 'UTC'`)
    const measured: Measured[] = []
    for (const { port, major, objects } of ports) {
      const live = served.find((each) => each.port === port && each.major === major)
      for (const object of objects) measured.push(await measureObject(client, { port, major, live, object }))
    }
    return measured
  })
}

/** The prober reads what the port's read role reads, so that "readable" means "readable to a consumer". */
async function admitProber(site: Site, { place, ports }: MeasureRequest): Promise<void> {
  const names = productNames(site.environment, place.domain, place.product)
  const readers = ports.map(({ port, major }) => names.portRole(port, major))
  await transaction(site, { doing: `let the prober read what ${place.domain}/${place.product} serves` }, async (client) => {
    const { rows } = await client.query<{ role: string }>(
      `SELECT r.rolname AS role FROM pg_roles r JOIN pg_roles p ON p.rolname = $2
       WHERE r.rolname = ANY ($1) AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.roleid = r.oid AND m.member = p.oid AND m.inherit_option)`,
      [readers, names.role.prober],
    )
    for (const { role } of rows)
      await client.query(`GRANT ${ident(role)} TO ${ident(names.role.prober)} WITH INHERIT TRUE, SET FALSE`)
  })
}

async function measureObject(
  client: pg.Client,
  { port, major, live, object }: { port: string; major: number; live: Served | undefined; object: Wanted },
): Promise<Measured> {
  const known = live?.objects.find(({ name }) => name === object.name)
  const nothing: Measured = {
    port,
    major,
    object: object.name,
    exists: false,
    readable: false,
    rows: null,
    newest: null,
    publishedAt: live?.publishedAt ?? null,
    error: null,
  }
  if (!live || !known) return nothing
  try {
    await readOne(client, `SELECT 1 FROM ${ident(live.schema)}.${ident(object.name)} LIMIT 1`)
    return { ...nothing, exists: true, readable: true, ...(await countSealed(client, known, object)) }
  } catch (error) {
    const state = sqlstate(error)
    if (state === REFUSED) return { ...nothing, exists: true }
    if (state !== null && ABSENT.includes(state)) return nothing
    return { ...nothing, exists: true, error: translate(error, `measure ${live.schema}.${object.name}`).code }
  }
}

async function countSealed(
  client: pg.Client,
  { relation, columns }: ServedObject,
  { element, count }: Wanted,
): Promise<Pick<Measured, 'rows' | 'newest'>> {
  const asked = [
    count ? 'count(*)' : 'NULL::bigint',
    element !== null && columns.includes(element) ? `extract(epoch FROM max(${ident(element)})::timestamptz)` : 'NULL::numeric',
  ]
  if (!count && element === null) return { rows: null, newest: null }
  const [rows, seconds] = await readOne(client, `SELECT ${asked.join(', ')} FROM ${relationSql(relation)}`)
  return {
    rows: rows === null || rows === undefined ? null : Number(rows),
    newest: seconds === null || seconds === undefined ? null : new Date(Number(seconds) * 1000).toISOString(),
  }
}

async function readOne(client: pg.Client, text: string): Promise<unknown[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' })
      return rows[0] ?? []
    } catch (error) {
      if (sqlstate(error) !== NEWER || attempt === 3) throw error
    }
  }
}
