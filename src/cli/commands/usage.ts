import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderUsage } from '../views/human/usage.ts'

export async function usage(context: Context): Promise<number> {
  const [client, product] = await Promise.all([context.client(), context.product(context.args[0])])
  const found = await client.usage(product)
  context.print(found, (style) => renderUsage(found, style))
  return EXIT.ok
}
