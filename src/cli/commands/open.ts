import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { openBrowser } from '../open-browser.ts'

/** Opens the portal, signed in by an address that works once, at a product when one is named. */
export async function open(context: Context): Promise<number> {
  const client = await context.client()
  const address = context.args[0] === undefined ? undefined : await context.product(context.args[0])
  const { url } = await client.once()
  const page = new URL(url)
  if (address !== undefined) page.pathname = `/p/${address}`
  context.print({ url: page.href }, () => [page.href])
  if (!context.flags.json) openBrowser(context.io, page.href)
  return EXIT.ok
}
