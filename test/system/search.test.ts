import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { delistEntry, putEntry, removeEntry, setEntryPart } from '../../src/catalog/entries.ts'
import { makeMissingSearchable, touchFreshness } from '../../src/catalog/make-searchable.ts'
import { forgetProduct, insertProduct, setProductTitle } from '../../src/catalog/products.ts'
import { type SearchRequest, search } from '../../src/catalog/search.ts'
import { bestMatch, normaliseQuery, type SearchSubject, searchTerms, TEXT_RANK } from '../../src/catalog/search-terms.ts'
import { newId } from '../../src/core/id.ts'
import { startControlDatabase } from '../control-database.ts'
import { QUERIES, SUBJECTS } from '../search-queries.ts'

let control: Awaited<ReturnType<typeof startControlDatabase>>
const ids = new Map<string, string>()

before(async () => {
  control = await startControlDatabase()
  const { db } = control
  for (const name of new Set(SUBJECTS.map(({ domain }) => domain))) {
    await db.insertInto('domain').values({ name, title: name, owners: [], budget: '{}' }).execute()
    await db.insertInto('community').values({ domain: name, title: name }).execute()
  }
  for (const { domain, name, title, document, metadata } of SUBJECTS) {
    const product = await insertProduct(db, { domain, name, title, owner: 'owner' })
    ids.set(`${domain}/${name}`, product.id)
    const isDraft = (document.ports as unknown[]).length === 0
    await putEntry(db, { product: product.id, community: domain, state: isDraft ? 'draft' : 'listed', document, run: newId() })
    if (Object.keys(metadata).length > 0) await setEntryPart(db, product.id, 'metadata', metadata)
  }
})
after(() => control?.dispose())

async function find(q: string, more: Partial<SearchRequest> = {}) {
  return search(control.db, { q, sort: 'rank', limit: 50, ...more })
}
const addressesOf = async (q: string, more: Partial<SearchRequest> = {}) =>
  (await find(q, more)).items.map(({ address }) => address)

for (const { q, why, first, only, not } of QUERIES) {
  test(`${JSON.stringify(q)}: ${why}`, async () => {
    const { items } = await find(q)
    const found = items.map(({ address }) => address)
    assert.deepEqual(found.slice(0, first.length), first)
    if (only) assert.deepEqual(found, first)
    for (const address of not ?? []) assert.ok(!found.includes(address), address)
  })
}

test('PostgreSQL and the pure part give the same ranks', async () => {
  const entries = SUBJECTS.map((subject) => ({ address: `${subject.domain}/${subject.name}`, terms: searchTerms(subject) }))
  const letters = [...'aeort'].flatMap((a) => [...'abcdelnrst_./'].map((b) => a + b))
  for (const q of [...QUERIES.map((each) => each.q), ...letters]) {
    const query = normaliseQuery(q)
    if (query === '') continue
    const pure = entries
      .map(({ address, terms }) => ({ address, rank: bestMatch(query, terms).rank }))
      .filter(({ rank }) => rank < TEXT_RANK)
      .sort((a, b) => a.rank - b.rank || (a.address < b.address ? -1 : 1))
    const { items } = await find(q)
    const stored = items.filter(({ rank }) => rank < TEXT_RANK).map(({ address, rank }) => ({ address, rank }))
    assert.deepEqual(stored, pure, JSON.stringify(q))
  }
})

test('pages follow each other without a gap or a double, in every order', async () => {
  for (const sort of ['rank', 'name', 'freshness'] as const) {
    for (const q of ['', 'e', 'order', 'tailnum', 'a.b', 'flight date']) {
      const whole = await addressesOf(q, { sort })
      const paged: string[] = []
      let cursor: string | undefined
      do {
        const { items, next } = await find(q, { sort, limit: 2, cursor })
        assert.ok(items.length <= 2)
        paged.push(...items.map(({ address }) => address))
        cursor = next ?? undefined
      } while (cursor !== undefined)
      assert.deepEqual(paged, whole, `${sort} ${q}`)
      assert.equal(new Set(paged).size, paged.length)
      if (sort === 'name') assert.deepEqual(whole, [...whole].sort(), q)
      // The order changes, what is found does not.
      assert.deepEqual([...whole].sort(), [...(await addressesOf(q))].sort(), `${sort} ${q}`)
    }
  }
})

