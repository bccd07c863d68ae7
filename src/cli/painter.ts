import type { Writable } from 'node:stream'

/** A block of lines at the end of a terminal that is written over by the next one. Lines must be no wider than the terminal. */
export type Painter = {
  paint(lines: readonly string[]): void /** leaves the block standing; what follows comes below it */
  keep(): void
  clear(): void
}

export function createPainter(terminal: Writable): Painter {
  let height = 0
  // One write for a whole picture, so that the terminal never shows half of it.
  const replace = (lines: readonly string[]) => {
    const up = height > 0 ? `\u001b[${height}A` : ''
    terminal.write(`${up}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}`)
    height = lines.length
  }
  return {
    paint: replace,
    keep() {
      height = 0
    },
    clear() {
      if (height > 0) replace([])
    },
  }
}
