import type { Writable } from 'node:stream'

/** A block of lines at the end of a terminal that the next one is written over. Lines must be no wider than the terminal. */
type Painter = { paint(lines: readonly string[]): void }

export function createPainter(terminal: Writable): Painter {
  let height = 0
  return {
    // One write for a whole picture, so that the terminal never shows half of it.
    paint(lines) {
      const up = height > 0 ? `\u001b[${height}A` : ''
      terminal.write(`${up}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}`)
      height = lines.length
    },
  }
}
