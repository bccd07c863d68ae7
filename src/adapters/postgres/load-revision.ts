import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom } from 'pg-copy-streams'
import { fail } from '../../core/fail.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { ExportedColumn, Place } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { COLUMN_TYPE } from './load-batch.ts'
import { closeService, openService } from './service-pass.ts'
import { connectAs, type Site } from './session.ts'
import { translate } from './translate.ts'

export type LoadRequest = {
  place: Place
  tables: { name: string; columns: ExportedColumn[]; csv(): Promise<Readable> }[]
  context: EffectContext
}

const PASS_MS = 2 * 3_600_000
const CLOSE_MS = 15_000

/**
 * Puts archived tables where dbt would have built them, with the rights dbt would have had: whoever could have changed an archive gains no more than a
 * push could, and the seal judges them like anything that was built. Opening the login empties the build schema, so a repeat starts afresh.
 */
export async function loadRevision(
  site: Site,
  { place, tables, context }: LoadRequest,
): Promise<{ name: string; rows: number }[]> {
  for (const { name, columns } of tables)
    for (const column of columns)
      if (!COLUMN_TYPE.test(column.type))
        throw fail('WAREHOUSE_TYPE_INVALID', { what: `Column ${column.name} of ${name} has no valid type` })
  const pass = await openService(site, place, PASS_MS, context)
  try {
    const client = await connectAs(site, pass)
    try {
      const loaded: { name: string; rows: number }[] = []
      await client.query(`SET search_path = pg_catalog, pg_temp`)
      for (const { name, columns, csv } of tables) {
        const table = `${ident(pass.schema)}.${ident(name)}`
        const defined = columns.map((column) => `${ident(column.name)} ${column.type}${column.required ? ' NOT NULL' : ''}`)
        await client.query('BEGIN')
        await client.query(`CREATE TABLE ${table} (${defined.join(', ')})`)
        const target = client.query(
          copyFrom(`COPY ${table} (${columns.map((column) => ident(column.name)).join(', ')}) FROM STDIN WITH (FORMAT csv)`),
        )
        await pipeline(await csv(), target, { signal: context.signal })
        await client.query('COMMIT')
        loaded.push({ name, rows: target.rowCount })
      }
      return loaded
    } catch (error) {
      throw translate(error, `load the archived tables of ${place.domain}/${place.product}`, context.signal)
    } finally {
      await client.end().catch(() => undefined)
    }
  } finally {
    await closeService(site, place, { ...context, signal: AbortSignal.timeout(CLOSE_MS) })
  }
}
