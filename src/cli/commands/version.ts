import type { Health } from '../../client/types.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'

/** The version of this client, and of the server where one answers. */
export async function version(context: Context): Promise<number> {
  const client = context.io.version
  const health = await context
    .client()
    .then((found) => found.health())
    .catch((): Health | null => null)
  context.print({ client, server: health?.version ?? null }, () => [
    `heddle ${client}`,
    ...(health && health.version !== client ? [`server ${health.version}: another version than this client`] : []),
  ])
  return EXIT.ok
}
