import type pg from 'pg'

/** Calls and written WAL records since counting began. BEGIN, COMMIT and DDL count as statements. */
export type Counted = { calls: number; walRecords: number }

/** Statements that the platform sends every second whatever happens, told by what they do when nobody does anything. */
export type StatementCounter = {
  /** what was sent to the database since the last call, background left out */
  take(): Promise<Counted>
}

type Row = { queryid: string; calls: string; wal: string }
const IDLE_MS = 3_500

/**
 * Counts the statements of one database by pg_stat_statements, as superuser. First watches the idle platform for some seconds: what it sends then is
 * background and is left out afterwards (transaction frames, which background and work share, are counted less what background accounts for).
 */
export async function countStatements(client: pg.Client): Promise<StatementCounter> {
  // in an environment's database it stands in schema heddle, where usage is counted
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
  await client.query('SET search_path = public, heddle')
  await client.query('ALTER SYSTEM SET pg_stat_statements.track_utility = on')
  await client.query('SELECT pg_reload_conf()')
  let last = await read(client)
  let at = performance.now()
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const idle = await read(client)
  const perMs = new Map([...idle].map(([id, row]) => [id, since(row, last.get(id)).calls / (performance.now() - at)]))
  last = idle
  at = performance.now()
  return {
    async take() {
      const now = await read(client)
      const ms = performance.now() - at
      let [calls, walRecords] = [0, 0]
      for (const [id, row] of now) {
        const done = since(row, last.get(id))
        const background = Math.round((perMs.get(id) ?? 0) * ms)
        calls += Math.max(0, done.calls - background)
        if ((perMs.get(id) ?? 0) === 0) walRecords += done.walRecords
      }
      last = now
      at = performance.now()
      return { calls, walRecords }
    },
  }
}

function since(row: Counted, before: Counted | undefined): Counted {
  return { calls: row.calls - (before?.calls ?? 0), walRecords: row.walRecords - (before?.walRecords ?? 0) }
}

/** What the bench itself asks names a column `bench_…`. Statements inside functions are the functions' own affair: only what crosses the wire counts. */
async function read(client: pg.Client): Promise<Map<string, Counted>> {
  const { rows } = await client.query<Row>(
    `SELECT s.queryid::text, sum(s.calls)::text AS calls, sum(s.wal_records)::text AS wal
     FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
     WHERE d.datname = current_database() AND s.toplevel AND s.query NOT LIKE ALL ('{%pg_stat_statements%,%bench_%}') GROUP BY 1`,
  )
  return new Map(rows.map(({ queryid, calls, wal }) => [queryid, { calls: Number(calls), walRecords: Number(wal) }]))
}
