import { PassThrough } from 'node:stream'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { fail, HeddleError } from '../../core/fail.ts'
import { productNames, readerLogin } from '../../core/names.ts'
import type { Page, PageRead, PortBoundary, PortCsv, PortRead, PortShape } from '../../platform/port-read.ts'
import type { PortPlace } from '../../platform/warehouse.ts'
import type { BuiltObject } from './build-served.ts'
import { csvHeader, csvSql, pageSql } from './port-sql.ts'
import { CONNECTIONS, type ReaderPools } from './reader-pools.ts'
import { ask, type Site } from './session.ts'
import { sqlstate, translate } from './translate.ts'

const BUFFER = 256 * 1024
const WATCH_MS = 250
/** A statement that ran longer did not meet a dead session. */
const DEAD_MS = 1_000
/** As PostgreSQL writes them; node-postgres would round numbers and move dates. */
const AS_TEXT = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig
/** Seen when the port was switched while a statement was on its way to it. */
const SWITCHED = new Set(['40001', '42P01', '42703', '3F000'])

type Serving = { n: number; published_at: Date }

/** Shapes by served schema: of one publication they never change, so only its number is asked again. No rows. */
export type ShapeCache = Map<string, PortShape>

export async function describePort(site: Site, shapes: ShapeCache, at: PortPlace): Promise<PortShape | null> {
  const schema = `${schemaOf(site, at)} ${at.place.id}`
  const kept = shapes.get(schema)
  if (kept && (await servingOf(site, at))?.n === kept.publication) return kept
  const shape = await readShape(site, at)
  if (shape) shapes.set(schema, shape)
  else shapes.delete(schema)
  return shape
}

/** The columns are the view's own, so a masked one has the type of its mask. */
async function readShape(site: Site, at: PortPlace): Promise<PortShape | null> {
  const [row] = await ask<Serving & { objects: BuiltObject[]; columns: { object: string; name: string; type: string }[] | null }>(
    site,
    `SELECT s.n, r.published_at, s.objects, (
       SELECT json_agg(json_build_object('object', c.relname, 'name', a.attname, 'type', format_type(a.atttypid, NULL)) ORDER BY a.attnum)
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relnamespace = n.oid AND c.relkind = 'v' AND a.attnum > 0 AND NOT a.attisdropped
     ) AS columns
     FROM heddle.served s JOIN heddle.revision r ON r.port = s.port AND r.n = s.n JOIN pg_namespace n ON n.nspname = s.port
     WHERE s.port = $1 AND s.product = $2 AND s.state = 'live'`,
    [schemaOf(site, at), at.place.id],
  )
  if (!row) return null
  const columns = row.columns ?? []
  return {
    publication: row.n,
    publishedAt: row.published_at.toISOString(),
    objects: row.objects.map(({ name, masks }) => ({
      name,
      columns: columns
        .filter(({ object }) => object === name)
        .map((column) => ({ name: column.name, type: column.type, masked: masks.some((mask) => mask.column === column.name) })),
    })),
  }
}

export function readPage(site: Site, pools: ReaderPools, read: PageRead): Promise<Page | null> {
  return withLiveSession(() => readPageOnce(site, pools, read))
}

async function readPageOnce(site: Site, pools: ReaderPools, read: PageRead): Promise<Page | null> {
  const { text, values } = pageSql(schemaOf(site, read.at), read)
  const entered = await enter(site, pools, read)
  try {
    const { rows } = await entered.client.query<(string | null)[]>({ text, values, rowMode: 'array', types: AS_TEXT })
    entered.leave()
    const serving = await servingStill(site, read)
    if (!serving) return null
    const page = rows.slice(0, read.limit).map((row) => row.slice(0, read.select.length))
    const next = rows.length > read.limit ? boundaryOf(rows.slice(0, read.limit), read) : null
    return { publication: serving.n, publishedAt: serving.published_at.toISOString(), rows: page, next }
  } catch (error) {
    entered.leave(error)
    return refusal(error, site, read)
  }
}

/** Rows before the last one with its very values are counted: the next page begins at these values and skips so many. */
function boundaryOf(rows: readonly (string | null)[][], { select, after }: PageRead): PortBoundary {
  const values = rows.at(-1)!.slice(select.length)
  const isSame = (other: readonly (string | null)[]) => values.every((value, index) => value === other[index])
  const first = rows.findIndex((row) => isSame(row.slice(select.length)))
  return { values, seen: rows.length - first + (first === 0 && after && isSame(after.values) ? after.seen : 0) }
}

/** Resolves when PostgreSQL has begun to answer, so an error of the statement is thrown here; a later one ends the stream with an error. */
export function readCsv(site: Site, pools: ReaderPools, read: PortRead & { limit: number | null }): Promise<PortCsv | null> {
  return withLiveSession(() => readCsvOnce(site, pools, read))
}

