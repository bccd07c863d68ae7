/**
 * What a dbt model's text says of the columns it builds, read without a database: names in order, with the type where the text shows it. A model that a
 * reading by eye could not be sure of (Jinja blocks, `*` of something unknown) is `complete: false`.
 */
export type Select = {
  columns: SelectColumn[]
  relations: SelectRelation[]
  /** `*`, with the alias it is of */
  stars: { alias: string | null; before: number }[]
  ctes: Record<string, Select>
  complete: boolean
}
export type SelectColumn = {
  name: string
  /** SQL type as written in the outermost cast, or of a well-known function or literal */
  type: string | null
  /** a plain column of a relation, which then has its type */
  of: { alias: string | null; column: string } | null
  /** place of the item in the text */
  offset: number
}
export type SelectRelation = { alias: string | null } & (
  | { kind: 'ref'; model: string }
  | { kind: 'source'; source: string; table: string }
  | { kind: 'named'; name: string }
  | { kind: 'query'; select: Select }
  | { kind: 'unknown' }
)

type Token = { kind: 'word' | 'quoted' | 'text' | 'number' | 'jinja' | 'mark'; text: string; offset: number }

const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|\{#[\s\S]*?#\}|(?<jinja>\{\{[\s\S]*?\}\})|(?<block>\{%[\s\S]*?%\})|(?<quoted>"(?:[^"]|"")*")|(?<text>[eE]?'(?:[^']|'')*'|\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|(?<mark>::|\|\||[^\s])/gy

const TEXT_LIMIT = 512 * 1024
const DEPTH_LIMIT = 20

/** @returns null for what is not one SELECT */
export function readSelect(text: string): Select | null {
  if (text.length > TEXT_LIMIT) return null
  const tokens = tokenize(text)
  return tokens === null ? null : readQuery(tokens, 0)
}

/** Null where Jinja decides which text there is at all. */
function tokenize(text: string): Token[] | null {
  const tokens: Token[] = []
  for (const found of text.matchAll(TOKEN)) {
    const { jinja, block, quoted, text: literal, number, word, mark } = found.groups!
    if (block !== undefined) return null
    const offset = found.index
    // A call that gives no text: how the model is built.
    if (jinja !== undefined && /^\{\{-?\s*config\s*\(/.test(jinja)) continue
    if (jinja !== undefined) tokens.push({ kind: 'jinja', text: jinja, offset })
    else if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.slice(1, -1).replaceAll('""', '"'), offset })
    else if (literal !== undefined) tokens.push({ kind: 'text', text: literal, offset })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, offset })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word.toLowerCase(), offset })
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark, offset })
  }
  return tokens
}

const END_OF_ITEMS = new Set([
  'from',
  'where',
  'group',
  'having',
  'window',
  'union',
  'intersect',
  'except',
  'order',
  'limit',
  'offset',
])
const END_OF_RELATIONS = new Set([...END_OF_ITEMS].filter((word) => word !== 'from'))
const JOIN_WORDS = new Set(['join', 'inner', 'left', 'right', 'full', 'outer', 'cross', 'natural', 'lateral'])

function readQuery(tokens: readonly Token[], depth: number): Select | null {
  if (depth > DEPTH_LIMIT) return null
  const ctes: Record<string, Select> = {}
  let at = 0
  if (is(tokens[0], 'with')) {
    at = is(tokens[1], 'recursive') ? 2 : 1
    for (;;) {
      const name = tokens[at]
      const open = tokens.findIndex((token, i) => i > at && is(token, '('))
      const close = closing(tokens, open)
      if (!name || open < 0 || close < 0 || !is(tokens[open - 1], 'as', 'materialized')) return null
      const inner = readQuery(tokens.slice(open + 1, close), depth + 1)
      if (!inner) return null
      ctes[name.text] = inner
      at = close + 1
      if (!is(tokens[at], ',')) break
      at++
    }
  }
  if (!is(tokens[at], 'select')) return null
  at++
  if (is(tokens[at], 'distinct', 'all')) at++
  if (is(tokens[at], 'on') && is(tokens[at - 1], 'distinct')) at = closing(tokens, at + 1) + 1
  const select: Select = { columns: [], relations: [], stars: [], ctes, complete: true }
  const end = endOf(tokens, at, END_OF_ITEMS)
  for (const item of split(tokens.slice(at, end))) readItem(select, item)
  if (is(tokens[end], 'from')) readRelations(select, tokens.slice(end + 1, endOf(tokens, end + 1, END_OF_RELATIONS)), depth)
  return select
}

