import { json, type Queries } from '../store/control.ts'

/** An event of an environment's outbox, kept once. */
export async function recordPublication(
  queries: Queries,
  event: { id: string; product: string; environment: string; payload: Record<string, unknown>; at: string },
): Promise<void> {
  await queries
    .insertInto('publication')
    .values({
      id: event.id,
      product: event.product,
      environment: event.environment,
      payload: json(event.payload),
      at: new Date(event.at),
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
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
