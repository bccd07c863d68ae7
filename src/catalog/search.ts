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
  // Signs alone are no question, and not the wish to see everything either.
  if (query === '' && request.q.trim() !== '') return { items: [], next: null }
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

/** So many answers are ranked one and all; more are read rank by rank until the page is full. */
const FEW = 300
/** So many entries, in the order of their addresses, are looked at before an answer that many give is searched everywhere. */
const NEAR = 2000
/** From here on a name answers no better than a column may. */
const WEAK = 50

async function byRank(queries: Queries, request: SearchRequest, after: Cursor | null, wanted: number): Promise<Row[]> {
  const { q } = request
  const few = await readFew(queries, request, all(request))
  const rows = few ? page(few, after, wanted) : await readMany(queries, request, after, wanted)
  const words = textQuery(q)
  if (rows.length >= wanted || words === null) return rows
  const known = few ? sql`s.product <> all(${few.map(({ product }) => product)}::uuid[])` : sql`not ${mayMatch(q)}`
  const { rows: found } = await sql<Row>`
    select s.product, s.address, ${TEXT_RANK}::int as rank, ${TEXT_RANK}::int as key
    from search_text t join search_entry s on s.product = t.product
    where to_tsvector('english', t.prose) @@ to_tsquery('english', ${words}) and ${visible(request)} and ${known} and ${behind(after, TEXT_RANK)}
    order by s.address limit ${wanted - rows.length}`.execute(queries)
  return [...rows, ...found]
}

/** All that match, with their ranks; null when they are more than FEW. `products` gives their ids. */
async function readFew(queries: Queries, request: SearchRequest, products: RawBuilder<unknown>): Promise<Row[] | null> {
  const found = await sql<{ product: string }>`select product from (${products}) found limit ${FEW + 1}`.execute(queries)
  if (found.rows.length > FEW) return null
  if (found.rows.length === 0) return []
  const { rows } = await sql<Row>`
    select s.product, s.address, ${fullRank(request.q)} as rank, 0 as key from search_entry s join search_text t on t.product = s.product
    where s.product = any(${found.rows.map(({ product }) => product)}::uuid[])`.execute(queries)
  return rows
    .filter(({ rank }) => rank !== null)
    .map((row) => ({ ...row, key: row.rank }))
    .sort((a, b) => a.rank - b.rank || (a.address < b.address ? -1 : 1))
}

function page(rows: readonly Row[], after: Cursor | null, wanted: number): Row[] {
  const isBehind = ({ rank, address }: Row) =>
    after === null || rank > after.key || (rank === after.key && address > after.address)
  return rows.filter(isBehind).slice(0, wanted)
}

/** Group of ranks by group: one that few answer is ranked whole, one that many answer is read rank by rank; left when the page is full. */
async function readMany(queries: Queries, request: SearchRequest, after: Cursor | null, wanted: number): Promise<Row[]> {
  const cases = fullCases(request.q)
  const rows: Row[] = []
  const readGroup = async (least: number, most: number): Promise<boolean> => {
    if (rows.length >= wanted || (after !== null && after.key > most)) return true
    const group = cases.filter(({ rank }) => rank >= least && rank <= most)
    const few = await readFew(queries, request, productsWhere(request, group))
    if (few)
      rows.push(
        ...page(
          few.filter(({ rank }) => rank >= least && rank <= most),
          after,
          wanted - rows.length,
        ),
      )
    return few !== null
  }
  for (const [least, most] of GROUPS) {
    if (least !== LAST && (await readGroup(least, most))) continue
    const ranks = [...new Set(cases.map(({ rank }) => rank))].filter((rank) => rank >= least && rank <= most)
    // Exact ones first, together: mostly there are few of them.
    const exact = ranks.filter((rank) => rank < 30)
    const isRead = exact.length > 0 && (await readGroup(exact[0]!, exact.at(-1)!))
    for (const rank of isRead ? ranks.slice(exact.length) : ranks)
      if (rows.length < wanted && (after === null || after.key <= rank))
        rows.push(...(await readRank(queries, request, { rank, cases, after, wanted: wanted - rows.length })))
  }
  return rows
}

const LAST = 61
const GROUPS = [
  [10, 42],
  [50, 52],
  [60, 60],
  [LAST, LAST],
] as const

