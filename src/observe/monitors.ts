import { newId } from '../core/id.ts'
import type { ServiceLevel } from '../spec/types.ts'
import { json, type Queries } from '../store/control.ts'

export async function ensureNamespace(queries: Queries, domain: string): Promise<void> {
  await queries
    .insertInto('namespace')
    .values({ domain })
    .onConflict((conflict) => conflict.column('domain').doNothing())
    .execute()
}

/** Makes the monitors of a product in one environment exactly those of its spec; one that stays keeps its id and so its history. */
export async function applyMonitors(
  queries: Queries,
  at: { product: string; environment: string; domain: string; run: string },
  levels: readonly { port: string; level: ServiceLevel }[],
): Promise<{ kept: number; removed: number }> {
  const ids: string[] = []
  for (const { port, level } of levels) {
    const { id } = await queries
      .insertInto('monitor')
      .values({
        id: newId(),
        product: at.product,
        environment: at.environment,
        namespace: at.domain,
        port,
        object: level.object,
        kind: level.kind,
        level: json(level),
        run: at.run,
      })
      .onConflict((conflict) =>
        conflict.columns(['product', 'environment', 'port', 'object', 'kind']).doUpdateSet({ level: json(level), run: at.run }),
      )
      .returning('id')
      .executeTakeFirstOrThrow()
    ids.push(id)
  }
  const removal = queries.deleteFrom('monitor').where('product', '=', at.product).where('environment', '=', at.environment)
  const removed = await (ids.length > 0 ? removal.where('id', 'not in', ids) : removal).executeTakeFirst()
  return { kept: ids.length, removed: Number(removed.numDeletedRows) }
}
