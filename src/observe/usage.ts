import { sql } from 'kysely'
import type { UsageReading } from '../platform/warehouse.ts'
import { json, type Queries } from '../store/control.ts'

export const KEEP_DAYS = 400

export type UsagePlace = { environment: string; port: string; major: number }
export type CountedPort = UsagePlace & { countedSince: Date | null }
export type PortReads = UsagePlace & {
  days: { day: string; readers: number; reads: number }[]
  readers: { subject: string; reads: number; lastReadAt: Date }[]
  lastReadAt: Date | null
}
export type Coverage = {
  environment: string
  asOf: Date
  countingSince: Date | null
  /** why nothing is counted, in words */
  obstacle: string | null
  gaps: { from: string; to: string; why: string }[]
}

/** Up to when an environment's sums are here; null before the first look. */
export async function usageAsOf(queries: Queries, environment: string): Promise<string | null> {
  const row = await queries.selectFrom('usage_coverage').select('as_of').where('environment', '=', environment).executeTakeFirst()
  return row?.as_of.toISOString() ?? null
}

/** Takes an environment's sums over. They are sums of whole days, so a reading that is saved twice changes nothing. */
export async function saveUsage(queries: Queries, environment: string, reading: UsageReading): Promise<void> {
  const kept = sql`join product p on p.id = r.product and p.state <> 'retired'`
  await sql`
    insert into usage as u (product, environment, port, major, day, reader, reads, last_read_at)
    select r.product, ${environment}, r.port, r.major, r.day, r.reader, r.reads, r."lastReadAt"
    from jsonb_to_recordset(${json(reading.reads)}::jsonb)
      as r (product uuid, port text, major integer, day date, reader text, reads bigint, "lastReadAt" timestamptz) ${kept}
    on conflict (product, environment, port, major, day, reader)
      do update set reads = excluded.reads, last_read_at = excluded.last_read_at where u.last_read_at <= excluded.last_read_at`.execute(
    queries,
  )
  await queries.deleteFrom('usage_port').where('environment', '=', environment).execute()
  await sql`
    insert into usage_port (product, environment, port, major, counted_since)
    select r.product, ${environment}, r.port, r.major, r."countedSince"
    from jsonb_to_recordset(${json(reading.ports)}::jsonb) as r (product uuid, port text, major integer, "countedSince" timestamptz) ${kept}
    on conflict do nothing`.execute(queries)
  const row = {
    as_of: new Date(reading.asOf),
    counting_since: reading.countingSince === null ? null : new Date(reading.countingSince),
    obstacle: reading.obstacle,
    gaps: json(reading.gaps),
  }
  await queries
    .insertInto('usage_coverage')
    .values({ environment, ...row })
    .onConflict((conflict) => conflict.column('environment').doUpdateSet(row))
    .execute()
}

/** @returns how many rows were too old to keep */
export async function pruneUsage(queries: Queries, now: Date): Promise<number> {
  const { numAffectedRows } =
    await sql`delete from usage where day < (${now}::timestamptz at time zone 'UTC')::date - ${KEEP_DAYS}::integer`.execute(
      queries,
    )
  return Number(numAffectedRows ?? 0)
}

export async function readCoverage(queries: Queries): Promise<Coverage[]> {
  const rows = await queries.selectFrom('usage_coverage').selectAll().orderBy('environment').execute()
  return rows.map((row) => ({
    environment: row.environment,
    asOf: row.as_of,
    countingSince: row.counting_since,
    obstacle: row.obstacle,
    gaps: row.gaps,
  }))
}

export async function readCountedPorts(queries: Queries, product: string): Promise<CountedPort[]> {
  const rows = await queries
    .selectFrom('usage_port')
    .selectAll()
    .where('product', '=', product)
    .orderBy('environment')
    .orderBy('port')
    .orderBy('major')
    .execute()
  return rows.map(({ environment, port, major, counted_since }) => ({ environment, port, major, countedSince: counted_since }))
}

/** What was counted of each port that is served, in the last `days` days; days without a read are zeros, days before it was counted are left out. */
export async function readPortUsage(
  queries: Queries,
  product: string,
  { days, now }: { days: number; now: Date },
): Promise<PortReads[]> {
  const ports = await readCountedPorts(queries, product)
  const rows = await queries
    .selectFrom('usage')
    .select(['environment', 'port', 'major', 'reader', 'reads', 'last_read_at', sql<string>`day::text`.as('day')])
    .where('product', '=', product)
    .orderBy('day')
    .execute()
  const first = dayOf(new Date(now.getTime() - (days - 1) * DAY_MS))
  return ports.map(({ countedSince, ...place }) => {
    const of = rows.filter((row) => row.environment === place.environment && row.port === place.port && row.major === place.major)
    const recent = of.filter(({ day }) => day >= first)
    const since = countedSince ? dayOf(countedSince) : null
    const from = since !== null && since > first ? since : first
    const byDay = Map.groupBy(recent, ({ day }) => day)
    return {
      ...place,
      days: since === null ? [] : daysBetween(from, dayOf(now)).map((day) => ({ day, ...sumOf(byDay.get(day) ?? []) })),
      readers: [...Map.groupBy(recent, ({ reader }) => reader)]
        .map(([subject, theirs]) => ({ subject, reads: sumOf(theirs).reads, lastReadAt: newestOf(theirs)! }))
        .sort((a, b) => b.reads - a.reads || (a.subject < b.subject ? -1 : 1)),
      lastReadAt: newestOf(of),
    }
  })
}

/** In which environments reads of the product are kept; for the certificate of a retirement. */
export async function listUsage(queries: Queries, product: string): Promise<string[]> {
  const rows = await queries
    .selectFrom('usage')
    .select((eb) => ['environment', eb.fn.countAll<number>().as('rows')])
    .where('product', '=', product)
    .groupBy('environment')
    .execute()
  const ports = await readCountedPorts(queries, product)
  return [
    ...rows.map(({ environment, rows: count }) => `${count} rows of ${environment}`),
    ...ports.map(({ environment, port, major }) => `port ${port} v${major} in ${environment}`),
  ]
}

export async function lastReadOf(queries: Queries, product: string): Promise<Date | null> {
  const row = await queries
    .selectFrom('usage')
    .select((eb) => eb.fn.max('last_read_at').as('at'))
    .where('product', '=', product)
    .executeTakeFirst()
  return row?.at ?? null
}

type Row = { reader: string; reads: number; last_read_at: Date }

function sumOf(rows: readonly Row[]): { readers: number; reads: number } {
  return { readers: new Set(rows.map(({ reader }) => reader)).size, reads: rows.reduce((sum, { reads }) => sum + reads, 0) }
}

function newestOf(rows: readonly Row[]): Date | null {
  return rows.reduce<Date | null>((newest, { last_read_at: at }) => (newest === null || at > newest ? at : newest), null)
}

const DAY_MS = 86_400_000

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10)
}

function daysBetween(from: string, to: string): string[] {
  const days: string[] = []
  for (let at = Date.parse(from); at <= Date.parse(to); at += DAY_MS) days.push(dayOf(new Date(at)))
  return days
}
