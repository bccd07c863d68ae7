import type { Filter, Literal, SubjectAttribute } from './types.ts'

/** `offset` counts characters of the text, from 0. */
export type ParsedFilter = { ok: true; filter: Filter } | { ok: false; message: string; offset: number }

const LIMITS = { length: 2_000, depth: 32, values: 200 }
const TOKEN =
  /\s*(?:(?<word>[A-Za-z_][A-Za-z0-9_]*)|"(?<quoted>(?:[^"]|"")*)"|'(?<text>(?:[^']|'')*)'|(?<number>-?\d{1,15}(?:\.\d{1,15})?)(?![A-Za-z0-9_.])|(?<mark><=|>=|<>|!=|[=<>(),.]))/y
const OPERATORS: Record<string, 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'> = {
  '=': 'eq',
  '!=': 'ne',
  '<>': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
}
const KEYWORDS = new Set(['and', 'or', 'not', 'in', 'is', 'null', 'true', 'false', 'subject'])

type Token = { kind: 'word' | 'quoted' | 'text' | 'number' | 'mark' | 'end'; text: string; offset: number }

/**
 * The whole language of row filters: `column op literal`, `column [not] in (literal, …)`, `column [not] in subject.attribute`, `column = subject.attribute`
 * (the same as in), `column is [not] null`, and / or / not and parentheses. No functions, no arithmetic, no other tables.
 * @example parseFilter("facility_id in subject.facility_ids and status <> 'closed'")
 */
export function parseFilter(source: string): ParsedFilter {
  if (source.length > LIMITS.length)
    return { ok: false, message: `a condition has at most ${LIMITS.length} characters`, offset: LIMITS.length }
  const tokens = tokenise(source)
  if (!Array.isArray(tokens)) return tokens
  const state: State = { tokens, at: 0, problem: null }
  const filter = readOr(state, 0)
  if (!state.problem && peek(state).kind !== 'end') complain(state, `unexpected ${describe(peek(state))}`)
  return state.problem ? { ok: false, ...state.problem } : { ok: true, filter: filter! }
}

type State = { tokens: Token[]; at: number; problem: { message: string; offset: number } | null }

function tokenise(source: string): Token[] | { ok: false; message: string; offset: number } {
  const tokens: Token[] = []
  let at = 0
  while (source.slice(at).trim() !== '') {
    TOKEN.lastIndex = at
    const found = TOKEN.exec(source)
    const start = at + (/^\s*/.exec(source.slice(at))?.[0].length ?? 0)
    if (!found?.groups) return { ok: false, message: `unexpected character ${JSON.stringify(source[start])}`, offset: start }
    const { word, quoted, text, number, mark } = found.groups
    if (word !== undefined) tokens.push({ kind: 'word', text: word, offset: start })
    else if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.replaceAll('""', '"'), offset: start })
    else if (text !== undefined) tokens.push({ kind: 'text', text: text.replaceAll("''", "'"), offset: start })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, offset: start })
    else tokens.push({ kind: 'mark', text: mark!, offset: start })
    at = TOKEN.lastIndex
  }
  tokens.push({ kind: 'end', text: '', offset: source.length })
  return tokens
}

function readOr(state: State, depth: number): Filter | null {
  return readSeveral(state, 'or', () => readSeveral(state, 'and', () => readNot(state, depth)))
}

function readSeveral(state: State, op: 'and' | 'or', readOne: () => Filter | null): Filter | null {
  const args: Filter[] = []
  do {
    const arg = readOne()
    if (!arg) return null
    args.push(arg)
  } while (takeWord(state, op))
  return args.length === 1 ? args[0]! : { op, args }
}

function readNot(state: State, depth: number): Filter | null {
  if (depth > LIMITS.depth) return complain(state, `at most ${LIMITS.depth} levels of not and parentheses`)
  if (takeWord(state, 'not')) {
    const arg = readNot(state, depth + 1)
    return arg && { op: 'not', arg }
  }
  if (takeMark(state, '(')) {
    const inner = readOr(state, depth + 1)
    if (!inner) return null
    return takeMark(state, ')') ? inner : complain(state, `expected ) but found ${describe(peek(state))}`)
  }
  return readComparison(state)
}

