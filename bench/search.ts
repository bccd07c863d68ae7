import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { lineage } from '../src/catalog/lineage.ts'
import { makeMissingSearchable } from '../src/catalog/make-searchable.ts'
import { type SearchSort, search } from '../src/catalog/search.ts'
import type { Control } from '../src/store/control.ts'
import { startControlDatabase } from '../test/control-database.ts'
import { atMost, type Bench, figure, percentile, timed } from './figures.ts'

const PRODUCTS = 20_000
const ROUNDS = 3
const LIMIT_MS = 80
const HOP_MS = 50

const WORDS =
  'order customer invoice payment flight plane airport delay weather patient encounter claim policy account ledger shipment parcel route driver vehicle sensor reading meter tariff contract campaign lead click session device ticket agent call survey score forecast budget cost margin price stock item supplier batch plant machine shift worker salary leave grant loan risk rating trade quote bond fund region store visit basket coupon return refund review'.split(
    ' ',
  )
const SUFFIXES = ['id', 'date', 'amount', 'name', 'code', 'status', 'count', 'total', 'at', 'type', 'flag', 'rate']

/** What is asked, from an exact address to nonsense; the same share of each, as a type-ahead sees them. */
function questions(): { kind: string; q: string; sort?: SearchSort }[] {
  const some = <T>(list: readonly T[], n: number) => Array.from({ length: 12 }, (_, i) => list[(i * n + 3) % list.length]!)
  return [
    ...some(WORDS, 7).map((word, i) => ({ kind: 'exact address', q: `domain-${i}/${word}-order-${i * 997}` })),
    ...some(WORDS, 5).map((word, i) => ({ kind: 'exact name', q: `${word}-order-${i * 997}` })),
    ...some(WORDS, 11).map((word) => ({ kind: 'one letter', q: word.slice(0, 1) })),
    ...some(WORDS, 13).map((word) => ({ kind: 'prefix of three', q: word.slice(0, 3) })),
    ...some(WORDS, 17).map((word) => ({ kind: 'a word of many names', q: word })),
    ...some(WORDS, 3).map((word) => ({ kind: 'title of two words', q: `about ${word}` })),
    ...some(WORDS, 19).map((word, i) => ({ kind: 'column of some', q: `${word}_${SUFFIXES[i % SUFFIXES.length]}` })),
    ...some(SUFFIXES, 5).map((word) => ({ kind: 'column of nearly all', q: `_${word}` })),
    ...some(WORDS, 23).map((word) => ({ kind: 'middle of a word', q: word.slice(1, -1) })),
    ...some(WORDS, 29).map((word, i) => ({ kind: 'object and column', q: `${word}_0.${word}_${SUFFIXES[i % SUFFIXES.length]}` })),
    ...some(WORDS, 31).map((word, i) => ({ kind: 'words of the text', q: `${word} explains ${WORDS[(i * 5) % WORDS.length]}` })),
    ...some(WORDS, 37).map((word) => ({ kind: 'nothing', q: `${word}qzx` })),
    ...some(WORDS, 41).map((word) => ({ kind: 'by freshness', q: word, sort: 'freshness' as const })),
    ...some(WORDS, 43).map(() => ({ kind: 'everything by name', q: '', sort: 'name' as const })),
  ]
}

/** Search over 20 000 products with 40 columns each, as the route asks it, on a real PostgreSQL of the sizes Heddle gives it. */
export const searching: Bench = {
  name: 'search',
  about: `a page of ${PRODUCTS.toLocaleString('en')} products`,
  async run(say) {
    const control = await startControlDatabase()
    try {
      const filled = await timed(() => fill(control))
      say(`${PRODUCTS} products in ${Math.round(filled.ms / 1000)} s`)
      const all: number[] = []
      const kinds = new Map<string, number[]>()
      for (let round = 0; round <= ROUNDS; round++) {
        for (const { kind, q, sort } of questions()) {
          const { ms } = await timed(() => search(control.db, { q, sort: sort ?? 'rank', limit: 25 }))
          // The first round only warms.
          if (round === 0) continue
          all.push(ms)
          kinds.set(kind, [...(kinds.get(kind) ?? []), ms])
        }
      }
      const hops = await walkGraph(control)
      const paged = await timed(() => walk(control, 'order'))
      say(`40 pages of one question in ${Math.round(paged.ms)} ms`)
      return {
        rounds: ROUNDS,
        figures: {
          'all questions': figure(all, 'ms'),
          ...Object.fromEntries([...kinds].map(([kind, values]) => [kind, figure(values, 'ms')])),
          'lineage, one hop each way': figure(hops.ordinary, 'ms'),
          'lineage, a hub that 5 000 read': figure(hops.hub, 'ms'),
        },
        ratios: {},
        limits: [
          atMost(`one page of ${PRODUCTS} products, p95`, percentile(all, 0.95), LIMIT_MS, 'ms'),
          atMost(`one hop in a graph of ${PRODUCTS} objects, p95`, percentile(hops.ordinary, 0.95), HOP_MS, 'ms'),
        ],
        notes: ['The database alone: rank, filter, sort and page. The route adds the states of the 25 products it shows.'],
      }
    } finally {
      await control.dispose()
    }
  },
}

