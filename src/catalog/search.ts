import { type RawBuilder, sql } from 'kysely'
import { fail } from '../core/fail.ts'
import type { Queries } from '../store/control.ts'
import { normaliseQuery, TEXT_RANK, textQuery } from './search-terms.ts'

export type SearchSort = 'rank' | 'name' | 'freshness'
export type SearchRequest = {
  q: string
  domain?: string | undefined
  /** draft or listed; without it both. A tombstone is found only by `delisted`. */
  state?: string | undefined
  sort: SearchSort
  cursor?: string | undefined
  limit: number
}
export type Found = { product: string; address: string; rank: number }
type Row = Found & { key: number }

/**
 * One page of what answers a question, by the ranks of search-terms.ts, then by address; `next` goes on behind the last one, also when entries have come
 * or gone meanwhile. Nothing in the question is taken for a wildcard or an operator.
 * @throws CATALOG_CURSOR_INVALID
 */
export async function search(queries: Queries, request: SearchRequest): Promise<{ items: Found[]; next: string | null }> {
  const query = normaliseQuery(request.q)
  const after = readCursor(request.cursor, request.sort)
  const wanted = request.limit + 1
  const rows =
    query === ''
      ? await listAll(queries, request, after, wanted)
      : request.sort === 'rank'
        ? await byRank(queries, { ...request, q: query }, after, wanted)
        : await bySort(queries, { ...request, q: query }, after, wanted)
  const items = rows.slice(0, request.limit)
  const last = items.at(-1)
  return {
    items: items.map(({ product, address, rank }) => ({ product, address, rank })),
    next: rows.length > request.limit && last ? writeCursor(request.sort, last) : null,
  }
}

/** The names first; only a page that they do not fill costs a look at columns, and then at words of the text. */
async function byRank(queries: Queries, request: SearchRequest, after: Cursor | null, wanted: number): Promise<Row[]> {
  const { q } = request
  const rows: Row[] = []
  const isPath = q.includes('.')
  const read = async (from: RawBuilder<unknown>, rank: RawBuilder<unknown>, where: RawBuilder<unknown>) => {
    const missing = wanted - rows.length
    const { rows: found } = await sql<Row>`
      select product, address, rank, rank as key from (
        select s.product, s.address, ${rank} as rank from ${from} where ${visible(request)} and ${where}
      ) found
      where rank is not null and (rank, address) > (${after?.key ?? 0}::int, ${after?.address ?? ''} collate "C")
      order by rank, address limit ${missing}`.execute(queries)
    rows.push(...found)
  }
  const strong = sql`(${nameRank(q)})`
  if (!isPath && (after === null || after.key < WEAK))
    await read(sql`search_entry s`, strong, sql`strpos(s.names, ${q}) > 0 and ${strong} < ${WEAK}`)
  if (rows.length < wanted && (after === null || after.key < TEXT_RANK))
    await read(
      sql`search_entry s join search_text t on t.product = s.product`,
      sql`(${fullRank(q)})`,
      isPath ? mayMatch(q) : sql`${mayMatch(q)} and coalesce(${strong}, ${WEAK}) >= ${WEAK}`,
    )
  const words = textQuery(q)
  if (rows.length < wanted && words !== null)
    await read(
      sql`search_text t join search_entry s on t.product = s.product`,
      sql`${TEXT_RANK}::int`,
      sql`to_tsvector('english', t.prose) @@ to_tsquery('english', ${words}) and (${fullRank(q)}) is null`,
    )
  return rows
}

/** By name or freshness: whatever matches, however well. */
async function bySort(queries: Queries, request: SearchRequest, after: Cursor | null, wanted: number): Promise<Row[]> {
  const { q } = request
  const words = textQuery(q)
  const inText =
    words === null
      ? sql`false`
      : sql`s.product in (select product from search_text where to_tsvector('english', prose) @@ to_tsquery('english', ${words}))`
  return ordered(
    queries,
    request,
    { after, wanted },
    sql`select s.product, s.address, s.published_at, coalesce(${fullRank(q)}, ${TEXT_RANK}::int) as rank
      from search_entry s join search_text t on t.product = s.product
      where ${visible(request)} and ((${mayMatch(q)} and (${fullRank(q)}) is not null) or ${inText})`,
  )
}

function listAll(queries: Queries, request: SearchRequest, after: Cursor | null, wanted: number): Promise<Row[]> {
  return ordered(
    queries,
    request,
    { after, wanted },
    sql`select s.product, s.address, s.published_at, ${TEXT_RANK}::int as rank from search_entry s where ${visible(request)}`,
  )
}

