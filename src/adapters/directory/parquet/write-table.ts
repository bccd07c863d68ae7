import { zstdCompressSync } from 'node:zlib'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { ExportedColumn } from '../../../platform/warehouse.ts'
import { codecOf } from './column-codec.ts'
import { type Fields, parseCsv } from './parse-csv.ts'

/** Rows that are held in memory at once. */
const GROUP_ROWS = 50_000

/** The bytes of one Parquet file with the rows of PostgreSQL's CSV; `told.rows` counts them. Every type is kept in the file's own metadata. */
export async function* writeTable(
  table: { columns: readonly ExportedColumn[]; csv: AsyncIterable<Buffer> },
  told: { rows: number },
): AsyncGenerator<Buffer> {
  const codecs = table.columns.map(codecOf)
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({
    writer,
    schema: [{ name: 'root', num_children: codecs.length }, ...codecs.map(({ element }) => element)],
    codec: 'ZSTD',
    compressors: { ZSTD: zstdCompressSync },
    createdBy: 'heddle',
    kvMetadata: [{ key: 'heddle.columns', value: JSON.stringify(table.columns) }],
  })
  const taken = (): Buffer => {
    const bytes = Buffer.from(writer.getBytes())
    writer.index = 0
    return bytes
  }
  const writeGroup = async (records: readonly Fields[]) => {
    const columnData = codecs.map(({ element, dictionary, encode }, at) => ({
      name: element.name,
      data: records.map((fields) => {
        const field = fields[at]
        return field === null || field === undefined ? null : encode(field)
      }),
      ...(!dictionary && { encoding: 'PLAIN' as const }),
    }))
    await parquet.write({ columnData, rowGroupSize: GROUP_ROWS })
    told.rows += records.length
  }
  let group: Fields[] = []
  for await (const records of parseCsv(table.csv)) {
    for (const fields of records) group.push(fields)
    while (group.length >= GROUP_ROWS) {
      await writeGroup(group.slice(0, GROUP_ROWS))
      group = group.slice(GROUP_ROWS)
      yield taken()
    }
  }
  if (group.length > 0) await writeGroup(group)
  await parquet.finish()
  yield taken()
}
