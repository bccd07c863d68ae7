/** One record of CSV as PostgreSQL writes it; null is an empty field without quotes. */
export type Fields = (string | null)[]

const QUOTE = 34
const COMMA = 44
const NEWLINE = 10

/**
 * Records of PostgreSQL's CSV, in batches. Written by hand because the packages for CSV take an empty field and an empty text in quotes for the same, and
 * here the one is NULL. Bytes are cut at ASCII characters only, so a letter is never torn.
 */
export async function* parseCsv(chunks: AsyncIterable<Buffer>): AsyncGenerator<Fields[]> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const whole = endOfRecords(bytes)
    if (whole > 0) yield parseRecords(bytes.toString('utf8', 0, whole))
    rest = bytes.subarray(whole)
  }
  if (rest.length > 0) yield parseRecords(`${rest.toString('utf8')}\n`)
}

/** Behind the last newline that ends a record: one outside of quotes. A doubled quote closes and opens again, which comes to the same. */
function endOfRecords(bytes: Buffer): number {
  let end = 0
  let quoted = false
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === QUOTE) quoted = !quoted
    else if (bytes[at] === NEWLINE && !quoted) end = at + 1
  }
  return end
}

function parseRecords(text: string): Fields[] {
  const records: Fields[] = []
  let fields: Fields = []
  for (let at = 0; at < text.length; at++) {
    let end = at
    if (text.charCodeAt(at) === QUOTE) {
      do end = text.indexOf('"', end + 1) + 1
      while (text.charCodeAt(end) === QUOTE)
      fields.push(text.slice(at + 1, end - 1).replaceAll('""', '"'))
    } else {
      while (text.charCodeAt(end) !== COMMA && text.charCodeAt(end) !== NEWLINE) end++
      fields.push(end === at ? null : text.slice(at, end))
    }
    if (text.charCodeAt(end) === NEWLINE) {
      records.push(fields)
      fields = []
    }
    at = end
  }
  return records
}

/** The record as PostgreSQL reads it; every text is quoted, so that an empty one is not NULL and `\.` ends nothing. */
export function formatCsv(fields: Fields): string {
  return `${fields.map((field) => (field === null ? '' : `"${field.replaceAll('"', '""')}"`)).join(',')}\n`
}
