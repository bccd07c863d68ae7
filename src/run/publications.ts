import { sql } from 'kysely'
import { json, type Queries } from '../store/control.ts'

type PublishedPort = { port: string; major: number; publication: number }

/** An event of an environment's outbox, kept once, with a row for each port it changed. */
export async function recordPublication(
  queries: Queries,
  event: { id: string; product: string; environment: string; payload: Record<string, unknown>; at: string },
): Promise<void> {
  const at = new Date(event.at)
  await queries
    .insertInto('publication')
    .values({
      id: event.id,
      product: event.product,
      environment: event.environment,
      payload: json(event.payload),
      at,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
  const ports = (event.payload.ports as PublishedPort[] | undefined) ?? []
  if (ports.length === 0) return
  await queries
    .insertInto('published_port')
    .values(
      ports.map(({ port, major, publication }) => ({
        product: event.product,
        environment: event.environment,
        port,
        major,
        publication,
        revision: Number(event.payload.revision ?? 0),
        at,
      })),
    )
    .onConflict((conflict) => conflict.columns(['product', 'environment', 'port', 'major', 'publication']).doNothing())
    .execute()
}

/** When consumers last got a new revision, per environment. */
export async function lastPublications(queries: Queries, product: string): Promise<Record<string, Date>> {
  const rows = await queries
    .selectFrom('publication')
    .select(({ fn }) => ['environment', fn.max('at').as('at')] as const)
    .where('product', '=', product)
    .groupBy('environment')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.environment, row.at]))
}

/** As lastPublications, of many products. */
export async function lastPublicationsOf(
  queries: Queries,
  products: readonly string[],
): Promise<{ product: string; environment: string; at: Date }[]> {
  const { rows } = await sql<{ product: string; environment: string; at: Date }>`
    select p.id as product, e.environment, l.at from unnest(${[...products]}::uuid[]) as p (id)
    cross join (select distinct environment from published_port) e
    cross join lateral (select at from publication x where x.product = p.id and x.environment = e.environment order by at desc limit 1) l`.execute(
    queries,
  )
  return rows
}
