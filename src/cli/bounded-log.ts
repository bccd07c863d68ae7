import { appendFileSync, renameSync, statSync } from 'node:fs'

const MAX_BYTES = 10_000_000

/** Appends lines to a file; past `maxBytes` the file becomes `<path>.1` in place of the one before, so both together stay under twice that. */
export function createBoundedLog(path: string, maxBytes: number = MAX_BYTES): (line: string) => void {
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return (line) => {
    const text = `${line}\n`
    if (size > 0 && size + text.length > maxBytes) {
      renameSync(path, `${path}.1`)
      size = 0
    }
    appendFileSync(path, text)
    size += Buffer.byteLength(text)
  }
}
