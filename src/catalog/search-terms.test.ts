import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QUERIES, SUBJECTS } from '../../test/search-queries.ts'
import { bestMatch, normalise, normaliseQuery, rankTerm, searchTerms, snippet, TEXT_RANK, textQuery } from './search-terms.ts'

const entries = SUBJECTS.map((subject) => ({ address: `${subject.domain}/${subject.name}`, terms: searchTerms(subject) }))

/** What names alone answer, in the order of the contract. The words of the text are PostgreSQL's part. */
function namesOf(q: string) {
  const query = normaliseQuery(q)
  if (query === '') return []
  return entries
    .map(({ address, terms }) => ({ address, ...bestMatch(query, terms) }))
    .filter(({ rank }) => rank < TEXT_RANK)
    .sort((a, b) => a.rank - b.rank || (a.address < b.address ? -1 : 1))
}

test('the ranking contract has at least 60 queries', () => {
  assert.ok(QUERIES.length >= 60, `${QUERIES.length}`)
  assert.equal(new Set(QUERIES.map(({ q }) => q)).size, QUERIES.length)
})

for (const { q, why, first, only, not, field, at } of QUERIES) {
  test(`${JSON.stringify(q)}: ${why}`, () => {
    const found = namesOf(q)
    const addresses = found.map(({ address }) => address)
    if (found.length === 0) {
      // Left to the words of the text: whoever is expected must hold them.
      for (const address of first) {
        const { term } = bestMatch(normaliseQuery(q), entries.find((entry) => entry.address === address)!.terms)
        if (field) assert.equal(term.field, field)
      }
      return
    }
    assert.deepEqual(addresses.slice(0, first.length), first)
    if (only) assert.deepEqual(addresses, first)
    for (const address of not ?? []) assert.ok(!addresses.includes(address), address)
    if (field) assert.equal(found[0]!.term.field, field)
    if (at) assert.equal(found[0]!.term.address, at)
  })
}

test('what is typed and what is stored have one form', () => {
  assert.equal(normalise('Punctuality/Delays/delays.Daily_Delays'), 'punctuality.delays.delays.daily delays')
  assert.equal(normalise('  a -_ b\u0000 '), 'a b')
  assert.equal(normaliseQuery('x'.repeat(100_000)).length, 200)
  for (const text of [
    'fleet/planes',
    'fleet.planes',
    '/fleet/planes/',
    'fleet/planes@v2',
    '"fleet"."planes"',
    '`fleet`.`planes`',
  ])
    assert.equal(normaliseQuery(text), 'fleet.planes', text)
})

test("a column's address does not answer the name of its product", () => {
  const term = { field: 'address', address: 'a/b/c.d.e', text: 'a.b.c.d.e', shown: '' } as const
  assert.equal(rankTerm('a', term), null)
  assert.equal(rankTerm('d.e', term), 22)
})

test('the words of a question hold no operator', () => {
  assert.equal(textQuery("late' & !x:* (y) <-> z"), "'late':* & 'x' & 'y' & 'z'")
  assert.equal(textQuery('% _ ()'), null)
})

test('a hostile document gives terms, not errors', () => {
  const document = {
    title: 3,
    tags: 'x',
    ports: [{ port: null, objects: [{ name: {}, columns: 'no' }] }],
    description: [['deep', { a: 'text' }]],
  }
  const terms = searchTerms({
    domain: 'a',
    name: 'b',
    title: 'B',
    document,
    metadata: { a: { b: { c: { d: { e: { f: 'too deep' } } } } } },
  })
  assert.deepEqual(
    terms.map(({ field, shown }) => `${field} ${shown}`),
    ['name b', 'address a/b', 'title B', 'description deep', 'description text'],
  )
})

test('a long text is shown around what was found', () => {
  const text = `${'before '.repeat(60)}the needle${' after'.repeat(60)}`
  const shown = snippet('needle', text)
  assert.ok(shown.includes('needle') && shown.startsWith('…') && shown.endsWith('…') && shown.length <= 162, shown)
})
