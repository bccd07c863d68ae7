/** How a column's values stand in JSON. */
export type JsonForm = 'number' | 'float' | 'boolean' | 'json' | 'timestamp' | 'string'

const FORMS: Record<string, JsonForm> = {
  smallint: 'number',
  integer: 'number',
  real: 'float',
  'double precision': 'float',
  boolean: 'boolean',
  json: 'json',
  jsonb: 'json',
  'timestamp without time zone': 'timestamp',
  'timestamp with time zone': 'timestamp',
}

/** bigint and numeric are texts: a reader's own numbers may not hold them. */
export function jsonForm(type: string): JsonForm {
  return FORMS[type] ?? 'string'
}

export type PageFacts = { next: string | null; publication: number; asOf: string }

/** `{items, next, publication, asOf}` from values as PostgreSQL writes them: nothing is parsed and written again, so nothing is rounded. */
export function writePage(
  columns: readonly { name: string; form: JsonForm }[],
  rows: readonly (string | null)[][],
  { next, publication, asOf }: PageFacts,
): string {
  const names = columns.map(({ name }) => `${JSON.stringify(name)}:`)
  const items = rows.map(
    (row) => `{${columns.map(({ form }, index) => names[index]! + writeValue(row[index] ?? null, form)).join(',')}}`,
  )
  return `{"items":[${items.join(',\n')}],"next":${JSON.stringify(next)},"publication":${publication},"asOf":${JSON.stringify(asOf)}}\n`
}

function writeValue(text: string | null, form: JsonForm): string {
  if (text === null) return 'null'
  switch (form) {
    case 'number':
    case 'json':
      return text
    case 'float':
      return /^-?[0-9]/.test(text) ? text : JSON.stringify(text)
    case 'boolean':
      return text === 't' ? 'true' : 'false'
    case 'timestamp':
      // RFC 3339; infinity and years before Christ stay as PostgreSQL writes them
      return JSON.stringify(text.replace(/^(\S+) ([0-9:.]+)(\+00)?$/, (_, date, time, utc) => `${date}T${time}${utc ? 'Z' : ''}`))
    default:
      return JSON.stringify(text)
  }
}
