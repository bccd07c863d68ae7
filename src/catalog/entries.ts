import { json, type Queries } from '../store/control.ts'

export type Entry = {
  community: string
  state: 'draft' | 'listed' | 'delisted'
  document: Record<string, unknown>
  metadata: Record<string, unknown>
  metrics: Record<string, unknown>
}

export async function ensureCommunity(queries: Queries, domain: string, title: string): Promise<void> {
  await queries
    .insertInto('community')
    .values({ domain, title })
    .onConflict((conflict) => conflict.column('domain').doUpdateSet({ title }))
    .execute()
}

/** Static metadata comes whole from the spec on every deploy; a listed entry never falls back to draft. */
export async function putEntry(
  queries: Queries,
  entry: { product: string; community: string; state: 'draft' | 'listed'; document: Record<string, unknown>; run: string },
): Promise<void> {
  await queries
    .insertInto('entry')
    .values({ ...entry, document: json(entry.document), metadata: json({}), metrics: json({}) })
    .onConflict((conflict) =>
      conflict.column('product').doUpdateSet({
        ...(entry.state === 'listed' && { state: 'listed' }),
        document: json(entry.document),
        run: entry.run,
        updated_at: new Date(),
      }),
    )
    .execute()
}

/** What stands in the catalog's place of a product that is gone. */
export type Tombstone = { retiredAt: string; by: string; because: string; run: number; archive: string; kept: string[] }

/** Delisted, not deleted: who looks for it learns what became of it. */
export async function delistEntry(
  queries: Queries,
  entry: { product: string; community: string; title: string; tombstone: Tombstone; run: string },
): Promise<void> {
  const document = json({ title: entry.title, tombstone: entry.tombstone })
  await queries
    .insertInto('entry')
    .values({
      product: entry.product,
      community: entry.community,
      state: 'delisted',
      document,
      metadata: json({}),
      metrics: json({}),
      run: entry.run,
    })
    .onConflict((conflict) =>
      conflict.column('product').doUpdateSet({
        state: 'delisted',
        document,
        metadata: json({}),
        metrics: json({}),
        run: entry.run,
        updated_at: new Date(),
      }),
    )
    .execute()
}

export async function removeEntry(queries: Queries, product: string): Promise<void> {
  await queries.deleteFrom('entry').where('product', '=', product).execute()
}

export async function readEntry(queries: Queries, product: string): Promise<Entry | null> {
  return (
    (await queries
      .selectFrom('entry')
      .select(['community', 'state', 'document', 'metadata', 'metrics'])
      .where('product', '=', product)
      .executeTakeFirst()) ?? null
  )
}

export async function setEntryPart(
  queries: Queries,
  product: string,
  part: 'metadata' | 'metrics',
  value: Record<string, unknown>,
): Promise<void> {
  await queries
    .updateTable('entry')
    .set({ [part]: json(value), updated_at: new Date() })
    .where('product', '=', product)
    .execute()
}
