import type { Readable } from 'node:stream'

/** dbt's longest messages are a few kilobytes; whoever sends more without a line break is cut off. */
const MAX_LINE = 1 << 20

/** Calls `onLine` for every full line; a line above 1 MB destroys the stream. */
export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) onLine(line)
    if (rest.length > MAX_LINE) stream.destroy()
  })
}
