import { type RawBuilder, sql } from 'kysely'
import type { Queries } from '../store/control.ts'
import { isColumn, SEARCH_VERSION, type SearchSubject, type SearchTerm, searchTerms } from './search-terms.ts'

/** The rows that search reads, made from an entry as it stands in this transaction. No entry, no rows. */
export async function makeSearchable(queries: Queries, product: string): Promise<void> {
  // Whoever changes the entry or its product's title meanwhile waits, and then sees what this one wrote.
  await queries.selectFrom('entry').select('product').where('product', '=', product).forUpdate().execute()
  const entries = await readSubjects(queries, [product])
  if (entries.length === 0) await queries.deleteFrom('search_entry').where('product', '=', product).execute()
  else await writeRows(queries, entries)
}

const BATCH = 200

/** Entries from before there was a search, or whose rows were made in another way. @returns how many */
export async function makeMissingSearchable(queries: Queries): Promise<number> {
  const { rows } = await sql<{ product: string }>`
    select e.product from entry e left join search_entry s on s.product = e.product and s.version = ${SEARCH_VERSION}
    where s.product is null`.execute(queries)
  const products = rows.map(({ product }) => product)
  for (let from = 0; from < products.length; from += BATCH)
    await writeRows(queries, await readSubjects(queries, products.slice(from, from + BATCH)))
  return products.length
}

async function writeRows(queries: Queries, entries: readonly IndexedSubject[]): Promise<void> {
  const made = entries.map((entry) => ({ entry, terms: searchTerms(entry) }))
  await queries
    .insertInto('search_entry')
    .values(
      made.map(({ entry, terms }) => ({
        product: entry.product,
        version: SEARCH_VERSION,
        state: entry.state,
        domain: entry.domain,
        address: `${entry.domain}/${entry.name}`,
        names: nameLines(terms),
        freshness: sql<number>`coalesce((select ${freshnessOf(sql`max(at)`)} from publication where product = ${entry.product}::uuid), 0)`,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('product').doUpdateSet((set) => ({
        version: set.ref('excluded.version'),
        state: set.ref('excluded.state'),
        domain: set.ref('excluded.domain'),
        address: set.ref('excluded.address'),
        names: set.ref('excluded.names'),
      })),
    )
    .execute()
  await queries
    .insertInto('search_text')
    .values(
      made.map(({ entry, terms }) => ({
        product: entry.product,
        columns: columnLines(terms),
        column_paths: pathLines(terms),
        prose: prose(terms),
      })),
    )
    .onConflict((conflict) =>
      conflict.column('product').doUpdateSet((set) => ({
        columns: set.ref('excluded.columns'),
        column_paths: set.ref('excluded.column_paths'),
        prose: set.ref('excluded.prose'),
      })),
    )
    .execute()
}

function freshnessOf(at: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(-extract(epoch from ${at}) * 1000)::bigint`
}

/** Consumers got something new: what search sorts freshness by. */
export async function touchFreshness(queries: Queries, product: string, at: Date): Promise<void> {
  await queries
    .updateTable('search_entry')
    .set({ freshness: sql<number>`least(freshness, ${-at.getTime()}::bigint)` })
    .where('product', '=', product)
    .execute()
}

export type IndexedSubject = SearchSubject & { product: string; state: string; community: string }

export async function readSubjects(queries: Queries, products: readonly string[]): Promise<IndexedSubject[]> {
  if (products.length === 0) return []
  return queries
    .selectFrom('entry')
    .innerJoin('product', 'product.id', 'entry.product')
    .select(['entry.product', 'entry.state', 'entry.community', 'entry.document', 'entry.metadata'])
    .select(['product.domain', 'product.name', 'product.title'])
    .where('entry.product', 'in', [...products])
    .execute()
}

/** Letters of the kinds of lines: A address, N name of the product, P of a port or object, T title, w a title from a later word on. */
export function nameLines(terms: readonly SearchTerm[]): string {
  const lines = terms.flatMap(({ field, address, text }) => {
    if (field === 'address') return isColumn(address) ? [] : [`A${text}`]
    if (field === 'name') return [`N${text}`]
    if (field === 'port' || field === 'object') return [`P${text}`]
    return field === 'title' ? [`T${text}`, ...laterWords(text).map((rest) => `w${rest}`)] : []
  })
  return joined(lines)
}

function laterWords(text: string): string[] {
  const words = text.split(' ').slice(0, 12)
  return words.slice(1).map((_, index) => words.slice(index + 1).join(' '))
}

/** C column, G tag. */
export function columnLines(terms: readonly SearchTerm[]): string {
  return joined(terms.flatMap(({ field, text }) => (field === 'column' ? [`C${text}`] : field === 'tag' ? [`G${text}`] : [])))
}

export function pathLines(terms: readonly SearchTerm[]): string {
  return joined(terms.filter(({ field, address }) => field === 'address' && isColumn(address)).map(({ text }) => text))
}

const MAX_PROSE = 200_000

/** What the words of a question may lie in: every name and text but the addresses. */
export function prose(terms: readonly SearchTerm[]): string {
  const texts = terms.filter(({ field }) => field !== 'address').map(({ text }) => text)
  return [...new Set(texts)].join('\n').slice(0, MAX_PROSE)
}

function joined(lines: readonly string[]): string {
  return `\n${[...new Set(lines)].join('\n')}\n`
}
