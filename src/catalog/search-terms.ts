import { productNames } from '../core/names.ts'

/** What an entry can be found by. `text` is the form that is compared, `shown` the author's own. Pure: the one place that says what matches and how well. */
export type SearchField = 'address' | 'name' | 'title' | 'port' | 'object' | 'column' | 'tag' | 'description' | 'docs'
export type SearchTerm = { field: SearchField; address: string; text: string; shown: string }

export type SearchSubject = {
  domain: string
  name: string
  title: string
  document: Record<string, unknown>
  metadata: Record<string, unknown>
}

/** Raised when terms are made or compared in another way: what was stored before is then made anew. */
export const SEARCH_VERSION = 1
const MAX_QUERY = 200
const MAX_PROSE = 20_000
const MAX_TERMS = 20_000

/**
 * One form for what was typed and what is stored: lower case, words of a name parted by one space (`_` and `-` are such), `/` as `.`, without quotes.
 * @example normalise('Fleet/Planes') === 'fleet.planes'
 */
export function normalise(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('\u0000', '')
    .replace(/["`'’]/g, '')
    .replace(/[\s_-]+/g, ' ')
    .replace(/ ?[/.] ?/g, '.')
    .trim()
}

/** A question as it is compared; an address may end in `@prod` or `@v2`, or begin and end with a slash. */
export function normaliseQuery(text: string): string {
  const query = normalise(text.slice(0, 4 * MAX_QUERY)).slice(0, MAX_QUERY)
  return query
    .replace(/^\.+|\.+$/g, '')
    .replace(/@[\w ]*$/, '')
    .trim()
}

type Port = { port: string; major: number; title: string; objects: PortObject[] }
type PortObject = { name: string; description: string | null; columns: PortColumn[] }
type PortColumn = { name: string; tags: string[]; description: string | null }

/** Every name and text of an entry, the most telling first. */
export function searchTerms({ domain, name, title, document, metadata }: SearchSubject): SearchTerm[] {
  const address = `${domain}/${name}`
  const terms: SearchTerm[] = []
  const add = (field: SearchField, at: string, shown: unknown) => {
    if (typeof shown !== 'string' || shown === '' || terms.length >= MAX_TERMS) return
    terms.push({ field, address: at, text: normalise(shown.slice(0, MAX_PROSE)), shown })
  }
  add('name', address, name)
  add('address', address, address)
  // As the spec says, and as it was asked for.
  for (const text of new Set([typeof document.title === 'string' ? document.title : title, title])) add('title', address, text)
  const ports = namedOf<Port, 'port'>(document.ports, 'port')
  const columns: (PortColumn & { at: string })[] = []
  for (const port of ports) {
    const at = `${address}/${port.port}`
    add('address', at, at)
    add('port', at, port.port)
    add('title', at, port.title)
    for (const object of namedOf<PortObject, 'name'>(port.objects, 'name')) {
      const place = `${at}.${object.name}`
      add('address', place, place)
      // As it is written in SQL: the same in every environment.
      add('address', place, `${productNames('', domain, name).served(port.port, port.major)}.${object.name}`)
      add('object', place, object.name)
      for (const column of namedOf<PortColumn, 'name'>(object.columns, 'name'))
        columns.push({ ...column, at: `${place}.${column.name}` })
    }
  }
  for (const column of columns) {
    add('address', column.at, column.at)
    add('column', column.at, column.name)
  }
  for (const tag of listOf<string>(document.tags)) add('tag', address, tag)
  for (const column of columns) for (const tag of listOf<string>(column.tags)) add('tag', column.at, tag)
  const purpose = document.purpose ?? null
  for (const text of [purpose, ...textsOf(document.description)]) add('description', address, text)
  for (const port of ports)
    for (const object of namedOf<PortObject, 'name'>(port.objects, 'name'))
      add('description', `${address}/${port.port}.${object.name}`, object.description)
  for (const column of columns) add('description', column.at, column.description)
  for (const text of textsOf(metadata)) add('docs', address, text)
  return terms
}

/** Texts somewhere inside what an author wrote freely. */
function textsOf(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value]
  if (depth > 4 || typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap((each) => textsOf(each, depth + 1))
}

/** Those of a list that have a name under this key. */
function namedOf<T, K extends keyof T>(value: unknown, key: K): T[] {
  return listOf<T | null>(value).filter((each): each is T => typeof each?.[key] === 'string')
}

function listOf<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : []
}

/**
 * How well a term answers a question, the lowest best: exact address 10, exact name 20, prefix 30, title 40, column 50, part of a word 60; null is no
 * match. What only the words of the text answer is TEXT_RANK. `search.ts` says the same to the database, and a test holds both together.
 */
export const TEXT_RANK = 70
export function rankTerm(query: string, { field, address, text }: SearchTerm): number | null {
  switch (field) {
    case 'address':
      return rankAddress(query, text, isColumn(address))
    case 'name':
      return text === query ? 20 : text.startsWith(query) ? 30 : inside(query, text)
    case 'port':
    case 'object':
      return text === query ? 21 : text.startsWith(query) ? 31 : inside(query, text)
    case 'title':
      return text === query ? 40 : text.startsWith(query) ? 41 : text.includes(` ${query}`) ? 42 : inside(query, text)
    case 'column':
      return text === query ? 50 : text.startsWith(query) ? 51 : inside(query, text)
    case 'tag':
      return text === query ? 52 : inside(query, text)
    default:
      return null
  }
}

/** A column's address answers only a question with a dot in it: else each column of a product would answer the product's name. */
function rankAddress(query: string, text: string, ofColumn: boolean): number | null {
  const isPath = query.includes('.')
  if (ofColumn && !isPath) return null
  if (text === query) return 10
  if (isPath && text.endsWith(`.${query}`)) return 22
  if (text.startsWith(query)) return 32
  if (isPath && text.includes(`.${query}`)) return 33
  return ofColumn ? null : inside(query, text)
}

export function isColumn(address: string): boolean {
  return address.split('.').length > 2
}

/** The beginning of a later word is better than the middle of one. */
function inside(query: string, text: string): number | null {
  return text.includes(` ${query}`) ? 60 : text.includes(query) ? 61 : null
}

/** The term that answers best, and how well; for words of the text the one that holds most of them. */
export function bestMatch(query: string, terms: readonly SearchTerm[]): { term: SearchTerm; rank: number } {
  let best: { term: SearchTerm; rank: number } | null = null
  for (const term of terms) {
    const rank = rankTerm(query, term)
    if (rank !== null && (best === null || rank < best.rank)) best = { term, rank }
  }
  if (best) return best
  const words = wordsOf(query).map((word) => (word.length > 4 ? word.slice(0, -1) : word))
  const held = (term: SearchTerm) => words.filter((word) => term.text.includes(word)).length
  const term = terms.reduce((most, each) => (held(each) > held(most) ? each : most), terms[0]!)
  return { term, rank: TEXT_RANK }
}

const MAX_WORDS = 12

export function wordsOf(query: string): string[] {
  return (query.match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, MAX_WORDS)
}

/** The words as PostgreSQL searches for them: all of them, each of three letters as a beginning; letters and digits only, so nothing is an operator. */
export function textQuery(query: string): string | null {
  const words = wordsOf(query).map((word) => `'${word}'${word.length > 2 ? ':*' : ''}`)
  return words.length === 0 ? null : words.join(' & ')
}

/** A long text around what was found in it. */
export function snippet(query: string, shown: string, room = 160): string {
  const text = shown.replace(/\s+/g, ' ').trim()
  if (text.length <= room) return text
  const lower = text.toLowerCase()
  const found = [query, ...wordsOf(query)].map((word) => lower.indexOf(word)).find((at) => at >= 0) ?? 0
  const from = Math.max(0, Math.min(found - room / 4, text.length - room))
  return `${from > 0 ? '…' : ''}${text.slice(from, from + room).trim()}${from + room < text.length ? '…' : ''}`
}
