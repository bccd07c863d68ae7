import { z } from 'zod'
import * as shapes from '../../src/http/schemas.ts'

/** A mesh of seven products as search, lineage, usage and service levels tell it; everything goes through the schemas of the API. */
type Summary = z.infer<typeof shapes.ProductSummary>
type Node = z.infer<typeof shapes.LineageNode>
type Level = z.infer<typeof shapes.ServiceLevel>

const DAY = 86_400_000
const COLUMNS: Record<string, string[]> = {
  'operations/flights': ['daily.flights.flight_id', 'daily.flights.dep_time', 'daily.flights.carrier', 'daily.flights.tailnum'],
  'punctuality/delays': ['by-hour.delays.flight_date', 'by-hour.delays.flights_delayed', 'by-hour.delays.origin'],
  'weather/hourly': ['hourly.observations.origin', 'hourly.observations.wind_speed'],
  'network/airports': ['airports.airports.faa', 'airports.airlines.carrier'],
  'fleet/planes': ['planes.planes.tailnum', 'planes.planes.manufacturer'],
  'clinical-care/encounters': ['encounters-sql.encounters.encounter_id', 'encounters-sql.encounters.facility_id'],
}
const READS: [string, string][] = [
  ['network/airports', 'operations/flights'],
  ['operations/flights', 'punctuality/delays'],
  ['weather/hourly', 'punctuality/delays'],
  ['network/airports', 'punctuality/delays'],
  ['fleet/planes', 'punctuality/delays'],
]
const SOURCES: [string, string][] = [
  ['source:flights_src', 'operations/flights'],
  ['source:planes.csv', 'fleet/planes'],
  ['source:weather.csv', 'weather/hourly'],
  ['source:airports.csv', 'network/airports'],
  ['source:patients.csv', 'clinical-care/encounters'],
]
const CONSUMERS: [string, string][] = [
  ['operations/flights', 'analysts-ops'],
  ['operations/flights', 'svc-ops-wall'],
  ['clinical-care/encounters', 'analytics-users'],
]

export function makeFindFixtures(now: number, known: readonly Summary[]) {
  const at = (ms: number) => new Date(now - ms).toISOString()
  const summaries: Summary[] = z.array(shapes.ProductSummary).parse([
    ...known,
    ...[
      ['weather/hourly', 'Hourly weather at each origin airport', 'team-weather', 'r9 · 1.3.1', 'breached', 10_700],
      ['network/airports', 'Airports and airlines', 'team-network', 'r7 · 1.2.0', 'met', 21_500],
      ['punctuality/delays', 'Delay by carrier, origin and hour', 'team-punctuality', 'r8 · 2.0.1', 'met', 10_260],
    ].map(([address, title, owner, release, slo, freshness]) => ({
      address,
      title,
      domain: String(address).split('/')[0],
      owner,
      state: 'active',
      since: at(9 * DAY),
      reason: null,
      release,
      slo,
      freshness,
    })),
  ])
  const nodes = new Map<string, Node>()
  const edges = [
    ...READS.map(([from, to]) => ({ from, to, kind: 'reads' as const })),
    ...SOURCES.map(([from, to]) => ({ from, to, kind: 'reads' as const })),
    ...CONSUMERS.map(([from, to]) => ({ from, to, kind: 'consumes' as const })),
  ]
  for (const address of new Set(edges.flatMap(({ from, to }) => [from, to]))) {
    const summary = summaries.find((each) => each.address === address)
    const kind = summary ? 'product' : address.startsWith('source:') ? 'source' : 'consumer'
    nodes.set(address, {
      address,
      kind,
      name: summary ? address : address.replace('source:', ''),
      product: summary ? address : null,
      state: summary?.state ?? null,
      slo: summary?.slo ?? null,
      up: edges.filter((edge) => edge.to === address).length,
      down: edges.filter((edge) => edge.from === address).length,
    })
  }
  return { now, summaries, nodes, edges }
}

export type FindFixtures = ReturnType<typeof makeFindFixtures>

/** What the API answers to a reader who looks for something; undefined: not one of these. */
export function findAnswer(
  find: FindFixtures,
  { method, path }: { method: string; path: string },
  query: URLSearchParams,
): unknown {
  if (method !== 'GET') return undefined
  if (path === '/search') return search(find, query)
  if (path === '/lineage') return lineage(find, query)
  const [, address, what] = /^\/products\/([^/]+\/[^/]+)\/(slo|usage)$/.exec(path) ?? []
  const product = find.summaries.find((each) => each.address === address)
  if (!product) return undefined
  if (what === 'slo' && product.release)
    return shapes.List(shapes.ServiceLevel).parse({ items: levels(find.now, product), next: null })
  return what === 'usage' ? usage(find.now, product) : undefined
}

