import { createHash } from 'node:crypto'
import { fail } from '../../core/fail.ts'
import { productNames } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { PortPlace, Revision, ServedObject } from '../../platform/warehouse.ts'
import { columnsOf } from '../../policy/columns.ts'
import type { Mask, RowFilter } from '../../policy/types.ts'
import { ident, literal } from '../../sql/quote.ts'
import { dropSchema } from './drop-schema.ts'
import { fenced } from './fenced.ts'
import { asKeeper } from './keeper.ts'
import { filterSql, maskSql, type PolicyNames } from './policy-sql.ts'
import { relationSql } from './relation.ts'
import { ensureSchema } from './schemas.ts'
import type { Session, Site } from './session.ts'

export type ServedPlan = { name: string; columns: string[]; masks: Mask[]; rowFilters: RowFilter[] }
/** What `heddle.served.objects` holds: enough to tell consumers, and to prove the policies later. */
export type BuiltObject = ServedObject & { masks: Mask[]; rowFilters: RowFilter[]; types: Record<string, string> }
export type ServeRequest = { at: PortPlace; revision: Revision; objects: ServedPlan[]; context: EffectContext }
type Building = {
  request: ServeRequest
  port: string
  schema: string
  number: number
  policy: PolicyNames
  readers: string[]
  reader: string
}

/** The complete served schema of a coming publication. Nobody may use it before it is switched in. */
export async function buildServed(site: Site, request: ServeRequest): Promise<{ schema: string }> {
  const { at, revision, context } = request
  const { place } = at
  const names = productNames(site.environment, place.domain, place.product)
  const port = names.served(at.port, at.major)
  return fenced(site, context, { verb: 'buildServed', key: port, doing: `build what ${port} will serve` }, async (client) => {
    await client.query(`SET LOCAL lock_timeout = '500ms'`)
    await dropUnpublished(client, request, names.servedRevision)
    const number = await nextNumber(client, port)
    const schema = names.servedRevision(at.port, at.major, number)
    const building: Building = {
      request,
      port,
      schema,
      number,
      policy: { roles: names.role, portRole: names.portRole(at.port, at.major), domain: place.domain },
      readers: [names.role.prober, names.role.owner, names.role.service],
      reader: names.portRole(at.port, at.major),
    }
    const objects = await planObjects(client, building)
    await ensureSchema(client, schema, { heddle: place.id, kind: 'served' })
    await client.query(`GRANT USAGE, CREATE ON SCHEMA ${ident(schema)} TO ${ident(names.role.keeper)}`)
    if (request.objects.some(({ masks }) => masks.some(({ method }) => method === 'hash')))
      await client.query('SELECT heddle.ensure_mask_key($1)', [place.domain])
    await client.query('SELECT heddle.ensure_counter($1, $2, $3, $4, $5)', [port, place.id, at.port, at.major, building.reader])
    await asKeeper(client, place.id, `build ${schema}`, async (keeper) => {
      for (const object of objects) {
        await filterTable(client, building, keeper, object)
        await createView(client, building, object)
      }
    })
    await client.query(`REVOKE CREATE ON SCHEMA ${ident(schema)} FROM ${ident(names.role.keeper)}`)
    await checkDepends(client, schema, port, objects)
    await client.query(
      `INSERT INTO heddle.served (port, n, product, port_name, major, revision, state, objects) VALUES ($1, $2, $3, $4, $5, $6, 'built', $7)`,
      [
        port,
        number,
        place.id,
        at.port,
        at.major,
        revision.n,
        JSON.stringify(objects.map(({ types, ...object }) => ({ ...object, types: Object.fromEntries(types) }))),
      ],
    )
    return { schema }
  })
}

/** What an earlier run built and never published. */
async function dropUnpublished(
  client: Session,
  { at }: ServeRequest,
  schemaOf: (port: string, major: number, n: number) => string,
): Promise<void> {
  const { rows } = await client.query<{ n: number }>(
    `DELETE FROM heddle.served WHERE product = $1 AND port_name = $2 AND major = $3 AND state = 'built' RETURNING n`,
    [at.place.id, at.port, at.major],
  )
  for (const { n } of rows) await dropSchema(client, schemaOf(at.port, at.major, n))
}

/** Publications of a name are counted for ever, also across a product that was retired and made again: the guard's row must never fit an old view. */
async function nextNumber(client: Session, port: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    'SELECT 1 + greatest((SELECT max(n) FROM heddle.served WHERE port = $1), (SELECT max(n) FROM heddle.revision WHERE port = $1), 0) AS n',
    [port],
  )
  return rows[0]!.n
}

type PlannedView = Omit<BuiltObject, 'types'> & { types: Map<string, string> }

