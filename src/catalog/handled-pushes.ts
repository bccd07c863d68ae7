import type { Queries } from '../store/control.ts'

/** The head of main that was last looked at, so that no push is lost and none is taken twice. */
export async function findHandled(queries: Queries, product: string): Promise<string | null> {
  const row = await queries.selectFrom('handled_push').select('commit_id').where('product', '=', product).executeTakeFirst()
  return row?.commit_id ?? null
}

/** The same of many products. */
export async function handledOf(queries: Queries, products: readonly string[]): Promise<Map<string, string>> {
  const rows = await queries
    .selectFrom('handled_push')
    .select(['product', 'commit_id'])
    .where('product', 'in', [...products])
    .execute()
  return new Map(rows.map((row) => [row.product, row.commit_id]))
}

export async function markHandled(queries: Queries, product: string, commit: string): Promise<void> {
  await queries
    .insertInto('handled_push')
    .values({ product, commit_id: commit })
    .onConflict((conflict) => conflict.column('product').doUpdateSet({ commit_id: commit, at: new Date() }))
    .execute()
}
