/**
 * Cuts row values out of a message of dbt or PostgreSQL. What cannot be told from a value is cut: a quoted text stays only where PostgreSQL quotes a name.
 * `source: 'code'` is for messages made before any statement ran (Jinja, YAML, references): they quote the author's files, so quotes stay.
 *
 * @example redact('invalid input syntax for type integer: "abc"') // invalid input syntax for type integer: "…"
 */
export function redact(message: string, source: 'database' | 'code' = 'database'): string {
  const sections: string[] = []
  for (const line of message.split(/\r?\n/)) {
    if (sections.length === 0 || SECTION.test(line.trim()) || OWN_LINE.test(line.trim())) sections.push(line)
    // A value may hold line breaks, so what follows belongs to the section before it.
    else if (opensAValue(sections[sections.length - 1]!)) sections[sections.length - 1] += `\n${line}`
    else sections.push(line)
  }
  return sections
    .map((section) => redactSection(section, source))
    .filter((section) => section !== null)
    .join('\n')
    .trim()
}

const CUT = '…'
const SECTION = /^(LINE \d+:|DETAIL:|HINT:|CONTEXT:|WHERE:|QUERY:|STATEMENT:|COPY )/
/** Lines dbt adds around the database's text. */
const OWN_LINE = /^(compiled code at |(Database|Runtime|Compilation|Parsing|Internal) Error\b)/

/** What PostgreSQL quotes after these words is the name of an object, never a value. */
const NAMED =
  /(?:^|[\s(])(?:columns?|relation|table|schema|function|procedure|aggregate|constraint|index|role|view|type|domain|database|operator|language|sequence|extension|rule|trigger|policy|user|parameter|cursor|encoding|collation|tablespace|window|for schema|named|reference the column|at or near)\s$/i

const SAFE_DETAIL =
  /^DETAIL:\s+((view|materialized view|table|constraint|function|type|index|sequence|rule|trigger|policy|default value for column)\b.* depends on [^\n]*|A field with precision \d+, scale \d+ must round to an absolute value less than [\d^]+\.|Expected \w+ sign\.)$/
const SAFE_HINT =
  /^HINT:\s+(Perhaps you meant|No (function|operator|procedure|aggregate) matches|You might need to|There is a column named|There are columns named|Use DROP|To find columns named|Could not choose a best candidate)/

function opensAValue(section: string): boolean {
  const text = section.trim()
  if (/^(DETAIL|CONTEXT|WHERE|QUERY|STATEMENT|COPY)/.test(text)) return true
  const unnamed = firstUnnamedQuote(section)
  return unnamed >= 0 && section.indexOf('"', unnamed + 1) < 0
}

function redactSection(section: string, source: 'database' | 'code'): string | null {
  const indent = section.slice(0, section.length - section.trimStart().length)
  const text = section.trim()
  if (/^\^$/.test(text)) return null
  if (/^(CONTEXT|WHERE|QUERY|STATEMENT|COPY)\b/.test(text)) return `${indent}${/^\w+/.exec(text)![0]}: ${CUT}`
  if (text.startsWith('DETAIL:')) return indent + (SAFE_DETAIL.test(text) ? text : cutDetail(text))
  if (text.startsWith('HINT:')) return SAFE_HINT.test(text) ? section.split('\n')[0]! : `${indent}HINT: ${CUT}`
  if (text.startsWith('LINE ')) return indent + cutLine(text)
  const cut = cutTuples(section)
  return source === 'code' ? cut : cutQuotes(cut)
}

/** Keeps which key broke, not with what. */
function cutDetail(text: string): string {
  const key =
    /^DETAIL:\s+Key \(([\w", .]+)\)=\([\s\S]*\) (already exists|is duplicated|is not present in table "[^"\n]+"|is still referenced from table "[^"\n]+")\.?$/.exec(
      text,
    )
  return key ? `DETAIL: Key (${key[1]})=(${CUT}) ${key[2]}.` : `DETAIL: ${CUT}`
}

/** A line of SQL: the author's words stay, literals go; a list of values (a seed's, a loop's over rows) goes whole. */
function cutLine(text: string): string {
  const [, head, sql] = /^(LINE \d+:)([\s\S]*)$/.exec(text)!
  if (/\bvalues\b|^\s*(\.\.\.)?\s*\(|^\s*(\.\.\.)?\s*'/i.test(sql!)) return `${head} ${CUT}`
  // An open quote at either end means that the line was cut inside a literal.
  const literals = sql!.replace(/'(?:[^']|'')*'/g, `'${CUT}'`)
  return head + (literals.replaceAll(`'${CUT}'`, '').includes("'") ? ` ${CUT}` : literals)
}

function cutTuples(text: string): string {
  return text
    .replace(/connection to server at "[^"\n]+"(?: \([^)\n]*\))?,/g, 'connection to the server,')
    .replace(/(Key \([^)\n]*\)=)\([\s\S]*\)/g, `$1(${CUT})`)
    .replace(/(Failing row contains )\([\s\S]*$/g, `$1(${CUT})`)
    .replace(/(\b0x[0-9a-f]{2}\s*)+/gi, CUT)
}

function firstUnnamedQuote(text: string): number {
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) {
    const end = text.indexOf('"', at + 1)
    const quoted = end < 0 ? null : text.slice(at + 1, end)
    if (quoted === null || !NAMED.test(text.slice(0, at)) || !isName(quoted)) return at
    at = end
  }
  return -1
}

function isName(quoted: string): boolean {
  return quoted.length <= 130 && /^[^\d'\n][^'\n]*$/.test(quoted)
}

/** The value may itself hold quotes, which PostgreSQL does not escape: cut from the first quote that is not a name's to the last one. */
function cutQuotes(text: string): string {
  const from = firstUnnamedQuote(text)
  if (from < 0) return text
  const to = text.lastIndexOf('"')
  return to > from ? `${text.slice(0, from)}"${CUT}"${text.slice(to + 1)}` : `${text.slice(0, from)}"${CUT}"`
}
