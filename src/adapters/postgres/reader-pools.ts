import pg from 'pg'
import { fail, HeddleError } from '../../core/fail.ts'
import { readerLogin } from '../../core/names.ts'
import { openReader } from './reader-login.ts'
import type { Site } from './session.ts'
import { sqlstate, translate } from './translate.ts'

export const CONNECTIONS = 2
const IDLE_MS = 60_000
const LIFETIME_S = 10 * 60
const MAX_SUBJECTS = 16
const MAX_WAITING = 32
const WAIT_MS = 10_000
/** An open session outlives its password; a new session asks for a new one once half of this is over. */
const PASSWORD_MS = 10 * 60_000

/** Values come out in one way whatever the login set on itself; nothing is written. */
const SETTINGS = [
  'search_path=pg_catalog,pg_temp',
  'default_transaction_read_only=on',
  'lock_timeout=5s',
  'datestyle=ISO',
  'timezone=UTC',
  'intervalstyle=iso_8601',
  'bytea_output=hex',
  'extra_float_digits=1',
]
  .map((setting) => `-c ${setting}`)
  .join(' ')

type Entry = { pool: pg.Pool; password: string; issuedAt: number; issuing: Promise<void> | null }

/** A few sessions for each subject that reads at this moment, each logged in as that subject's own reader. Nothing is shared between subjects. */
export type ReaderPools = {
  /** @throws ACCESS_NOT_GRANTED, DATA_READERS_BUSY, WAREHOUSE_UNREACHABLE */
  enter(subject: string): Promise<pg.PoolClient>
  close(): Promise<void>
}

export function createReaderPools(site: Site): ReaderPools {
  /** in the order of their last use */
  const entries = new Map<string, Entry>()

  function open(subject: string): Entry {
    const entry: Entry = {
      password: '',
      issuedAt: Number.NEGATIVE_INFINITY,
      issuing: null,
      pool: new pg.Pool({
        host: site.host,
        port: site.port,
        database: site.database,
        user: readerLogin(site.environment, subject),
        password: () => entry.password,
        max: CONNECTIONS,
        idleTimeoutMillis: IDLE_MS,
        maxLifetimeSeconds: LIFETIME_S,
        connectionTimeoutMillis: WAIT_MS,
        allowExitOnIdle: true,
        keepAlive: true,
        application_name: 'heddle data port',
        options: SETTINGS,
      }),
    }
    // A revocation ends sessions at any time: whoever uses one is told by its statement.
    entry.pool.on('error', () => undefined)
    entry.pool.on('connect', (client) => void client.on('error', () => undefined))
    entry.pool.on('remove', () => {
      if (isIdle(entry) && entry.pool.totalCount === 0 && entries.get(subject) === entry) entries.delete(subject)
    })
    return entry
  }

  function entryOf(subject: string): Entry {
    const known = entries.get(subject)
    if (!known && entries.size >= MAX_SUBJECTS) {
      const [oldest] = [...entries].filter(([, entry]) => isIdle(entry))
      if (!oldest) throw fail('DATA_READERS_BUSY', { what: `${MAX_SUBJECTS} subjects are reading at this moment` })
      entries.delete(oldest[0])
      void oldest[1].pool.end()
    }
    const entry = known ?? open(subject)
    entries.delete(subject)
    entries.set(subject, entry)
    return entry
  }

  /** The password must stand before the log-in begins: the server decides then whether it knows the login. */
  async function issue(entry: Entry, subject: string): Promise<void> {
    entry.issuing ??= openReader(site, subject, PASSWORD_MS)
      .then(({ password }) => {
        entry.password = password
        entry.issuedAt = performance.now()
      })
      .finally(() => {
        entry.issuing = null
      })
    await entry.issuing
  }

  async function enterOnce(entry: Entry, subject: string): Promise<pg.PoolClient> {
    const { pool } = entry
    if (pool.waitingCount >= MAX_WAITING) throw fail('DATA_READERS_BUSY', { what: `${subject} has ${MAX_WAITING} reads waiting` })
    const opens = pool.idleCount === 0 && pool.totalCount < CONNECTIONS
    if (opens && performance.now() - entry.issuedAt > PASSWORD_MS / 2) await issue(entry, subject)
    return pool.connect()
  }

  return {
    async enter(subject) {
      const entry = entryOf(subject)
      try {
        return await enterOnce(entry, subject).catch((error: unknown) => {
          // Shut and granted again, or another process issued a password meanwhile.
          if (!REFUSED.has(sqlstate(error) ?? '')) throw error
          return issue(entry, subject).then(() => entry.pool.connect())
        })
      } catch (error) {
        if (isIdle(entry) && entry.pool.totalCount === 0 && entries.get(subject) === entry) entries.delete(subject)
        throw explain(error, site, subject)
      }
    },
    async close() {
      const all = [...entries.values()]
      entries.clear()
      await Promise.all(all.map(({ pool }) => pool.end()))
    },
  }
}

const REFUSED = new Set(['28000', '28P01', '42501'])

function isIdle({ pool, issuing }: Entry): boolean {
  return issuing === null && pool.idleCount === pool.totalCount && pool.waitingCount === 0
}

function explain(error: unknown, site: Site, subject: string): HeddleError {
  const state = sqlstate(error)
  if (REFUSED.has(state ?? '') || (error instanceof HeddleError && error.code === 'WAREHOUSE_SUBJECT_UNKNOWN'))
    return fail('ACCESS_NOT_GRANTED', { what: `${subject} has no grant in ${site.environment}` })
  if (state === '53300' || (error instanceof Error && /^timeout exceeded/.test(error.message)))
    return fail('DATA_READERS_BUSY', { what: `All ${CONNECTIONS} sessions of ${subject} are busy` })
  return translate(error, 'log in to read')
}
