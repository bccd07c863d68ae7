import { sql } from 'kysely'
import { fail } from '../core/fail.ts'
import type { Queries } from '../store/control.ts'
import type { LineageLevel } from '../store/schema.ts'

export type LineageRequest = {
  /** a product, an object or a column by its address, or what lies outside as `source:…` */
  of: string
  /** without it that of what `of` names */
  level?: LineageLevel | undefined
  up: number
  down: number
  environment: string
  /** nodes at most; the nearest are kept */
  limit: number
}
export type LineageNodeRow = {
  address: string
  kind: 'source' | 'product' | 'model' | 'object' | 'column' | 'consumer'
  name: string
  /** of a consumer the state of its agreement */
  state: string | null
  product: string | null
  domain: string | null
  product_name: string | null
  up: number
  down: number
}
export type LineageEdgeRow = { from: string; to: string; kind: 'reads' | 'builds' | 'consumes' }
export type LineageGraph = {
  focus: string
  level: LineageLevel
  nodes: LineageNodeRow[]
  edges: LineageEdgeRow[]
  missing: string[]
}

type Named = { product: string | null; object: string | null; column: string | null; level: LineageLevel }
type Scope = { environment: string; level: LineageLevel }

const MAX_GAPS = 50

/**
 * What lies around a product, an object or a column: up to so many hops against the data and with it, the nearest first. Retired products are not in it.
 * @throws LINEAGE_ADDRESS_UNKNOWN
 */
export async function lineage(queries: Queries, request: LineageRequest): Promise<LineageGraph> {
  const named = readAddress(request.of)
  const level = request.level ?? named.level
  const scope = { environment: request.environment, level }
  const focus = focusOf(named, level)
  const starts = await startsOf(queries, scope, named, request.limit + 1)
  if (starts.length === 0) throw unknown(request, focus)

  const missing: string[] = []
  const drawn = new Set(starts.slice(0, request.limit))
  if (starts.length > request.limit)
    missing.push(`${focus} has more than ${request.limit} nodes at this level; the others are not drawn`)
  for (const direction of ['up', 'down'] as const) {
    let frontier = [...drawn].filter((address) => starts.includes(address))
    for (let hop = 1; hop <= request[direction] && frontier.length > 0; hop++) {
      const room = request.limit - drawn.size
      const found = await neighbours(queries, scope, direction, frontier, [...drawn], room + 1)
      frontier = found.slice(0, room)
      for (const address of frontier) drawn.add(address)
      if (found.length > room) {
        missing.push(`more than ${request.limit} nodes: hop ${hop} ${direction} is not drawn whole`)
        break
      }
    }
  }
  const addresses = [...drawn]
  const [nodes, edges, gaps] = await Promise.all([
    readNodes(queries, scope, addresses),
    readEdges(queries, scope, addresses),
    level === 'product' ? [] : readGaps(queries, scope, addresses),
  ])
  return { focus, level, nodes, edges, missing: [...missing, ...gaps] }
}

