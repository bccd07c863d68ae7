import { fail } from '../core/fail.ts'
import type { PlannedColumn } from '../platform/warehouse.ts'
import type { Command } from '../run/command.ts'
import { recordBatch } from '../run/releases.ts'
import { physicalType } from '../spec/physical-type.ts'
import type { CommandDeps, PlaceArgs } from './deps.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'

type Read =
  | { table: string; path: string; delimiter: string; null: string | null; columns: PlannedColumn[] | null }
  | { table: string; unsupported: string; from: string }

/** Reads files of named sources into sealed batches: one table and one transaction each. */
export function ingest(deps: CommandDeps): Command {
  return {
    name: 'ingest',
    async run(context, args) {
      const { environment, place, component, reads } = args as PlaceArgs & { component: string; reads: Read[] }
      const warehouse = await leasedWarehouse(deps, context, environment)
      const batches: { table: string; relation: string; rows: number }[] = []
      for (const read of reads) {
        if ('unsupported' in read) {
          throw fail('INGEST_SOURCE_UNSUPPORTED', {
            what: `${component} reads from ${read.from}, a ${read.unsupported} input, and no adapter here can`,
            fix: 'Use a file-input-port, or have the platform team connect an adapter.',
          })
        }
        const columns = read.columns?.map((column) => ({ name: column.name, type: physicalType(column) })) ?? null
        const source = await deps.reader(place.domain).open(
          {
            component,
            source: { type: 'file', path: read.path, format: 'csv', delimiter: read.delimiter, null: read.null, header: true },
            columns,
          },
          { signal: context.signal, log: context.log },
        )
        const { relation, rows } = await warehouse.loadBatch({
          place,
          component,
          table: read.table,
          columns: columns ?? source.columns.map((name) => ({ name, type: 'text' })),
          csv: { stream: source.stream, delimiter: read.delimiter, null: read.null },
          context: effectOf(context),
        })
        await recordBatch(deps.control.db, {
          product: place.id,
          environment,
          component,
          table: read.table,
          relation,
          rows,
          bytes: source.bytes(),
          sha256: source.sha256(),
          run: context.run.id,
        })
        context.log(`${read.table}: ${rows.toLocaleString('en-GB')} rows, ${(source.bytes() / 1e6).toFixed(1)} MB sealed`)
        batches.push({ table: read.table, relation, rows })
      }
      const total = batches.reduce((sum, batch) => sum + batch.rows, 0)
      return { batches, outcome: `${total.toLocaleString('en-GB')} rows` }
    },
  }
}
