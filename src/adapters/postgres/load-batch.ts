import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { fail } from '../../core/fail.ts'
import { productNames, sqlName } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { fenced } from './fenced.ts'
import type { Site } from './session.ts'

export type BatchRequest = {
  place: Place
  component: string
  table: string
  columns: { name: string; type: string }[]
  csv: { stream: NodeJS.ReadableStream; delimiter: string; null: string | null }
  context: EffectContext
}

/** Types are names of built-ins with at most a length: nothing else reaches the statement. */
export const COLUMN_TYPE = /^[a-z][a-z0-9_ ]{0,40}(\([0-9]{1,4}( ?, ?[0-9]{1,4})?\))?( with(out)? time zone)?(\[\])?$/i

/** Loads rows into a new batch table in one transaction: all of it, owned by the keeper, or nothing. A repeated step leaves the stream unread. */
export async function loadBatch(site: Site, request: BatchRequest): Promise<{ relation: string; rows: number }> {
  const { place, component, columns, csv, context } = request
  const staging = productNames(site.environment, place.domain, place.product).private
  const table = sqlName(request.table)
  const effect = { verb: 'loadBatch', key: `${component}/${table}`, doing: `load a batch of ${request.table}`, tries: 1 }
  for (const { name, type } of columns)
    if (!COLUMN_TYPE.test(type))
      throw fail('WAREHOUSE_TYPE_INVALID', { what: `Column ${name} of ${request.table} has no valid type` })
  let read = false
  try {
    return await fenced(site, context, effect, async (client) => {
      const last = await client.query<{ n: number }>(
        'SELECT coalesce(max(n), 0) AS n FROM heddle.batch WHERE product = $1 AND source = $2',
        [place.id, table],
      )
      const n = last.rows[0]!.n + 1
      const batch = `${table}__b${n}`
      const relation = `${ident(staging)}.${ident(batch)}`
      await createTable(client, relation, request)
      const options = [
        'FORMAT csv',
        `DELIMITER ${literal(csv.delimiter)}`,
        ...(csv.null === null ? [] : [`NULL ${literal(csv.null)}`]),
      ]
      const target = client.query(copyFrom(`COPY ${relation} FROM STDIN WITH (${options.join(', ')})`))
      read = true
      await pipeline(csv.stream, target, { signal: context.signal }).catch((error: unknown) => {
        throw explainRow(error, request)
      })
      const rows = target.rowCount
      await client.query('SELECT heddle.adopt_batch($1, $2)', [place.id, batch])
      await client.query(
        'INSERT INTO heddle.batch (product, source, n, component, relation, rows) VALUES ($1, $2, $3, $4, $5, $6)',
        [place.id, table, n, component, `${staging}.${batch}`, rows],
      )
      return { relation: `${staging}.${batch}`, rows }
    })
  } finally {
    if (!read && 'destroy' in csv.stream && typeof csv.stream.destroy === 'function') csv.stream.destroy()
  }
}

async function createTable(client: pg.ClientBase, relation: string, { table, columns }: BatchRequest): Promise<void> {
  try {
    await client.query(`CREATE TABLE ${relation} (${columns.map(({ name, type }) => `${ident(name)} ${type}`).join(', ')})`)
  } catch (error) {
    if (error instanceof pg.DatabaseError && ['42704', '42601', '22023', '42P16'].includes(error.code ?? ''))
      throw fail('WAREHOUSE_TYPE_INVALID', {
        what: `A column of ${table} has a type that PostgreSQL does not know`,
        why: `SQLSTATE ${error.code}`,
      })
    throw error
  }
}

/** Line and column of the row that does not fit; PostgreSQL's own words quote the row. */
function explainRow(error: unknown, { table, columns, component }: BatchRequest): unknown {
  if (!(error instanceof pg.DatabaseError) || !/^2[23]/.test(error.code ?? '')) return error
  const place = /, line ([0-9]+)(?:, column (.+?):)?/.exec(error.where ?? '')
  const column = columns.find(({ name }) => name === place?.[2])
  const at = place ? ` line ${place[1]}` : ' a line'
  return fail('WAREHOUSE_BATCH_INVALID', {
    what: `${table}:${at} of the source does not fit${column ? ` in column ${column.name} (${column.type})` : ' the columns'}`,
    why: `Nothing of this batch was loaded by ${component} (SQLSTATE ${error.code}). Lines are counted without the header.`,
  })
}