test('a cursor that is none is refused', async () => {
  const { next } = await find('e', { limit: 1 })
  assert.ok(next)
  for (const [cursor, sort] of [
    ['x', 'rank'],
    ['W10', 'rank'],
    [next, 'name'],
    [`${next}AAAA`, 'freshness'],
  ] as const)
    await assert.rejects(find('e', { cursor, sort }), { code: 'CATALOG_CURSOR_INVALID' })
})

test('an empty question lists all, by domain and by state', async () => {
  assert.equal((await find('')).items.length, SUBJECTS.length)
  assert.deepEqual(await addressesOf('', { domain: 'fleet' }), ['fleet/planes', 'fleet/planes-maintenance'])
  assert.deepEqual(await addressesOf('planes', { domain: 'network' }), [])
  assert.deepEqual(await addressesOf('', { state: 'draft' }), ['clinical-care/draft-beds'])
})

test('freshness: the newest publication first, what was never published last', async () => {
  await touchFreshness(control.db, ids.get('weather/hourly')!, new Date('2026-05-01T10:00:00.123Z'))
  await touchFreshness(control.db, ids.get('fleet/planes')!, new Date('2026-05-02T10:00:00Z'))
  // An older event that arrives later makes nothing older.
  await touchFreshness(control.db, ids.get('fleet/planes')!, new Date('2026-04-01T10:00:00Z'))
  const found = await addressesOf('', { sort: 'freshness' })
  assert.deepEqual(found.slice(0, 3), ['fleet/planes', 'weather/hourly', 'clinical-care/draft-beds'])
})

test('a change is found in the moment it is made, and not when it is taken back', async () => {
  const { db } = control
  const product = await insertProduct(db, { domain: 'fleet', name: 'gliders', title: 'Gliders', owner: 'owner' })
  const put = (state: 'draft' | 'listed', columns: string[]) =>
    putEntry(db, {
      product: product.id,
      community: 'fleet',
      state,
      run: newId(),
      document: {
        title: 'Gliders',
        ports: [
          { port: 'gliders', major: 1, title: '', objects: [{ name: 'glider', columns: columns.map((name) => ({ name })) }] },
        ],
      },
    })
  assert.deepEqual(await addressesOf('gliders'), [])
  await put('draft', ['wingspan'])
  assert.deepEqual(await addressesOf('wingspan'), ['fleet/gliders'])
  await put('listed', ['span'])
  assert.deepEqual(await addressesOf('wingspan'), [])
  assert.deepEqual(await addressesOf('span'), ['fleet/gliders'])
  await setProductTitle(db, product.id, 'Sailplanes')
  assert.deepEqual(await addressesOf('sailplanes'), ['fleet/gliders'])
  await setEntryPart(db, product.id, 'metadata', { docs: 'thermals over the ridge' })
  assert.deepEqual(await addressesOf('thermal ridge'), ['fleet/gliders'])
  await db
    .transaction()
    .execute(async (transaction) => {
      await setEntryPart(transaction, product.id, 'metadata', { docs: 'nothing of it' })
      throw new Error('taken back')
    })
    .catch(() => {})
  assert.deepEqual(await addressesOf('thermal ridge'), ['fleet/gliders'])

  // Rows made in another way are made anew at the next start.
  await db.updateTable('search_entry').set({ version: 0, names: '\n' }).where('product', '=', product.id).execute()
  assert.equal(await makeMissingSearchable(db), 1)
  assert.deepEqual(await addressesOf('sailplanes'), ['fleet/gliders'])
  assert.equal(await makeMissingSearchable(db), 0)

  const tombstone = { retiredAt: '2026-01-01T00:00:00Z', by: 'owner', because: 'done', run: 1, archive: 'a', kept: [] }
  await delistEntry(db, { product: product.id, community: 'fleet', title: 'Sailplanes', tombstone, run: newId() })
  assert.deepEqual(await addressesOf('sailplanes'), [])
  assert.deepEqual(await addressesOf('fleet/gliders'), [])
  assert.deepEqual(await addressesOf('sailplanes', { state: 'delisted' }), ['fleet/gliders'])
  assert.deepEqual(await addressesOf('span', { state: 'delisted' }), [])
  await put('listed', ['span'])
  assert.deepEqual(await addressesOf('span'), ['fleet/gliders'])

  await forgetProduct(db, product.id)
  const { name } = await db.selectFrom('product').select('name').where('id', '=', product.id).executeTakeFirstOrThrow()
  assert.deepEqual(await addressesOf('span'), [`fleet/${name}`])
  await removeEntry(db, product.id)
  assert.deepEqual(await addressesOf('span'), [])
})

