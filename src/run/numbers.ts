import { sql } from 'kysely'
import type { Control, Queries } from '../store/control.ts'

/** What people call by number. */
const NUMBERED = ['run', 'request', 'agreement', 'incident'] as const

/**
 * Makes the next claim outrank every epoch an environment has seen. A control database restored from a copy counts on from that copy's epoch, and the
 * environments would refuse its runs as those of a worker that lost its lease.
 * @returns how far the counting was behind, 0 when it was not
 */
export async function raiseEpoch(queries: Queries, seen: number): Promise<number> {
  const { rows } = await sql<{ last: number }>`select last_value as last from run_epoch`.execute(queries)
  const behind = seen - rows[0]!.last
  if (behind <= 0) return 0
  await sql`select setval('run_epoch', ${seen}::bigint)`.execute(queries)
  return behind
}

/**
 * The next number follows the last one there is. PostgreSQL logs 32 numbers ahead, so the first one after a crash would be up to 32 further. The table's
 * lock keeps a number from being given out between the look and the setting.
 */
export async function closeNumberGaps(control: Control): Promise<void> {
  for (const table of NUMBERED)
    await control.db.transaction().execute(async (queries) => {
      await sql`lock table ${sql.table(table)} in share row exclusive mode`.execute(queries)
      await sql`
        select setval(pg_get_serial_sequence(${table}, 'number'), greatest(max(number), 1), max(number) is not null) from ${sql.table(table)}`.execute(
        queries,
      )
    })
}