/** One rank, in the order of addresses. Mostly many have it: then those near in that order fill the page. Where they do not, an index finds the rest. */
async function readRank(
  queries: Queries,
  request: SearchRequest,
  { rank, cases, after, wanted }: { rank: number; cases: readonly Case[]; after: Cursor | null; wanted: number },
): Promise<Row[]> {
  const is = any(cases.filter((each) => each.rank === rank))
  const better = any(cases.filter((each) => each.rank < rank))
  const text = cases.some((each) => each.rank <= rank && each.place !== 'names')
    ? sql`join search_text t on t.product = s.product`
    : sql``
  const read = async (entries: RawBuilder<unknown>) => {
    const { rows } = await sql<Row>`
      select s.product, s.address, ${rank}::int as rank, ${rank}::int as key from ${entries} s ${text}
      where (${is}) and not (${better}) and ${visible(request)} and ${behind(after, rank)} order by s.address limit ${wanted}`.execute(
      queries,
    )
    return rows
  }
  const found = rank < WEAK ? [] : await read(sql`(${near(request, rank, after)})`)
  return found.length < wanted ? read(sql`search_entry`) : found
}

function near(request: SearchRequest, rank: number, after: Cursor | null): RawBuilder<unknown> {
  return sql`select * from search_entry s where ${visible(request)} and ${behind(after, rank)} order by s.address limit ${NEAR}`
}

/** By name or freshness: whatever matches, however well. */
async function bySort(queries: Queries, request: SearchRequest, after: Cursor | null, wanted: number): Promise<Row[]> {
  const { q } = request
  const words = textQuery(q)
  const text = words === null ? sql`false` : sql`to_tsvector('english', t.prose) @@ to_tsquery('english', ${words})`
  const found = await sql<{ product: string }>`
    (${all(request)} limit ${FEW + 1}) union (select s.product from search_text t join search_entry s on s.product = t.product
      where ${text} and ${visible(request)} limit ${FEW + 1})`.execute(queries)
  const few = found.rows.length > FEW ? null : found.rows.map(({ product }) => product)
  return ordered(
    queries,
    request,
    { after, wanted },
    sql`select s.product, s.address, s.freshness, ${TEXT_RANK}::int as rank
      from search_entry s join search_text t on t.product = s.product
      where ${visible(request)} and ${few ? sql`s.product = any(${few}::uuid[])` : sql`(${mayMatch(q)} or ${text})`}`,
  )
}

function listAll(queries: Queries, request: SearchRequest, after: Cursor | null, wanted: number): Promise<Row[]> {
  const from = sql`select s.product, s.address, s.freshness, ${TEXT_RANK}::int as rank from search_entry s where ${visible(request)}`
  return ordered(queries, request, { after, wanted }, from)
}

/** The newest first, what was never published last; else by address. */
async function ordered(
  queries: Queries,
  { sort }: SearchRequest,
  { after, wanted }: { after: Cursor | null; wanted: number },
  matches: RawBuilder<unknown>,
): Promise<Row[]> {
  const address = sql`${after?.address ?? ''}::text collate "C"`
  const fresh = sort === 'freshness'
  const past =
    after === null
      ? sql`true`
      : fresh
        ? sql`(freshness, address) > (${after.key}::bigint, ${address})`
        : sql`address > ${address}`
  const { rows } = await sql<Row>`
    select product, address, rank, ${fresh ? sql`freshness` : sql`0`} as key from (${matches}) found where ${past}
    order by ${fresh ? sql`freshness, address` : sql`address`} limit ${wanted}`.execute(queries)
  return rows
}

function visible({ domain, state }: SearchRequest): RawBuilder<unknown> {
  const states = state === undefined ? sql`s.state <> 'delisted'` : sql`s.state = ${state}`
  return domain === undefined ? states : sql`${states} and s.domain = ${domain}`
}

function behind(after: Cursor | null, rank: number): RawBuilder<unknown> {
  return after === null || after.key < rank ? sql`true` : sql`s.address > ${after.address}::text collate "C"`
}

/** Ids of all that match, by the indexes of names and columns. */
function all(request: SearchRequest): RawBuilder<unknown> {
  const { q } = request
  const seen = visible(request)
  if (q.includes('.'))
    return sql`select s.product from search_entry s join search_text t on t.product = s.product
      where ${has('names', q.slice(0, q.lastIndexOf('.')))} and ${seen} and ${mayMatch(q)}`
  return sql`select product from (
      (select s.product from search_entry s where ${has('names', q)} and ${seen} limit ${FEW + 1})
      union (select s.product from search_text t join search_entry s on s.product = t.product where ${has('columns', q)} and ${seen} limit ${FEW + 1})
    ) either`
}