/** Every product one object that reads three others; the first is read by 5 000. */
async function walkGraph({ db }: Control): Promise<{ ordinary: number[]; hub: number[] }> {
  await sql`
    insert into lineage_node (product, environment, level, address, kind, name, parent)
    select id, 'prod', 'object', domain || '/' || name || '/' || name || '.o', 'object', 'o', domain || '/' || name from product`.execute(
    db,
  )
  await sql`
    with n as (select product, address, row_number() over (order by address) as i from lineage_node),
      pairs as (select i, greatest(1, i - 1 - (i * k * 7919) % 500) as j from n, generate_series(1, 3) k union select i, 1 from n where i <= 5000)
    insert into lineage_edge (product, environment, level, from_address, to_address, kind, upstream)
    select distinct on (a.address, b.address) b.product, 'prod', 'object', a.address, b.address, 'reads', a.product
    from pairs join n a on a.i = pairs.j join n b on b.i = pairs.i where pairs.i <> pairs.j`.execute(db)
  await sql`analyze lineage_node`.execute(db)
  await sql`analyze lineage_edge`.execute(db)
  const { rows } = await sql<{ address: string }>`select address from lineage_node order by address`.execute(db)
  const around = async (at: number) =>
    (await timed(() => lineage(db, { of: rows[at]!.address, up: 1, down: 1, environment: 'prod', limit: 300 }))).ms
  const ordinary: number[] = []
  const hub: number[] = []
  for (let n = 0; n < 60; n++) {
    const ms = await around(6_000 + n * 199)
    if (n >= 10) ordinary.push(ms)
    if (n % 10 === 0) hub.push(await around(0))
  }
  return { ordinary, hub }
}

async function walk(control: Control, q: string): Promise<void> {
  let cursor: string | undefined
  for (let page = 0; page < 40; page++)
    cursor = (await search(control.db, { q, sort: 'rank', limit: 25, cursor })).next ?? undefined
}

async function fill(control: Control): Promise<void> {
  const { db } = control
  for (let d = 0; d < 40; d++) {
    await db
      .insertInto('domain')
      .values({ name: `domain-${d}`, title: `Domain ${d}`, owners: [], budget: '{}' })
      .execute()
    await db
      .insertInto('community')
      .values({ domain: `domain-${d}`, title: `Domain ${d}` })
      .execute()
  }
  const run = randomUUID()
  for (let from = 0; from < PRODUCTS; from += 1000) {
    const rows = Array.from({ length: 1000 }, (_, i) => describe(from + i))
    await sql`
      insert into product (id, domain, name, title, owner, state, created_at)
      select (r->>'id')::uuid, r->>'domain', r->>'name', r->>'title', 'owner', 'active', now() from jsonb_array_elements(${JSON.stringify(rows)}::jsonb) r`.execute(
      db,
    )
    await sql`
      insert into entry (product, community, state, document, run)
      select (r->>'id')::uuid, r->>'domain', 'listed', r->'document', ${run}::uuid from jsonb_array_elements(${JSON.stringify(rows)}::jsonb) r`.execute(
      db,
    )
  }
  await db.transaction().execute((transaction) => makeMissingSearchable(transaction))
  await sql`update search_entry set freshness = -1800000000000 + (random() * 7776000000)::bigint where random() < 0.9`.execute(db)
  await sql`vacuum analyze search_entry`.execute(db)
  await sql`vacuum analyze search_text`.execute(db)
}

function describe(n: number) {
  const word = (i: number) => WORDS[(n * 7 + i * 13) % WORDS.length]!
  const name = `${word(0)}-${word(1)}-${n}`
  const column = (object: number, i: number) => {
    const noun = word(object * 3 + (i % 7))
    return {
      name: i % 5 === 0 ? `_${SUFFIXES[i % SUFFIXES.length]}_${noun}` : `${noun}_${SUFFIXES[i % SUFFIXES.length]}`,
      tags: i % 11 === 0 ? ['pii'] : [],
      description: `The ${SUFFIXES[i % SUFFIXES.length]} of the ${noun}`,
    }
  }
  return {
    id: randomUUID(),
    domain: `domain-${n % 40}`,
    name,
    title: `About ${word(0)} and ${word(1)} ${n}`,
    document: {
      title: `About ${word(0)} and ${word(1)} ${n}`,
      tags: [word(2), word(3)],
      description: {
        purpose: `Explains ${word(4)} to whoever plans ${word(5)} of the ${word(6)}.`,
        limitations: 'None known.',
        usage: 'Join on the key.',
      },
      ports: [
        {
          port: name,
          major: 1,
          title: `Port of ${word(0)}`,
          objects: [0, 1].map((object) => ({
            name: `${word(object)}_${object}`,
            description: `One row for each ${word(object)}.`,
            columns: Array.from({ length: 20 }, (_, i) => column(object, i)),
          })),
        },
      ],
    },
  }
}
