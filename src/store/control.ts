import { Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { Database } from './schema.ts'

/** The control database: one pool, typed queries. bigint and numeric come as numbers; nothing here passes 2^53. */
export type Control = { db: Kysely<Database>; connection: ControlConnection; close(): Promise<void> }
export type ControlConnection = { host: string; port: number; database: string; user: string; password: string }
/** A query runs on the pool or inside a transaction; callers say which. */
export type Queries = Kysely<Database> | Transaction<Database>

const INT8 = 20
const NUMERIC = 1700

export function openControl(connection: ControlConnection, options: { max?: number; log(line: string): void }): Control {
  const types = {
    getTypeParser(oid: number, format?: 'text' | 'binary') {
      if (oid === INT8 || oid === NUMERIC) return Number
      return pg.types.getTypeParser(oid, format)
    },
  }
  const pool = new pg.Pool({
    ...connection,
    max: options.max ?? 12,
    application_name: 'heddle-control',
    types: types as pg.CustomTypesConfig,
  })
  pool.on('error', (error) => options.log(`control database connection lost: ${error.message}`))
  // One that breaks while it is lent and between two statements of a transaction: the next statement fails, which is enough.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  return { db, connection, close: () => db.destroy() }
}

/** Inside the caller's transaction, or one of its own. */
export function inTransaction<T>(queries: Queries, work: (queries: Queries) => Promise<T>): Promise<T> {
  return queries.isTransaction ? work(queries) : queries.transaction().execute(work)
}

/** jsonb column from a value: node-postgres would send arrays as PostgreSQL arrays. */
export function json<T>(value: T): string {
  return JSON.stringify(value)
}
