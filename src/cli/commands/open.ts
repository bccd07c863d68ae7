import { spawn } from 'node:child_process'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'

/** Opens the portal, signed in by an address that works once, at a product when one is named. */
export async function open(context: Context): Promise<number> {
  const client = await context.client()
  const address = context.args[0] === undefined ? undefined : await context.product(context.args[0])
  const { url } = await client.once()
  const page = new URL(url)
  if (address !== undefined) page.pathname = `/p/${address}`
  context.print({ url: page.href }, () => [page.href])
  if (context.io.isTty.stdout && !context.flags.json && !context.io.env.CI) {
    const child = spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [page.href], { stdio: 'ignore', detached: true })
    // A machine without a browser is no error: the address stands above.
    child.on('error', () => undefined)
    child.unref()
  }
  return EXIT.ok
}