const PAGE = 50

/** As the server ranks: name, title, column, part of a word. */
function search(find: FindFixtures, query: URLSearchParams): unknown {
  const q = (query.get('q') ?? '').toLowerCase()
  const [domain, state, sort] = [query.get('domain'), query.get('state'), query.get('sort') ?? 'rank']
  const hits = find.summaries.flatMap((product): { rank: number; hit: z.infer<typeof shapes.SearchHit> }[] => {
    if (domain && product.domain !== domain) return []
    if (state && state !== (product.release ? 'listed' : 'draft')) return []
    const columns = COLUMNS[product.address] ?? []
    const column = columns.find((each) => each.split('.').at(-1)!.includes(q))
    const found: [number, 'name' | 'title' | 'column', string, string] | null =
      !q || product.address.includes(q)
        ? [0, 'name', product.address, product.address]
        : product.title.toLowerCase().includes(q)
          ? [1, 'title', product.address, product.title]
          : column
            ? [2, 'column', `${product.address}/${column}`, column.split('.').at(-1)!]
            : null
    if (!found) return []
    const [rank, field, address, text] = found
    return [{ rank, hit: { product, match: { field, address, text }, community: product.domain, consumers: columns.length } }]
  })
  hits.sort((a, b) =>
    sort === 'freshness'
      ? (a.hit.product.freshness ?? 1e9) - (b.hit.product.freshness ?? 1e9)
      : (sort === 'rank' ? a.rank - b.rank : 0) || a.hit.product.address.localeCompare(b.hit.product.address),
  )
  const from = Number(query.get('cursor') ?? 0)
  return shapes.List(shapes.SearchHit).parse({
    items: hits.slice(from, from + PAGE).map(({ hit }) => hit),
    next: hits.length > from + PAGE ? String(from + PAGE) : null,
  })
}

function lineage(find: FindFixtures, query: URLSearchParams): unknown {
  const focus = query.get('of') ?? ''
  const level = (query.get('level') ?? 'product') as 'product' | 'object' | 'column'
  if (level !== 'product') return inside(find, focus, level)
  const kept = new Set([focus])
  for (const [hops, from, to] of [
    [Number(query.get('up') ?? 1), 'to', 'from'],
    [Number(query.get('down') ?? 1), 'from', 'to'],
  ] as const) {
    let edge = new Set([focus])
    for (let hop = 0; hop < hops; hop++) {
      edge = new Set(find.edges.filter((each) => edge.has(each[from])).map((each) => each[to]))
      for (const each of edge) kept.add(each)
    }
  }
  return shapes.Lineage.parse({
    focus,
    level,
    environment: 'prod',
    nodes: [...kept].flatMap((address) => find.nodes.get(address) ?? []),
    edges: find.edges.filter((edge) => kept.has(edge.from) && kept.has(edge.to)),
    missing: [],
  })
}

/** Objects (or columns) of a product and of those that read it. */
function inside(find: FindFixtures, focus: string, level: 'object' | 'column'): unknown {
  const product = focus.split('/').slice(0, 2).join('/')
  const partsOf = (address: string) => [
    ...new Set(
      (COLUMNS[address] ?? []).map(
        (column) => `${address}/${level === 'column' ? column : column.split('.').slice(0, 2).join('.')}`,
      ),
    ),
  ]
  const readers = find.edges.filter((edge) => edge.from === product && COLUMNS[edge.to]).map((edge) => edge.to)
  const own = partsOf(product)
  const edges = readers.flatMap((reader) =>
    partsOf(reader).map((to, index) => ({ from: own[index % own.length]!, to, kind: 'builds' as const })),
  )
  const addresses = [...new Set([...own, ...edges.map((edge) => edge.to)])]
  return shapes.Lineage.parse({
    focus,
    level,
    environment: 'prod',
    nodes: addresses.map((address) => ({
      address,
      kind: level,
      name: address.split('.').at(-1),
      product: address.split('/').slice(0, 2).join('/'),
      state: null,
      slo: null,
      up: edges.filter((edge) => edge.to === address).length,
      down: edges.filter((edge) => edge.from === address).length,
    })),
    edges,
    missing: level === 'column' ? ['The columns of weather/hourly could not be read from its SQL.'] : [],
  })
}

