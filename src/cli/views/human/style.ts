import { stripVTControlCharacters } from 'node:util'
import { type StateFamily, type StatusWord, statusWord } from '../../../client/status-words.ts'

/** What a view must know of the place it is written to. `width` is within 60 and 200. */
export type Style = { width: number; colour: boolean; zone: string; now: Date }

const COLOUR = { ok: 36, run: 34, warn: 33, bad: 31, wait: 35, off: 2, muted: 2, strong: 1 } as const
/** The state families as the command line writes them: a word, so that nothing depends on colour. */
const GLYPH = { ok: 'ok', run: 'run', warn: '!', bad: 'FAIL', wait: 'wait', off: '.' } as const
const MIN_WIDTH = 60
const MAX_WIDTH = 200

export function clampWidth(columns: number): number {
  return Math.min(Math.max(Math.trunc(columns) || MIN_WIDTH, MIN_WIDTH), MAX_WIDTH)
}

export function paint(style: Style, token: keyof typeof COLOUR, text: string): string {
  return style.colour && text !== '' ? `\u001b[${COLOUR[token]}m${text}\u001b[0m` : text
}

export function glyph(family: StateFamily): string {
  return GLYPH[family]
}

/** `! Degraded`, `ok Active`: never the colour alone. */
export function showStatus({ family, word }: StatusWord): string {
  return `${GLYPH[family]} ${word}`
}

export function showState(style: Style, kind: Parameters<typeof statusWord>[0], state: string): string {
  const status = statusWord(kind, clean(state))
  return paint(style, status.family, showStatus(status))
}

/** Text of others without the bytes that steer a terminal: names, logs and messages come from repositories. */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu, '')
}

export function cleanLine(text: string): string {
  return clean(text).replace(/[\t\n]+/g, ' ')
}

/** Cut to `width` characters, the cut shown. */
export function cut(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, Math.max(width - 1, 0)).join('')}…`
}

/** Words folded into lines of at most `width`; a longer word stands alone, so that commands and addresses can be copied. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    return [...lines, line]
  })
}

/** `count(1, 'step')` is "1 step", `count(2, 'step')` "2 steps". */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`
}