async function readCsvOnce(site: Site, pools: ReaderPools, read: PortRead & { limit: number | null }): Promise<PortCsv | null> {
  const entered = await enter(site, pools, read)
  const copy = entered.client.query(copyTo(csvSql(schemaOf(site, read.at), read), { highWaterMark: BUFFER }))
  try {
    await new Promise<void>((resolve, reject) => {
      copy.once('readable', resolve).once('error', reject)
      read.signal.addEventListener('abort', () => reject(read.signal.reason), { once: true })
    })
    const serving = await servingStill(site, read)
    if (!serving) {
      entered.leave(new Error('switched'))
      copy.on('error', () => undefined)
      return null
    }
    return { publication: serving.n, publishedAt: serving.published_at.toISOString(), csv: forward(site, read, copy, entered) }
  } catch (error) {
    copy.on('error', () => undefined)
    entered.leave(error)
    return refusal(error, site, read)
  }
}

function forward(site: Site, read: PortRead, copy: NodeJS.ReadableStream, entered: Entered): PassThrough {
  const out = new PassThrough({ highWaterMark: BUFFER })
  // Everything has come in, so nobody needs to be asked any more whether the session stands.
  copy.once('end', () => {
    clearInterval(watch)
    entered.leave()
  })
  copy.on('error', (error) => {
    entered.leave(error)
    out.destroy(explain(error, site, read))
  })
  // A slow reader leaves much between PostgreSQL and us unread, and the end of the session behind it: a revocation must not wait for that.
  const watch = setInterval(() => {
    void entered.isOpen().then((open) => {
      if (!open) copy.emit('error', new Error('ended'))
    })
  }, WATCH_MS)
  // Whoever reads went away: what is left is not read to its end.
  out.once('close', () => {
    clearInterval(watch)
    entered.leave(new Error('closed'))
  })
  out.write(csvHeader(read.select))
  copy.pipe(out)
  return out
}

/** A session ended while it was idle (another grant of the subject was revoked, say) shows only when it is used. One ended for what it does is not replaced. */
async function withLiveSession<R>(read: () => Promise<R>): Promise<R> {
  const began = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      return await read()
    } catch (error) {
      const isDead = error instanceof HeddleError && error.code === 'WAREHOUSE_UNREACHABLE'
      if (!isDead || tries > CONNECTIONS || performance.now() - began > DEAD_MS) throw error
    }
  }
}

type Entered = { client: pg.PoolClient; leave(error?: unknown): void; isOpen(): Promise<boolean> }

/** A session of the subject. When it is left with an error, or told to stop, its statement is cancelled and the session is not used again. */
async function enter(site: Site, pools: ReaderPools, { subject, signal }: PortRead): Promise<Entered> {
  signal.throwIfAborted()
  const client = await pools.enter(subject)
  const pid = (client as unknown as { processID: number }).processID
  let inside = true
  const leave = (error?: unknown) => {
    if (!inside) return
    inside = false
    signal.removeEventListener('abort', stop)
    if (error === undefined) return client.release()
    // Errors of the statement itself leave a good session behind.
    const isWhole = sqlstate(error) !== null && !sqlstate(error)!.startsWith('57P')
    if (!isWhole) site.pool.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => undefined)
    client.release(!isWhole)
  }
  const stop = () => leave(signal.reason ?? new Error('stopped'))
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const isOpen = async () => {
    const login = readerLogin(site.environment, subject)
    const found = await ask(site, 'SELECT FROM pg_stat_activity WHERE pid = $1 AND usename = $2', [pid, login]).catch(() => [])
    return !inside || found.length > 0
  }
  return { client, leave, isOpen }
}

/** What was read was read from the publication the request was made for, when that is the live one before and after. */
async function servingStill(site: Site, { at, publication }: PortRead): Promise<Serving | null> {
  const serving = await servingOf(site, at)
  return serving?.n === publication ? serving : null
}

async function servingOf(site: Site, at: PortPlace): Promise<Serving | null> {
  const [row] = await ask<Serving>(
    site,
    `SELECT s.n, r.published_at FROM heddle.served s JOIN heddle.revision r ON r.port = s.port AND r.n = s.n
     WHERE s.port = $1 AND s.product = $2 AND s.state = 'live'`,
    [schemaOf(site, at), at.place.id],
  )
  return row ?? null
}

/** @returns null when the port was switched meanwhile: the same request, made anew, reads the new publication */
async function refusal(error: unknown, site: Site, read: PortRead): Promise<null> {
  if (SWITCHED.has(sqlstate(error) ?? '')) {
    if (sqlstate(error) === '40001' || !(await servingStill(site, read))) return null
  }
  throw explain(error, site, read)
}

/** No message of the database: it may quote rows. */
function explain(error: unknown, site: Site, { subject, object, signal }: PortRead): HeddleError {
  if (error instanceof HeddleError) return error
  const state = sqlstate(error)
  if (signal.aborted) return translate(error, `read ${object}`, signal)
  if (state === '42501') return fail('ACCESS_NOT_GRANTED', { what: `${subject} may not read ${object} in ${site.environment}` })
  if (state === '57014' || state === '53400')
    return fail('DATA_BUDGET_EXCEEDED', { what: `The read of ${object} was ended`, why: `SQLSTATE ${state}` })
  return translate(error, `read ${object}`)
}

function schemaOf(site: Site, { place, port, major }: PortPlace): string {
  return productNames(site.environment, place.domain, place.product).served(port, major)
}