function readItem(select: Select, item: readonly Token[]): void {
  const [first] = item
  const last = item.at(-1)
  if (!first || !last) return
  if (is(last, '*') && (item.length === 1 || (item.length === 3 && is(item[1], '.')))) {
    select.stars.push({ alias: item.length === 1 ? null : first.text, before: select.columns.length })
    return
  }
  const beforeLast = item.at(-2)
  const isName = last.kind === 'word' || last.kind === 'quoted'
  const named = isName && is(beforeLast, 'as')
  const follows = isName && !named && item.length > 1 && endsValue(beforeLast!, item.at(-3)) && !is(last, 'end')
  const value = named ? item.slice(0, -2) : follows ? item.slice(0, -1) : item
  const name = named || follows ? last.text : nameOf(value)
  if (name === null) {
    select.complete = false
    return
  }
  const of = columnOf(value)
  select.columns.push({ name, type: of ? null : typeOf(value), of, offset: (named || follows ? last : first).offset })
}

/** May a value end here, so that a word behind it is its name? Not behind an operator. */
function endsValue(token: Token, before: Token | undefined): boolean {
  if (token.kind === 'mark') return token.text === ')' || token.text === ']'
  return token.kind !== 'word' || is(before, '.') || !OPERATORS.has(token.text)
}
const OPERATORS = new Set([
  'and',
  'or',
  'not',
  'is',
  'in',
  'like',
  'ilike',
  'between',
  'at',
  'time',
  'zone',
  'over',
  'filter',
  'double',
])

/** The name PostgreSQL gives a value without one. */
function nameOf(value: readonly Token[]): string | null {
  const of = columnOf(value)
  if (of) return of.column
  const cast = value.findIndex((token) => is(token, '::'))
  if (cast > 0) return nameOf(value.slice(0, cast))
  if (is(value[0], 'cast') && is(value[1], '(')) {
    const as = value.findLastIndex((token) => is(token, 'as'))
    return as > 2 ? nameOf(value.slice(2, as)) : null
  }
  const isCall = value[0]?.kind === 'word' && is(value[1], '(') && closing(value, 1) === value.length - 1
  return isCall ? value[0]!.text : null
}

function columnOf(value: readonly Token[]): { alias: string | null; column: string } | null {
  const named = (token: Token | undefined) => token?.kind === 'quoted' || (token?.kind === 'word' && !VALUES.has(token.text))
  if (value.length === 1 && named(value[0])) return { alias: null, column: value[0]!.text }
  if (value.length === 3 && named(value[0]) && is(value[1], '.') && named(value[2]))
    return { alias: value[0]!.text, column: value[2]!.text }
  return null
}

/** Words that are values of their own, with their types. */
const VALUES = new Map([
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', null],
  ['current_date', 'date'],
  ['current_timestamp', 'timestamptz'],
  ['localtimestamp', 'timestamp'],
])
const FUNCTIONS: Record<string, string> = {
  count: 'bigint',
  length: 'bigint',
  row_number: 'bigint',
  rank: 'bigint',
  dense_rank: 'bigint',
  sum: 'numeric',
  avg: 'numeric',
  round: 'numeric',
  now: 'timestamptz',
  date_trunc: 'timestamptz',
  to_date: 'date',
  to_timestamp: 'timestamptz',
  lower: 'text',
  upper: 'text',
  initcap: 'text',
  trim: 'text',
  btrim: 'text',
  concat: 'text',
  concat_ws: 'text',
  left: 'text',
  right: 'text',
  substring: 'text',
  replace: 'text',
  regexp_replace: 'text',
  split_part: 'text',
  to_char: 'text',
  md5: 'text',
  string_agg: 'text',
  bool_and: 'boolean',
  bool_or: 'boolean',
}
const SAME_AS_FIRST = new Set(['coalesce', 'nullif', 'min', 'max', 'greatest', 'least'])

function typeOf(value: readonly Token[]): string | null {
  const top = outermost(value)
  const [first] = value
  const compares = top.some(({ token }) => is(token, 'and', 'or', 'not', 'is', 'in', 'like', 'ilike', 'between', '=', '<', '>'))
  if (compares && !is(first, 'case')) return 'boolean'
  if (top.some(({ token }) => is(token, '||'))) return 'text'
  const cast = top.findLast(({ token }) => is(token, '::'))
  // A cast binds closest: it is the type of the whole only where nothing else is calculated.
  if (cast && !top.some(({ token }) => is(token, '+', '-', '*', '/'))) return writtenType(value.slice(cast.i + 1))
  if (first?.kind === 'word' && is(value[1], '(') && closing(value, 1) === value.length - 1) {
    const inside = value.slice(2, -1)
    const as = outermost(inside).findLast(({ token }) => is(token, 'as'))
    if (first.text === 'cast') return as ? writtenType(inside.slice(as.i + 1)) : null
    if (SAME_AS_FIRST.has(first.text)) return typeOf(split(inside)[0] ?? [])
    return Object.hasOwn(FUNCTIONS, first.text) ? FUNCTIONS[first.text]! : null
  }
  if (value.length !== 1) return null
  if (first!.kind === 'text') return 'text'
  if (first!.kind === 'number') return first!.text.includes('.') ? 'numeric' : 'integer'
  return VALUES.get(first!.text) ?? null
}

