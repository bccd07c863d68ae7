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