/** Names and columns each by their own index; a case of a column's address needs both. */
function productsWhere(request: SearchRequest, cases: readonly Case[]): RawBuilder<unknown> {
  const seen = visible(request)
  const arms = (['names', 'columns', 'column_paths'] as const).flatMap((place) => {
    const own = cases.filter((each) => each.place === place)
    if (own.length === 0) return []
    const from = place === 'names' ? sql`search_entry s` : sql`search_text t join search_entry s on s.product = t.product`
    return [sql`(select s.product from ${from} where (${any(own)}) and ${seen} limit ${FEW + 1})`]
  })
  return sql`select product from (${sql.join(arms, sql` union `)}) either`
}

/** The same as a rank that is not null, and cheaper. */
function mayMatch(q: string): RawBuilder<unknown> {
  const names = sql`${has('names', q)} or ${has('columns', q)}`
  return q.includes('.') ? sql`(${names} or ${inPaths(q, `.${q}`)} or ${inPaths(q, `\n${q}`)})` : sql`(${names})`
}

/** The paths are long: they are looked at only where a column begins like the last part of the question. */
function inPaths(q: string, piece: string): RawBuilder<unknown> {
  const last = q.slice(q.lastIndexOf('.') + 1)
  return sql`(${has('columns', `\nC${last}`)} and ${has('column_paths', piece)})`
}

const PLACES = { names: sql`s.names`, columns: sql`t.columns`, column_paths: sql`t.column_paths` }

/** The piece of text is somewhere in the lines; LIKE, because the trigram indexes know it, with nothing in the piece that it takes for a sign. */
function has(place: keyof typeof PLACES, piece: string): RawBuilder<unknown> {
  return sql`${PLACES[place]} like ${`%${piece.replace(/[\\%_]/g, '\\$&')}%`}`
}

/** In the order of their ranks; a row has the rank of the first that is true. */
type Case = { rank: number; place: keyof typeof PLACES; is: RawBuilder<unknown> }

const caseIn = (place: keyof typeof PLACES, piece: string, rank: number): Case => ({ rank, place, is: has(place, piece) })

function nameCases(q: string): Case[] {
  const isPath = q.includes('.')
  return [
    caseIn('names', `\nA${q}\n`, 10),
    caseIn('names', `\nN${q}\n`, 20),
    caseIn('names', `\nP${q}\n`, 21),
    ...(isPath ? [caseIn('names', `.${q}\n`, 22)] : []),
    caseIn('names', `\nN${q}`, 30),
    caseIn('names', `\nP${q}`, 31),
    caseIn('names', `\nA${q}`, 32),
    ...(isPath ? [caseIn('names', `.${q}`, 33)] : []),
    caseIn('names', `\nT${q}\n`, 40),
    caseIn('names', `\nT${q}`, 41),
    caseIn('names', `\nw${q}`, 42),
    caseIn('names', ` ${q}`, 60),
    caseIn('names', q, 61),
  ]
}

function columnCases(q: string): Case[] {
  return [
    caseIn('columns', `\nC${q}\n`, 50),
    caseIn('columns', `\nC${q}`, 51),
    caseIn('columns', `\nG${q}\n`, 52),
    caseIn('columns', ` ${q}`, 60),
    caseIn('columns', q, 61),
  ]
}

function pathCases(q: string): Case[] {
  if (!q.includes('.')) return []
  const pieces = [`\n${q}\n`, `.${q}\n`, `\n${q}`, `.${q}`]
  return pieces.map((piece, index) => ({ rank: [10, 22, 32, 33][index]!, place: 'column_paths', is: inPaths(q, piece) }))
}

function fullCases(q: string): Case[] {
  return [...nameCases(q), ...columnCases(q), ...pathCases(q)].sort((a, b) => a.rank - b.rank)
}

/** The best of name, column and, for a question with a dot, address of a column; null without any. */
function fullRank(q: string): RawBuilder<unknown> {
  return sql`case ${sql.join(
    fullCases(q).map(({ is, rank }) => sql`when ${is} then ${sql.lit(rank)}`),
    sql` `,
  )} end`
}

function any(cases: readonly Case[]): RawBuilder<unknown> {
  return cases.length === 0
    ? sql`false`
    : sql.join(
        cases.map(({ is }) => is),
        sql` or `,
      )
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
