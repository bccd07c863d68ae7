import { every } from '../../client/client.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderAuditTable } from '../views/human/people.ts'

/** Who did what: with `--after SEQ` everything behind a row, page after page. */
export async function audit(context: Context): Promise<number> {
  const client = await context.client()
  const rows = await every((after) => client.audit({ after: after ?? context.option('after') }))
  context.print({ audit: rows }, (style) => renderAuditTable(rows, style))
  return EXIT.ok
}