test('many at once on one entry leave what the last one wrote', async () => {
  const { db } = control
  const id = ids.get('weather/hourly')!
  const title = 'Hourly weather'
  await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      n % 2 ? setProductTitle(db, id, `${title} ${n}`) : setEntryPart(db, id, 'metadata', { docs: `wording${n}` }),
    ),
  )
  const product = await db.selectFrom('product').select('title').where('id', '=', id).executeTakeFirstOrThrow()
  const entry = await db.selectFrom('entry').select('metadata').where('product', '=', id).executeTakeFirstOrThrow()
  assert.deepEqual(await addressesOf(product.title), ['weather/hourly'])
  assert.deepEqual(await addressesOf(entry.metadata.docs as string), ['weather/hourly'])
})

/** So many that no question is answered by ranking all that match. */
const CROWD = 1500

function crowd(n: number): SearchSubject {
  const words = ['order', 'late order', 'ordered', 'border', 'plan', 'plan order', 'x', 'planner']
  const word = (i: number) => words[(n * 5 + i * 3) % words.length]!.replace(' ', '-')
  const name = `${word(0)}-${n}`
  const columns = [0, 1, 2].map((i) => ({ name: `${word(i + 1)}_id`.replaceAll('-', '_'), tags: i === n % 3 ? ['order'] : [] }))
  return {
    domain: n % 4 === 0 ? 'fleet' : 'sales',
    name,
    title: `${word(2)} of ${word(3)}`,
    metadata: {},
    document: {
      title: `${word(2)} of ${word(3)}`,
      ports: [{ port: word(4), major: 1, title: '', objects: [{ name: word(1).replace('-', '_'), columns }] }],
    },
  }
}

test('with many answers the ranks are the same, over all pages', async () => {
  const { db } = control
  const all = Array.from({ length: CROWD }, (_, n) => crowd(n))
  for (let from = 0; from < CROWD; from += 500) {
    const rows = all.slice(from, from + 500).map((subject) => ({ id: newId(), ...subject }))
    await db
      .insertInto('product')
      .values(rows.map(({ id, domain, name, title }) => ({ id, domain, name, title, owner: 'owner', state: 'active' as const })))
      .execute()
    await db
      .insertInto('entry')
      .values(
        rows.map(({ id, domain, document }) => ({
          product: id,
          community: domain,
          state: 'listed' as const,
          document: JSON.stringify(document),
          metadata: '{}',
          metrics: '{}',
          run: newId(),
        })),
      )
      .execute()
  }
  assert.equal(await makeMissingSearchable(db), CROWD)
  const entries = all.map((subject) => ({ address: `${subject.domain}/${subject.name}`, terms: searchTerms(subject) }))
  for (const q of [
    'order',
    'o',
    'orde',
    'id',
    'plan',
    'order_id',
    'la',
    'rde',
    'fleet',
    'sales.order',
    'order.id',
    'order.order id',
    'x',
    'of',
    '1',
  ]) {
    const query = normaliseQuery(q)
    const pure = entries
      .map(({ address, terms }) => ({ address, rank: bestMatch(query, terms).rank }))
      .filter(({ rank }) => rank < TEXT_RANK)
      .sort((a, b) => a.rank - b.rank || (a.address < b.address ? -1 : 1))
    const found: { address: string; rank: number }[] = []
    let cursor: string | undefined
    do {
      const page = await find(q, { limit: 400, cursor })
      found.push(...page.items.map(({ address, rank }) => ({ address, rank })))
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    const known = new Set(entries.map(({ address }) => address))
    assert.deepEqual(
      found.filter(({ address, rank }) => known.has(address) && rank < TEXT_RANK),
      pure,
      q,
    )
    assert.equal(new Set(found.map(({ address }) => address)).size, found.length, q)
    // The first page is the same as the beginning of all.
    assert.deepEqual(
      await addressesOf(q, { limit: 25 }),
      found.slice(0, 25).map(({ address }) => address),
      q,
    )
    const byName = await addressesOf(q, { sort: 'name', limit: 25 })
    assert.deepEqual(
      byName,
      found
        .map(({ address }) => address)
        .sort()
        .slice(0, 25),
      q,
    )
  }
})
