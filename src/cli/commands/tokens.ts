import type { ReadToken } from '../../client/types.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderTable } from '../views/human/table.ts'
import { showTime } from '../views/human/time.ts'

export async function listTokens(context: Context): Promise<number> {
  const { items } = await (await context.client()).readTokens()
  context.print({ tokens: items }, (style) =>
    renderTable(
      [
        { title: 'TOKEN', value: (token: ReadToken) => token.id },
        { title: 'NAME', shrinkTo: 10, value: (token) => token.name },
        { title: 'ENDS', value: (token) => showTime(token.expiresAt, style) },
      ],
      items,
      style,
    ),
  )
  return EXIT.ok
}

export async function revokeToken(context: Context): Promise<number> {
  const client = await context.client()
  const id = context.args[0]!
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, id }, () => [`Would end token ${id}`])
    return EXIT.ok
  }
  await client.revokeReadToken(id)
  context.print({ type: 'result', id, revoked: true }, () => [`Token ${id} is ended.`])
  return EXIT.ok
}
