import type { Diagnostic } from '../../core/diagnostic.ts'
import { productNames } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place, PlannedColumn, PlannedObject, Revision } from '../../platform/warehouse.ts'
import type { LogicalType } from '../../spec/types.ts'
import { ident } from '../../sql/quote.ts'
import { plannedSettings } from './budgets.ts'
import { alreadyDone, fenced } from './fenced.ts'
import { type Finding, toDiagnostic } from './findings.ts'
import { asKeeper } from './keeper.ts'
import { shut } from './service-pass.ts'
import type { Session, Site } from './session.ts'

type Sealed = { findings: Diagnostic[]; revision: Revision | null }
export type SealRequest = { place: Place; n: number; objects: PlannedObject[]; context: EffectContext }

/** Catalog names of the types each logical type may have; `[]` stands for any array. */
const TYPES: Record<LogicalType, string[]> = {
  string: ['text', 'varchar', 'bpchar', 'uuid'],
  date: ['date'],
  timestamp: ['timestamptz', 'timestamp'],
  time: ['time', 'timetz'],
  number: ['numeric', 'float8', 'float4', 'int8', 'int4', 'int2'],
  integer: ['int8', 'int4', 'int2'],
  object: ['jsonb', 'json'],
  array: ['[]', 'jsonb', 'json'],
  boolean: ['bool'],
}

/** Findings roll the transaction back: they are no effect and are not recorded, so the step can be tried again. */
type Refused = { findings: Diagnostic[] }

export async function seal(site: Site, { place, n, objects, context }: SealRequest): Promise<Sealed> {
  const names = productNames(site.environment, place.domain, place.product)
  const effect = { verb: 'seal', key: String(n), doing: `seal revision ${n} of ${place.domain}/${place.product}` }
  const done = await alreadyDone(site, context, effect)
  if (done) return done.result as Sealed
  await shut(site, names.role.service, context)
  let refused: Refused | null = null
  try {
    return await fenced(site, context, effect, async (client) => {
      const { rows } = await client.query<Finding>('SELECT * FROM heddle.seal($1, $2, $3, $4)', [
        place.id,
        n,
        JSON.stringify(
          objects.map((object) => ({ name: object.name, source: object.from, columns: object.columns.map(toPlanned) })),
        ),
        await plannedSettings(client, place.domain),
      ])
      if (rows.length > 0) {
        refused = { findings: rows.map(toDiagnostic) }
        throw refused
      }
      const revision = { n, objects: await countSealed(client, place.id, names.revision(n), objects) }
      await openToPlatform(client, place.id, names.revision(n), [names.role.prober, names.role.owner, names.role.service])
      await client.query('INSERT INTO heddle.sealed (product, n, objects) VALUES ($1, $2, $3)', [
        place.id,
        n,
        JSON.stringify(revision.objects),
      ])
      return { findings: [], revision }
    })
  } catch (error) {
    if (refused !== null) return { findings: (refused as Refused).findings, revision: null }
    throw error
  }
}

function toPlanned(column: PlannedColumn) {
  return {
    name: column.name,
    declared: column.physicalType ?? column.logicalType,
    physical: column.physicalType,
    types: TYPES[column.logicalType],
  }
}

/** Counted by the keeper on plain tables, before any row filter stands on them. */
async function countSealed(
  client: Session,
  product: string,
  schema: string,
  objects: PlannedObject[],
): Promise<Revision['objects']> {
  return asKeeper(client, product, `count the rows of ${schema}`, async () => {
    const counted: Revision['objects'] = []
    for (const { name, from } of objects) {
      const { rows } = await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${ident(schema)}.${ident(from)}`)
      counted.push({ name, relation: `${schema}.${from}`, rows: Number(rows[0]!.n) })
    }
    return counted
  })
}

/** Prober, owners and the service (which copies its last revision) read what is sealed; consumers only what is served. */
async function openToPlatform(client: Session, product: string, schema: string, readers: string[]): Promise<void> {
  const to = readers.map(ident).join(', ')
  await client.query(`GRANT USAGE ON SCHEMA ${ident(schema)} TO ${to}`)
  await asKeeper(client, product, `open ${schema} to the prober`, async () => {
    await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${ident(schema)} TO ${to}`)
  })
}