/** The newest first, what was never published last; else by address. */
async function ordered(
  queries: Queries,
  { sort }: SearchRequest,
  { after, wanted }: { after: Cursor | null; wanted: number },
  matches: RawBuilder<unknown>,
): Promise<Row[]> {
  const address = after?.address ?? ''
  const key = sort === 'freshness' ? sql`coalesce(-extract(epoch from published_at) * 1000000, 0)::bigint` : sql`0::bigint`
  const behind = after === null ? sql`true` : sql`(${key}, address) > (${after.key}::bigint, ${address} collate "C")`
  const order = sort === 'freshness' ? sql`key, address` : sql`address`
  const { rows } = await sql<Row>`
    select product, address, rank, ${key} as key from (${matches}) found where ${behind} order by ${order} limit ${wanted}`.execute(
    queries,
  )
  return rows
}

function visible({ domain, state }: SearchRequest): RawBuilder<unknown> {
  const states = state === undefined ? sql`s.state <> 'delisted'` : sql`s.state = ${state}`
  return domain === undefined ? states : sql`${states} and s.domain = ${domain}`
}

/** From here on a name answers no better than a column may. */
const WEAK = 50

/** Cheap, and true wherever `fullRank` is not null. */
function mayMatch(q: string): RawBuilder<unknown> {
  const names = sql`strpos(s.names, ${q}) > 0 or strpos(t.columns, ${q}) > 0`
  return q.includes('.') ? sql`(${names} or ${inPaths(q, `.${q}`)} or ${inPaths(q, `\n${q}`)})` : sql`(${names})`
}

/** The paths are long: they are looked at only where a column begins like the last part of the question. */
function inPaths(q: string, piece: string): RawBuilder<unknown> {
  const last = q.slice(q.lastIndexOf('.') + 1)
  return sql`(strpos(t.columns, ${`\nC${last}`}) > 0 and strpos(t.column_paths, ${piece}) > 0)`
}

type Case = readonly [piece: string, rank: number]

function nameCases(q: string): Case[] {
  const isPath = q.includes('.')
  return [
    [`\nA${q}\n`, 10],
    [`\nN${q}\n`, 20],
    [`\nP${q}\n`, 21],
    ...(isPath ? [[`.${q}\n`, 22] as const] : []),
    [`\nN${q}`, 30],
    [`\nP${q}`, 31],
    [`\nA${q}`, 32],
    ...(isPath ? [[`.${q}`, 33] as const] : []),
    [`\nT${q}\n`, 40],
    [`\nT${q}`, 41],
    [`\nw${q}`, 42],
    [` ${q}`, 60],
    [q, 61],
  ]
}

function columnCases(q: string): Case[] {
  return [
    [`\nC${q}\n`, 50],
    [`\nC${q}`, 51],
    [`\nG${q}\n`, 52],
    [` ${q}`, 60],
    [q, 61],
  ]
}

function pathCases(q: string): Case[] {
  return [
    [`\n${q}\n`, 10],
    [`.${q}\n`, 22],
    [`\n${q}`, 32],
    [`.${q}`, 33],
  ]
}

const nameRank = (q: string) => rankOf(nameCases(q).map(([piece, rank]) => when(sql`strpos(s.names, ${piece}) > 0`, rank)))

/** The best of name, column and, for a question with a dot, address of a column: cases in the order of their ranks. */
function fullRank(q: string): RawBuilder<unknown> {
  const cases = [
    ...nameCases(q).map(([piece, rank]) => ({ rank, is: sql`strpos(s.names, ${piece}) > 0` })),
    ...columnCases(q).map(([piece, rank]) => ({ rank, is: sql`strpos(t.columns, ${piece}) > 0` })),
    ...(q.includes('.') ? pathCases(q).map(([piece, rank]) => ({ rank, is: inPaths(q, piece) })) : []),
  ]
  return rankOf(cases.sort((a, b) => a.rank - b.rank).map(({ is, rank }) => when(is, rank)))
}

function rankOf(cases: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql`case ${sql.join(cases, sql` `)} end`
}

function when(condition: RawBuilder<unknown>, rank: number): RawBuilder<unknown> {
  return sql`when ${condition} then ${sql.lit(rank)}`
}

type Cursor = { key: number; address: string }

function writeCursor(sort: SearchSort, { key, address }: Row): string {
  return Buffer.from(JSON.stringify([sort, key, address])).toString('base64url')
}

function readCursor(text: string | undefined, sort: SearchSort): Cursor | null {
  if (text === undefined) return null
  try {
    const [made, key, address] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (made === sort && typeof key === 'number' && Number.isSafeInteger(key) && typeof address === 'string')
      return { key, address: address.replaceAll('\u0000', '') }
  } catch {
    // told below
  }
  throw fail('CATALOG_CURSOR_INVALID', { what: `The cursor is not one of a search sorted by ${sort}` })
}