/** `double precision`, `numeric(10, 2)`, `text[]` */
function writtenType(tokens: readonly Token[]): string | null {
  if (tokens.length === 0 || tokens.some((token) => token.kind === 'jinja')) return null
  return tokens
    .map((token) => (token.kind === 'word' ? ` ${token.text}` : token.text))
    .join('')
    .trim()
}

function readRelations(select: Select, tokens: readonly Token[], depth: number): void {
  let expects = true
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    if (is(token, ',', 'join')) {
      expects = true
      continue
    }
    if (!expects || is(token, ...JOIN_WORDS)) continue
    expects = false
    const close = is(token, '(') ? closing(tokens, at) : at
    if (close < 0) return
    const relation = relationOf(tokens.slice(at, close + 1), depth)
    at = close
    // schema.table
    if (is(tokens[at + 1], '.')) at += 2
    if (is(tokens[at + 1], 'as')) at++
    const alias = tokens[at + 1]
    const isAlias =
      alias && (alias.kind === 'word' || alias.kind === 'quoted') && !JOIN_WORDS.has(alias.text) && !is(alias, 'on', 'using')
    if (isAlias) at++
    const own = relation.kind === 'named' ? relation.name : relation.kind === 'ref' ? relation.model : null
    select.relations.push({ ...relation, alias: isAlias ? alias.text : own })
  }
}

function relationOf(tokens: readonly Token[], depth: number): SelectRelation {
  const [first] = tokens
  if (is(first, '(')) {
    const inner = readQuery(tokens.slice(1, -1), depth + 1)
    return inner ? { kind: 'query', select: inner, alias: null } : { kind: 'unknown', alias: null }
  }
  if (first?.kind === 'jinja') {
    const ref = /^\{\{-?\s*ref\(\s*['"]([^'"]+)['"]\s*\)\s*-?\}\}$/.exec(first.text)
    if (ref) return { kind: 'ref', model: ref[1]!, alias: null }
    const source = /^\{\{-?\s*source\(\s*['"]([^'"]+)['"]\s*,\s*['"]([^'"]+)['"]\s*\)\s*-?\}\}$/.exec(first.text)
    if (source) return { kind: 'source', source: source[1]!, table: source[2]!, alias: null }
    return { kind: 'unknown', alias: null }
  }
  return first?.kind === 'word' || first?.kind === 'quoted'
    ? { kind: 'named', name: first.text, alias: null }
    : { kind: 'unknown', alias: null }
}

function is(token: Token | undefined, ...texts: string[]): boolean {
  return token !== undefined && (token.kind === 'word' || token.kind === 'mark') && texts.includes(token.text)
}

/** Where the parenthesis that opens here closes, or -1. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let at = Math.max(open, 0); at < tokens.length; at++) {
    if (is(tokens[at], '(', '[')) depth++
    if (is(tokens[at], ')', ']') && --depth === 0) return at
  }
  return -1
}

function outermost(tokens: readonly Token[]): { token: Token; i: number }[] {
  let depth = 0
  return [...tokens.entries()].flatMap(([i, token]) => {
    if (is(token, ')', ']')) depth--
    const found = depth === 0 ? [{ token, i }] : []
    if (is(token, '(', '[')) depth++
    return found
  })
}

/** The first of these words outside parentheses, or the end; `is distinct from` is an operator. */
function endOf(tokens: readonly Token[], from: number, words: ReadonlySet<string>): number {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    if (is(tokens[at], '(', '[')) depth++
    if (is(tokens[at], ')', ']')) depth--
    if (depth > 0 || tokens[at]!.kind !== 'word' || !words.has(tokens[at]!.text)) continue
    if (!is(tokens[at - 1], 'distinct', 'as', '.')) return at
  }
  return tokens.length
}

function split(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (is(token, '(', '[')) depth++
    if (is(token, ')', ']')) depth--
    if (depth === 0 && is(token, ',')) parts.push([])
    else parts.at(-1)!.push(token)
  }
  return parts
}
