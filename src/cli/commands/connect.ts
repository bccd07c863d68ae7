import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderConnection } from '../views/human/access.ts'

/** A ready psql and JDBC line with a password that ends by itself. */
export async function connect(context: Context): Promise<number> {
  const [client, address, environment] = await Promise.all([
    context.client(),
    context.product(context.args[0]),
    context.environment(),
  ])
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, product: address }, () => [
      `Would issue a password for ${address}; the one before it ends.`,
    ])
    return EXIT.ok
  }
  const connection = await client.connect(address, { environment })
  context.print(connection, (style) => renderConnection(connection, style))
  return EXIT.ok
}
