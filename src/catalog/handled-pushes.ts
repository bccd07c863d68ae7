import type { Queries } from '../store/control.ts'

/** The head of main that was last looked at, so that no push is lost and none is taken twice. */
export async function findHandled(queries: Queries, product: string): Promise<string | null> {
  const row = await queries.selectFrom('handled_push').select('commit_id').where('product', '=', product).executeTakeFirst()
  return row?.commit_id ?? null
}

export async function markHandled(queries: Queries, product: string, commit: string): Promise<void> {
  await queries
    .insertInto('handled_push')
    .values({ product, commit_id: commit })
    .onConflict((conflict) => conflict.column('product').doUpdateSet({ commit_id: commit, at: new Date() }))
    .execute()
}
