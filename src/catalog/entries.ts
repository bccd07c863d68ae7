import { sql } from 'kysely'
import { inTransaction, json, type Queries } from '../store/control.ts'
import type { BuiltPlace } from '../store/schema.ts'
import { makeSearchable } from './make-searchable.ts'

export type Entry = {
  community: string
  state: 'draft' | 'listed' | 'delisted'
  document: Record<string, unknown>
  metadata: Record<string, unknown>
  metrics: Record<string, unknown>
  /** environment → what its last run published */
  built: Record<string, BuiltPlace>
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
  await inTransaction(queries, async (transaction) => {
    await transaction
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
    await makeSearchable(transaction, entry.product)
  })
}

/** Dynamic metadata: what a run published, with every run. The service levels' states are read live. */
export async function setBuilt(queries: Queries, product: string, environment: string, built: BuiltPlace): Promise<void> {
  await queries
    .updateTable('entry')
    .set({ built: sql<string>`built || ${json({ [environment]: built })}::jsonb`, updated_at: new Date() })
    .where('product', '=', product)
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
  const emptied = { state: 'delisted', document, metadata: json({}), metrics: json({}), built: json({}), run: entry.run } as const
  await inTransaction(queries, async (transaction) => {
    await transaction
      .insertInto('entry')
      .values({ product: entry.product, community: entry.community, ...emptied })
      .onConflict((conflict) => conflict.column('product').doUpdateSet({ ...emptied, updated_at: new Date() }))
      .execute()
    await makeSearchable(transaction, entry.product)
  })
}

export async function removeEntry(queries: Queries, product: string): Promise<void> {
  await inTransaction(queries, async (transaction) => {
    await transaction.deleteFrom('entry').where('product', '=', product).execute()
    await makeSearchable(transaction, product)
  })
}

export async function readEntry(queries: Queries, product: string): Promise<Entry | null> {
  return (
    (await queries
      .selectFrom('entry')
      .select(['community', 'state', 'document', 'metadata', 'metrics', 'built'])
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
  await inTransaction(queries, async (transaction) => {
    await transaction
      .updateTable('entry')
      .set({ [part]: json(value), updated_at: new Date() })
      .where('product', '=', product)
      .execute()
    if (part === 'metadata') await makeSearchable(transaction, product)
  })
}
