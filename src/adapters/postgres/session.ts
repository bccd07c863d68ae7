import pg from 'pg'
import type { Clock } from '../../core/clock.ts'
import type { Credential } from '../../platform/warehouse.ts'
import { translate } from './translate.ts'

export type Session = pg.ClientBase
export const PROVISIONER = 'heddle_provisioner'

/** One environment's database and how to reach it; passed to every verb. */
export type Site = {
  environment: string
  host: string
  port: number
  database: string
  pool: pg.Pool
  clock: Clock
  log(line: string): void
}

/** Names resolve in pg_catalog only: nothing a tenant made can stand in for a built-in. */
const SETTINGS = '-c search_path=pg_catalog,pg_temp -c lock_timeout=5s -c idle_in_transaction_session_timeout=10min'

export function openPool(site: Omit<Site, 'pool'>, password: string): pg.Pool {
  const pool = new pg.Pool({
    host: site.host,
    port: site.port,
    database: site.database,
    user: PROVISIONER,
    password,
    max: 8,
    application_name: 'heddle',
    options: SETTINGS,
    keepAlive: true,
    allowExitOnIdle: true,
    connectionTimeoutMillis: 10_000,
  })
  pool.on('error', (error) => site.log(`an idle warehouse connection ended: ${translate(error, 'idle connection').message}`))
  return pool
}

/** A single connection as some login; the caller ends it. */
export async function connectAs(
  site: Pick<Site, 'host' | 'port' | 'database'>,
  login: Pick<Credential, 'user' | 'password'>,
  database = site.database,
): Promise<pg.Client> {
  const client = new pg.Client({
    host: site.host,
    port: site.port,
    database,
    user: login.user,
    password: login.password,
    application_name: 'heddle',
    connectionTimeoutMillis: 10_000,
  })
  // a lost connection shows at the next query
  client.on('error', () => undefined)
  await client.connect()
  return client
}

export type Transacting = { signal?: AbortSignal; tries?: number; doing: string }

/** States that pass when the same transaction is tried again. */
const PASSING = new Set(['40001', '40P01', '55P03', '42710', '42P06', '42P04', '23505'])

function isPassing(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false
  return PASSING.has(error.code ?? '') || (error.code === 'XX000' && error.message.startsWith('tuple concurrently'))
}

/** Runs `body` in one transaction of the provisioner; tries again what another session's change made fail. */
export async function transaction<R>(
  site: Site,
  { signal, tries = 4, doing }: Transacting,
  body: (client: Session) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce(site, signal, body)
    } catch (error) {
      if (attempt >= tries || signal?.aborted || !isPassing(error)) throw translate(error, doing, signal)
      await new Promise((resolve) => setTimeout(resolve, 25 * 2 ** attempt))
    }
  }
}

async function attemptOnce<R>(site: Site, signal: AbortSignal | undefined, body: (client: Session) => Promise<R>): Promise<R> {
  const client = await site.pool.connect()
  let broken = false
  const lost = () => {
    broken = true
  }
  client.on('error', lost)
  const pid = (client as unknown as { processID: number }).processID
  // A connection that was told to cancel is not used again: the signal may arrive late and hit another's statement.
  const cancel = () => {
    broken = true
    site.pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => undefined)
  }
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', cancel, { once: true })
    await client.query('BEGIN')
    const result = await body(client)
    signal?.throwIfAborted()
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(lost)
    throw error
  } finally {
    signal?.removeEventListener('abort', cancel)
    client.off('error', lost)
    client.release(broken)
  }
}

/** One statement outside a transaction. */
export async function ask<R extends pg.QueryResultRow>(site: Site, sql: string, values: unknown[] = []): Promise<R[]> {
  try {
    return (await site.pool.query<R>(sql, values)).rows
  } catch (error) {
    throw translate(error, 'read the warehouse')
  }
}