function readComparison(state: State): Filter | null {
  const token = peek(state)
  const isColumn = token.kind === 'quoted' || (token.kind === 'word' && !KEYWORDS.has(token.text.toLowerCase()))
  if (!isColumn || token.text === '') return complain(state, `expected a column but found ${describe(token)}`)
  state.at++
  const column = token.text
  if (takeWord(state, 'is')) {
    const negated = takeWord(state, 'not')
    if (!takeWord(state, 'null')) return complain(state, 'expected null after is')
    return negate(negated, { op: 'is-null', column })
  }
  const negated = takeWord(state, 'not')
  if (takeWord(state, 'in')) {
    const values = readSet(state)
    return values && negate(negated, { op: 'in', column, values })
  }
  if (negated) return complain(state, 'expected in after not')
  const operator = peek(state)
  const op = operator.kind === 'mark' ? OPERATORS[operator.text] : undefined
  if (!op) return complain(state, `expected a comparison, in or is but found ${describe(operator)}`)
  state.at++
  if (!isSubject(peek(state))) {
    const value = readLiteral(state)
    return value === null ? null : { op, column, value }
  }
  if (op !== 'eq' && op !== 'ne') return complain(state, 'an attribute of the subject is a list: compare it with in')
  const attribute = readSubject(state)
  return attribute && negate(op === 'ne', { op: 'in', column, values: attribute })
}

function readSet(state: State): Literal[] | SubjectAttribute | null {
  if (isSubject(peek(state))) return readSubject(state)
  if (!takeMark(state, '('))
    return complain(state, `expected ( or subject.<attribute> after in but found ${describe(peek(state))}`)
  const values: Literal[] = []
  do {
    const value = readLiteral(state)
    if (value === null) return null
    values.push(value)
    if (values.length > LIMITS.values) return complain(state, `at most ${LIMITS.values} values`)
  } while (takeMark(state, ','))
  return takeMark(state, ')') ? values : complain(state, `expected , or ) but found ${describe(peek(state))}`)
}

function readSubject(state: State): SubjectAttribute | null {
  state.at++
  if (!takeMark(state, '.')) return complain(state, 'expected subject.<attribute>')
  const token = peek(state)
  if (token.kind !== 'word' || !/^[a-z][a-z0-9_]{0,62}$/.test(token.text))
    return complain(state, 'an attribute is written in lower-case letters, digits and underscores')
  state.at++
  return { subject: token.text }
}

function readLiteral(state: State): Literal | null {
  const token = peek(state)
  const word = token.kind === 'word' ? token.text.toLowerCase() : ''
  state.at++
  if (token.kind === 'text') return token.text
  if (token.kind === 'number') return Number(token.text)
  if (word === 'true' || word === 'false') return word === 'true'
  state.at--
  const hint =
    word === 'null'
      ? '; write is null'
      : token.kind === 'word'
        ? '; texts stand in single quotes'
        : token.kind === 'quoted'
          ? '; double quotes name a column, texts stand in single quotes'
          : ''
  return complain(state, `expected a value but found ${describe(token)}${hint}`)
}

function negate(negated: boolean, filter: Filter): Filter {
  return negated ? { op: 'not', arg: filter } : filter
}

function peek(state: State): Token {
  return state.tokens[state.at]!
}

function isSubject(token: Token): boolean {
  return token.kind === 'word' && token.text === 'subject'
}

function takeWord(state: State, word: string): boolean {
  const token = peek(state)
  if (token.kind !== 'word' || token.text.toLowerCase() !== word) return false
  state.at++
  return true
}

function takeMark(state: State, mark: string): boolean {
  const token = peek(state)
  if (token.kind !== 'mark' || token.text !== mark) return false
  state.at++
  return true
}

function complain(state: State, message: string): null {
  state.problem ??= { message, offset: peek(state).offset }
  return null
}

function describe(token: Token): string {
  return token.kind === 'end' ? 'the end' : JSON.stringify(token.text.slice(0, 40))
}
