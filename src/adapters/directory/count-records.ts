const QUOTE = 0x22
const NEWLINE = 0x0a

/** Counts the records of CSV as PostgreSQL writes it: a newline inside quotes belongs to its field. Feed chunks in order. */
export function createRecordCounter(): { add(chunk: Buffer): void; records(): number } {
  let records = 0
  let quoted = false
  let open = false
  return {
    add(chunk) {
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at]
        // a doubled quote inside a field closes and opens it again, which comes to the same
        if (byte === QUOTE) quoted = !quoted
        if (byte === NEWLINE && !quoted) {
          records++
          open = false
        } else open = true
      }
    },
    records: () => records + (open ? 1 : 0),
  }
}