async function planObjects(client: Session, { request: { at, revision, objects } }: Building): Promise<PlannedView[]> {
  const { rows } = await client.query<{ objects: Revision['objects'] }>(
    'SELECT objects FROM heddle.sealed WHERE product = $1 AND n = $2',
    [at.place.id, revision.n],
  )
  if (!rows[0])
    throw fail('WAREHOUSE_OBJECT_MISSING', {
      what: `Revision ${revision.n} of ${at.place.domain}/${at.place.product} is not sealed here`,
    })
  const planned: PlannedView[] = []
  for (const object of objects) {
    const sealed = rows[0].objects.find(({ name }) => name === object.name)
    if (!sealed) throw fail('WAREHOUSE_OBJECT_MISSING', { what: `Revision ${revision.n} holds no ${object.name}` })
    const types = await readTypes(client, sealed.relation)
    const filtered = object.rowFilters.flatMap(({ condition }) => columnsOf(condition))
    const needed = [...object.columns, ...object.masks.map(({ column }) => column), ...filtered]
    for (const column of needed)
      if (!types.has(column))
        throw fail('WAREHOUSE_COLUMN_MISSING', { what: `${object.name}.${column} is not in revision ${revision.n}` })
    planned.push({ ...object, relation: sealed.relation, rows: sealed.rows, types })
  }
  return planned
}

async function readTypes(client: Session, relation: string): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [relationSql(relation)],
  )
  return new Map(rows.map(({ name, type }) => [name, type]))
}

/**
 * Row filters are restrictive policies: all of them hold, those of another port on the same table too. Table owner and platform get a policy each. What
 * already stands is left alone: on a table that is being read, DDL would make new readers wait.
 */
async function filterTable(client: Session, building: Building, keeper: string, object: PlannedView): Promise<void> {
  const { port, policy, readers } = building
  const table = relationSql(object.relation)
  const wanted = object.rowFilters.map((filter, index) => {
    const using = filterSql(filter, policy, object.types)
    return { name: `${port}:${index + 1}`, using, hash: createHash('sha256').update(using).digest('hex') }
  })
  const { rows } = await client.query<{ name: string; hash: string | null }>(
    `SELECT polname AS name, obj_description(oid, 'pg_policy') AS hash FROM pg_policy WHERE polrelid = to_regclass($1)`,
    [table],
  )
  const ours = rows.filter(({ name }) => name.startsWith(`${port}:`))
  const same = wanted.every(({ name, hash }) => ours.some((one) => one.name === name && one.hash === hash))
  if (same && ours.length === wanted.length) return
  for (const { name } of ours) await client.query(`DROP POLICY ${ident(name)} ON ${table}`)
  if (wanted.length > 0 && !rows.some(({ name }) => name === 'heddle_all')) {
    await client.query(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`)
    await client.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`)
    await client.query(`CREATE POLICY heddle_all ON ${table} FOR SELECT TO ${ident(keeper)} USING (true)`)
    // without it prober, owner and service would silently read no row at all
    await client.query(`CREATE POLICY heddle_platform ON ${table} FOR SELECT TO ${readers.map(ident).join(', ')} USING (true)`)
  }
  for (const { name, using, hash } of wanted) {
    await client.query(`CREATE POLICY ${ident(name)} ON ${table} AS RESTRICTIVE FOR SELECT TO ${ident(keeper)} USING (${using})`)
    await client.query(`COMMENT ON POLICY ${ident(name)} ON ${table} IS ${literal(hash)}`)
  }
}

async function createView(
  client: Session,
  { port, number, schema, policy, reader }: Building,
  object: PlannedView,
): Promise<void> {
  const columns = object.columns.map((name) => {
    const mask = object.masks.find(({ column }) => column === name)
    return mask ? `${maskSql(mask, policy, object.types)} AS ${ident(name)}` : ident(name)
  })
  const view = `${ident(schema)}.${ident(object.name)}`
  // once per statement; a read that the guard refuses is not counted
  const guard = `(SELECT heddle.seen(${literal(port)}, ${number}) AND heddle_usage.${ident(port)}())`
  await client.query(`CREATE VIEW ${view} AS SELECT ${columns.join(', ')} FROM ${relationSql(object.relation)} WHERE ${guard}`)
  await client.query(`GRANT SELECT ON ${view} TO ${ident(reader)}`)
}

/** A served view reads the revision's own tables, the reader's attributes and the mask key, and calls the guard and its port's counter: nothing else. */
async function checkDepends(client: Session, schema: string, port: string, objects: PlannedView[]): Promise<void> {
  const allowed = [...objects.map(({ relation }) => relationSql(relation)), 'heddle.attribute', 'heddle.mask_key']
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT i.identity AS name
     FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
     CROSS JOIN LATERAL pg_identify_object(d.refclassid, d.refobjid, 0) i
     WHERE v.relnamespace = $1::regnamespace AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid = v.oid)
       AND NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT to_regclass(a) FROM unnest($2::text[]) a))
       AND NOT (d.refclassid = 'pg_proc'::regclass AND d.refobjid IN ('heddle.seen(text, integer)'::regprocedure, $3::regprocedure))`,
    [ident(schema), allowed, `heddle_usage.${ident(port)}()`],
  )
  if (rows.length > 0)
    throw fail('WAREHOUSE_SERVED_DEPENDS', {
      what: `${schema} reads outside its revision`,
      why: rows.map(({ name }) => name).join(', '),
    })
}
