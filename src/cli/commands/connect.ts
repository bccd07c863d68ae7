import { join } from 'node:path'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderConnection } from '../views/human/access.ts'

/** A ready psql and JDBC line with a password that ends by itself, and a curl line for the same rows over HTTP. */
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
  const { data } = await context.server()
  const speaker = data === null ? '$HEDDLE_TOKEN' : `$(cat ${quote(join(data, 'cli-token'))})`
  const as = context.flags.as === undefined ? '' : ` -H ${quote(`Heddle-As: ${context.flags.as}`)}`
  const curl = (url: string) =>
    `curl -H "Authorization: Bearer ${speaker}"${as} ${quote(`${url}?limit=5${environment === undefined ? '' : `&environment=${environment}`}`)}`
  context.print(connection, (style) => renderConnection(connection, style, curl))
  return EXIT.ok
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