/** A product that very many read: the picture must stay readable. */
export function addReaders(find: FindFixtures, address: string, count: number): void {
  for (let index = 0; index < count; index++) {
    const reader = `reports/r${String(index).padStart(3, '0')}`
    find.nodes.set(reader, {
      address: reader,
      kind: 'product',
      name: reader,
      product: reader,
      state: index === count - 5 ? 'degraded' : 'active',
      slo: 'met',
      up: 1,
      down: 0,
    })
    find.edges.push({ from: address, to: reader, kind: 'reads' })
  }
  const node = find.nodes.get(address)!
  node.down = find.edges.filter((edge) => edge.from === address).length
}

function levels(now: number, product: Summary): Level[] {
  const bad = (kind: string, index: number): Level['days'][number]['state'] =>
    product.address === 'weather/hourly' && kind === 'completeness' && index > 17
      ? 'breached'
      : product.address === 'operations/flights' && kind === 'freshness' && index === 6
        ? 'breached'
        : product.slo !== 'met' && kind === 'freshness' && index === 15
          ? 'at-risk'
          : product.address === 'fleet/planes' && index < 3
            ? 'no-data'
            : 'met'
  return (['availability', 'completeness', 'freshness'] as const).map((kind) => {
    const days = Array.from({ length: 20 }, (_, index) => {
      const state = bad(kind, index)
      const day = new Date(now - (19 - index) * DAY).toISOString().slice(0, 10)
      return { day, state, good: state === 'met' ? 24 : 12, bad: state === 'met' ? 0 : 12, unevaluated: 0 }
    })
    const worst = days.some((day) => day.state === 'breached')
      ? 'breached'
      : days.some((day) => day.state === 'at-risk')
        ? 'at-risk'
        : 'met'
    return {
      environment: 'prod',
      port: 'p',
      object: 'o',
      kind,
      name: kind,
      promise: {
        availability: 'readable 99% of hours',
        completeness: 'within 5% of the mean',
        freshness: 'at most 24 h old, 95% of hours',
      }[kind],
      state: worst,
      since: new Date(now - DAY).toISOString(),
      failing: worst === 'breached',
      target: kind === 'availability' ? 9900 : 9500,
      value: worst === 'met' ? 10_000 : worst === 'at-risk' ? 9646 : 9120,
      good: worst === 'met' ? 480 : 463,
      evaluated: 480,
      unevaluated: 0,
      budget: { total: 24, used: worst === 'met' ? 0 : 17, left: worst === 'met' ? 24 : worst === 'at-risk' ? 7 : -2 },
      days,
      next: worst === 'met' ? 'Nothing to do.' : 'One more late day breaches it.',
      windowDays: 20,
      evaluatedAt: new Date(now - 60_000).toISOString(),
      incident: null,
    }
  })
}

function usage(now: number, product: Summary): unknown {
  const unused = product.address === 'fleet/crews'
  return shapes.Usage.parse({
    product: product.address,
    asOf: new Date(now - 300_000).toISOString(),
    coverage:
      'Reads by people and products over SQL and HTTP are counted; the platform’s own, and reads of same-named objects of two schemas, are not told apart.',
    ports: unused
      ? []
      : [
          {
            environment: 'prod',
            port: 'encounters-sql',
            major: 2,
            days: Array.from({ length: 30 }, (_, index) => ({
              day: new Date(now - (29 - index) * DAY).toISOString().slice(0, 10),
              readers: index % 7 > 4 ? 1 : 4,
              reads: index % 7 > 4 ? 3 : 40 + ((index * 37) % 90),
            })),
            readers: [
              { subject: 'analytics-users', reads: 1_204, lastReadAt: new Date(now - 7 * 60_000).toISOString() },
              { subject: 'svc-bed-planning', reads: 336, lastReadAt: new Date(now - 3 * 3_600_000).toISOString() },
            ],
            lastReadAt: new Date(now - 7 * 60_000).toISOString(),
          },
        ],
    proposal: unused
      ? {
          unusedDays: 63,
          because: 'No reader since 21 Sep, and no agreement is active.',
          since: new Date(now - 3 * DAY).toISOString(),
        }
      : null,
  })
}