/** `domain/product`, `domain/product/port.object[.column]`, `domain/product#model[.column]`, `source:domain/product/input[.column]`. */
function readAddress(of: string): Named {
  const text = of.trim()
  const found = /^(source:)?([^/#]+\/[^/#.]+)(?:([/#])(.+))?$/.exec(text)
  if (!found) return { product: null, object: null, column: null, level: 'product' }
  const [, source, product, mark, rest] = found
  if (rest === undefined) return { product: product!, object: null, column: null, level: 'product' }
  const parts = rest.split('.')
  // A port has objects, a model and an input have none between their name and a column.
  const deep = !source && mark === '/' ? 2 : 1
  const object = `${source ?? ''}${product}${mark}${parts.slice(0, deep).join('.')}`
  const column = parts.length > deep ? `${object}.${parts.slice(deep).join('.')}` : null
  return { product: product!, object, column, level: column ? 'column' : 'object' }
}

function focusOf(named: Named, level: LineageLevel): string {
  const own = named.object?.startsWith('source:') ? named.object : named.product
  if (level === 'product') return own ?? ''
  return (level === 'column' ? named.column : null) ?? named.object ?? own ?? ''
}

/** The nodes of this level that `of` stands for: itself, those inside it, or what it lies in. */
async function startsOf(queries: Queries, scope: Scope, named: Named, limit: number): Promise<string[]> {
  const { product, object, column } = named
  if (product === null) return []
  const { environment, level } = scope
  const isSource = object?.startsWith('source:') ?? false
  const where =
    level === 'product'
      ? sql`n.address = ${isSource ? object : product}`
      : level === 'object'
        ? object === null
          ? sql`n.parent = ${product} and n.kind <> 'source'`
          : sql`(n.address = ${object} or starts_with(n.address, ${`${object}.`}))`
        : column !== null
          ? sql`n.address = ${column}`
          : object !== null
            ? sql`(n.parent = ${object} or starts_with(n.parent, ${`${object}.`}))`
            : sql`(starts_with(n.parent, ${`${product}/`}) or starts_with(n.parent, ${`${product}#`}))`
  const { rows } = await sql<{ address: string }>`
    select n.address from lineage_node n join product p on p.id = n.product and p.state <> 'retired'
    where n.environment = ${environment} and n.level = ${level} and ${where} order by n.address limit ${limit}`.execute(queries)
  return rows.map(({ address }) => address)
}

/** Edges of living products, one row for each, also those from what is served to its consumers. */
function edgesWhere(scope: Scope, side: 'from' | 'to', addresses: readonly string[]) {
  const { environment, level } = scope
  const column = side === 'from' ? sql`e.from_address` : sql`e.to_address`
  const own = sql`
    select e.from_address as f, e.to_address as t, e.kind from lineage_edge e
    join product p on p.id = e.product and p.state <> 'retired' left join product u on u.id = e.upstream
    where e.environment = ${environment} and e.level = ${level} and ${column} = any(${[...addresses]}::text[])
      and (e.upstream is null or u.state <> 'retired')`
  if (side === 'from') return sql`${own} union ${consumed(scope, sql`n.address = any(${[...addresses]}::text[])`)}`
  const subjects = addresses.filter((address) => address.startsWith(CONSUMER)).map((address) => address.slice(CONSUMER.length))
  return subjects.length === 0 ? own : sql`${own} union ${consumed(scope, sql`a.subject = any(${subjects}::text[])`)}`
}

const CONSUMER = 'consumer:'

/** Whoever holds an active agreement reads all of its port. Another product is in the graph by its input port. */
function consumed({ environment, level }: Scope, which: ReturnType<typeof sql>) {
  const kind = level === 'product' ? 'product' : level
  return sql`
    select n.address as f, ${CONSUMER} || a.subject as t, 'consumes' as kind
    from lineage_node n join product p on p.id = n.product and p.state <> 'retired'
    join agreement a on a.product = n.product and a.environment = n.environment and a.state in ('active', 'expiring')
    where n.environment = ${environment} and n.level = ${level} and n.kind = ${kind} and ${which} and a.subject not like 'service:%'
      and (${level} = 'product' or starts_with(n.address, p.domain || '/' || p.name || '/' || a.port || '.'))`
}

async function neighbours(
  queries: Queries,
  scope: Scope,
  direction: 'up' | 'down',
  frontier: readonly string[],
  known: readonly string[],
  limit: number,
): Promise<string[]> {
  const edges = edgesWhere(scope, direction === 'up' ? 'to' : 'from', frontier)
  const far = direction === 'up' ? sql`f` : sql`t`
  const { rows } = await sql<{ address: string }>`
    select distinct ${far} as address from (${edges}) e where ${far} <> all(${[...known]}::text[])
    order by 1 limit ${limit}`.execute(queries)
  return rows.map(({ address }) => address)
}

async function readEdges(queries: Queries, scope: Scope, addresses: readonly string[]): Promise<LineageEdgeRow[]> {
  const { rows } = await sql<LineageEdgeRow>`
    select f as "from", t as "to", kind from (${edgesWhere(scope, 'from', addresses)}) e
    where t = any(${[...addresses]}::text[]) order by f, t`.execute(queries)
  return rows
}

/** With how many lie one hop before and behind each, drawn or not. */
async function readNodes(queries: Queries, scope: Scope, addresses: readonly string[]): Promise<LineageNodeRow[]> {
  const { environment, level } = scope
  const { rows } = await sql<LineageNodeRow>`
    with wanted as (select address from unnest(${[...addresses]}::text[]) with ordinality as w (address, at)),
      up as (select t as address, count(distinct f)::int as n from (${edgesWhere(scope, 'to', addresses)}) e group by t),
      down as (select f as address, count(distinct t)::int as n from (${edgesWhere(scope, 'from', addresses)}) e group by f)
    select w.address, coalesce(n.kind, 'consumer') as kind, coalesce(n.name, substr(w.address, ${CONSUMER.length + 1})) as name,
      (select min(a.state) from agreement a where n.address is null and a.environment = ${environment} and a.state in ('active', 'expiring')
        and a.subject = substr(w.address, ${CONSUMER.length + 1})) as state, n.product, p.domain, p.name as product_name, coalesce(up.n, 0) as up, coalesce(down.n, 0) as down
    from wanted w left join lineage_node n on n.environment = ${environment} and n.level = ${level} and n.address = w.address
    left join product p on p.id = n.product left join up on up.address = w.address left join down on down.address = w.address
    order by w.address`.execute(queries)
  return rows
}

async function readGaps(queries: Queries, { environment, level }: Scope, addresses: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ what: string }>`
    select p.domain || '/' || p.name || ': ' || g.what as what from lineage_gap g join product p on p.id = g.product
    where g.environment = ${environment} and g.product in (select product from lineage_node
      where environment = ${environment} and level = ${level} and address = any(${[...addresses]}::text[]))
    order by 1 limit ${MAX_GAPS}`.execute(queries)
  return rows.map(({ what }) => what)
}

function unknown({ of, environment }: LineageRequest, focus: string) {
  const text = of.slice(0, 200)
  return fail('LINEAGE_ADDRESS_UNKNOWN', {
    what: `Nothing called ${text || '""'} is served in ${environment}`,
    ...(focus !== '' && { why: 'The lineage holds what the current releases serve and read, and no retired product.' }),
    fix: `Look for it: heddle search ${JSON.stringify(text.split(/[/#]/).at(-1) ?? '')}`,
  })
}
