import { Readable } from 'node:stream'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { fail } from '../../core/fail.ts'
import { productNames } from '../../core/names.ts'
import type { ExportedColumn, ExportedTable, Place, Revision, TableFacts } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import { COLUMN_TYPE } from './load-batch.ts'
import { asProber } from './prober.ts'
import type { Site } from './session.ts'
import { translate } from './translate.ts'

export type ExportRequest = {
  place: Place
  n: number
  sink(table: { name: string; columns: ExportedColumn[] }, csv: Readable): Promise<void>
  signal: AbortSignal
}
type Table = { name: string; blocks: number; columns: ExportedColumn[] }

/** Blocks read by one statement: 256 MB, so that a large table stays below the domain's limit on statements. */
const CHUNK_BLOCKS = 32_768
/** The same text for the same value, whoever reads: an archive is compared with what is restored from it. */
const SETTINGS = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 1; SET bytea_output = 'hex'; SET client_encoding = 'UTF8'`

/** Streams every table of a sealed revision. The prober alone reads past the row filters; the count of a port's object must be the one that was sealed. */
export async function exportRevision(site: Site, { place, n, sink, signal }: ExportRequest): Promise<ExportedTable[]> {
  return readRevision(site, place, n, signal, async (client, schema, table) => {
    const told = { rows: 0 }
    const csv = Readable.from(readCsv(client, schema, table, told, signal), { objectMode: false })
    await sink({ name: table.name, columns: table.columns }, csv)
    const measured = await measure(client, schema, table, signal)
    if (measured.rows !== told.rows)
      throw incomplete(schema, table.name, `${told.rows} rows were read, ${measured.rows} are counted`)
    return { ...measured, columns: table.columns }
  })
}

export async function measureRevision(site: Site, { place, n, signal }: Omit<ExportRequest, 'sink'>): Promise<TableFacts[]> {
  return readRevision(site, place, n, signal, (client, schema, table) => measure(client, schema, table, signal))
}

async function readRevision<R extends TableFacts>(
  site: Site,
  place: Place,
  n: number,
  signal: AbortSignal,
  read: (client: pg.Client, schema: string, table: Table) => Promise<R>,
): Promise<R[]> {
  const schema = productNames(site.environment, place.domain, place.product).revision(n)
  const { rows: sealed } = await site.pool
    .query<Pick<Revision, 'objects'>>('SELECT objects FROM heddle.sealed WHERE product = $1 AND n = $2', [place.id, n])
    .catch((error: unknown) => {
      throw translate(error, `read what was sealed of ${schema}`)
    })
  if (!sealed[0]) throw fail('WAREHOUSE_OBJECT_MISSING', { what: `${schema} is not a sealed revision` })
  return asProber(site, place, async (client) => {
    try {
      await client.query(SETTINGS)
      const found: R[] = []
      for (const table of await listTables(client, schema)) {
        signal.throwIfAborted()
        found.push(await read(client, schema, table))
      }
      // no error does not mean no rows: a lost policy shows a filtered table as empty
      for (const { relation, rows } of sealed[0]!.objects) {
        const name = relation.slice(relation.indexOf('.') + 1)
        const seen = found.find((table) => table.name === name)
        if (!seen) throw incomplete(schema, name, 'the table is not there')
        if (seen.rows !== rows) throw incomplete(schema, name, `${rows} rows were sealed, ${seen.rows} can be read`)
      }
      return found
    } catch (error) {
      throw translate(error, `read ${schema}`, signal)
    }
  })
}

async function listTables(client: pg.Client, schema: string): Promise<Table[]> {
  const { rows } = await client.query<{ name: string; blocks: string; columns: ExportedColumn[] }>(
    `SELECT c.relname AS name, pg_relation_size(c.oid) / current_setting('block_size')::int AS blocks,
       (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'required', a.attnotnull) ORDER BY a.attnum), '[]')
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY c.relname`,
    [schema],
  )
  for (const { name, columns } of rows) {
    const odd = columns.find(({ type }) => !COLUMN_TYPE.test(type))
    // refused now, while the table stands, rather than when it is restored
    if (odd) throw incomplete(schema, name, `column ${odd.name} has a type that cannot be archived: ${odd.type}`)
  }
  return rows.map(({ name, blocks, columns }) => ({ name, blocks: Number(blocks), columns }))
}

/** A sealed table does not change, so ranges of blocks can be read one after the other. */
function* rangesOf({ blocks }: Table): Generator<string> {
  for (let from = 0; from === 0 || from < blocks; from += CHUNK_BLOCKS)
    yield `ctid >= '(${from},0)'::tid AND ctid < '(${from + CHUNK_BLOCKS},0)'::tid`
}

async function* readCsv(
  client: pg.Client,
  schema: string,
  table: Table,
  told: { rows: number },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const columns = table.columns.map(({ name }) => ident(name)).join(', ')
  for (const range of rangesOf(table)) {
    signal.throwIfAborted()
    const from = `${ident(schema)}.${ident(table.name)}`
    const stream = client.query(copyTo(`COPY (SELECT ${columns} FROM ${from} WHERE ${range}) TO STDOUT WITH (FORMAT csv)`))
    try {
      for await (const chunk of stream) yield chunk as Buffer
    } catch (error) {
      throw translate(error, `read ${schema}.${table.name}`, signal)
    }
    told.rows += stream.rowCount
  }
}

/** The sum of the rows' hashes: equal for equal rows in any order. */
async function measure(client: pg.Client, schema: string, table: Table, signal: AbortSignal): Promise<TableFacts> {
  let rows = 0
  let sum = 0n
  for (const range of rangesOf(table)) {
    signal.throwIfAborted()
    const { rows: found } = await client.query<{ n: string; sum: string | null }>(
      `SELECT count(*) AS n, sum(hashtextextended(heddle_row::text, 0)) AS sum FROM ${ident(schema)}.${ident(table.name)} AS heddle_row WHERE ${range}`,
    )
    rows += Number(found[0]!.n)
    sum += BigInt(found[0]!.sum ?? 0)
  }
  return { name: table.name, rows, fingerprint: sum.toString() }
}

function incomplete(schema: string, table: string, why: string) {
  return fail('WAREHOUSE_EXPORT_INCOMPLETE', { what: `${schema}.${table} cannot be read whole`, why })
}
