import type { FileHandle } from 'node:fs/promises'
import { zstdDecompressSync } from 'node:zlib'
import { type AsyncBuffer, parquetMetadataAsync, parquetRead } from 'hyparquet'
import type { ExportedColumn } from '../../../platform/warehouse.ts'
import { codecOf } from './column-codec.ts'
import { formatCsv } from './parse-csv.ts'

/** As they are stored: a date of the year 300,000 and a microsecond are more than a `Date` can be. */
const PARSERS = { timestampFromMicroseconds: (micros: bigint) => micros, dateFromDays: (days: number) => days }

/** The rows of one Parquet file as PostgreSQL's CSV, a group at a time; `told.rows` counts them. Columns come in the file's order. */
export async function* readTable(handle: FileHandle, told: { rows: number }): AsyncGenerator<string> {
  const file = await fileOf(handle)
  const metadata = await parquetMetadataAsync(file)
  const columns = JSON.parse(
    metadata.key_value_metadata?.find(({ key }) => key === 'heddle.columns')?.value ?? '[]',
  ) as ExportedColumn[]
  const codecs = columns.map(codecOf)
  let rowStart = 0
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows)
    let records: unknown[][] = []
    await parquetRead({
      file,
      metadata,
      rowStart,
      rowEnd,
      utf8: false,
      parsers: { ...PARSERS, stringFromBytes },
      compressors: { ZSTD: (input) => zstdDecompressSync(input) },
      onComplete: (rows) => (records = rows),
    })
    told.rows += records.length
    yield records
      .map((row) =>
        formatCsv(codecs.map(({ decode }, at) => (row[at] === null || row[at] === undefined ? null : decode(row[at])))),
      )
      .join('')
    rowStart = rowEnd
  }
}

const text = new TextDecoder('utf-8', { ignoreBOM: true })
function stringFromBytes(bytes: Uint8Array): string | undefined {
  return bytes && text.decode(bytes)
}

async function fileOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat()
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start)
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
        if (bytesRead === 0) break
        at += bytesRead
      }
      return bytes.buffer
    },
  }
}
