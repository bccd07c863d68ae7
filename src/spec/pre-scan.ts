import { Lexer } from 'yaml'
import type { Diagnostic } from '../core/diagnostic.ts'
import { positionOf, type Source } from './located.ts'

/** What a spec may hold; a real one is far below (the largest worked example: 12 kB, depth 12, 900 keys, no alias). */
export const LIMITS = { bytes: 256 * 1024, depth: 48, aliases: 64, keys: 8_000, lineLength: 16_384 } as const

/**
 * One linear pass over the text and one over the parser's own tokens, before anything recursive sees them: the parser has been seen to take the
 * whole process down on deep nesting behind an alias bomb, and no `catch` helps there.
 */
export function scanText(source: Source): Diagnostic[] {
  return scanCharacters(source) ?? scanTokens(source) ?? []
}

function scanCharacters(source: Source): Diagnostic[] | null {
  const { text, lineStarts } = source
  for (let line = 0; line < lineStarts.length; line++) {
    const length = (lineStarts[line + 1] ?? text.length) - lineStarts[line]!
    if (length > LIMITS.lineLength)
      return [excessive(source, lineStarts[line]!, `a line of ${length} characters`, `${LIMITS.lineLength}`)]
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code >= 0x20 && code < 0x7f) continue
    const kind = refused(text, at, code)
    if (!kind) continue
    const name = `U+${text.codePointAt(at)!.toString(16).toUpperCase().padStart(4, '0')}`
    const invisible = kind === 'invisible'
    return [
      {
        severity: 'error',
        code: invisible ? 'SPEC_TEXT_INVISIBLE' : 'SPEC_FILE_UNREADABLE',
        what: kind === 'broken' ? 'The file is not valid UTF-8' : `The file holds the character ${name}`,
        why: invisible
          ? 'it is not seen and can make the text read differently from what it says'
          : 'nothing that belongs in a spec is written with it',
        fix: kind === 'broken' ? 'Save the file as UTF-8.' : 'Delete the character.',
        at: positionOf(source, [at, at + 1]),
      },
    ]
  }
  return null
}

function refused(text: string, at: number, code: number): 'broken' | 'control' | 'invisible' | null {
  if (code === 0x0a || code === 0x09 || (code === 0x0d && text.charCodeAt(at + 1) === 0x0a)) return null
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return 'control'
  if (code === 0xfeff) return at === 0 ? null : 'invisible'
  if (code === 0xfffd || code === 0xfffe || code === 0xffff) return 'broken'
  if (code >= 0xd800 && code <= 0xdbff) {
    const next = text.charCodeAt(at + 1)
    if (!(next >= 0xdc00 && next <= 0xdfff)) return 'broken'
    // Tag characters: a whole alphabet nobody sees
    return code === 0xdb40 && next < 0xdc80 ? 'invisible' : null
  }
  if (code >= 0xdc00 && code <= 0xdfff) {
    const before = text.charCodeAt(at - 1)
    return before >= 0xd800 && before <= 0xdbff ? null : 'broken'
  }
  const bidi =
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069) ||
    code === 0x200e ||
    code === 0x200f ||
    code === 0x061c
  const hidden =
    code === 0x200b ||
    code === 0x00ad ||
    (code >= 0x2060 && code <= 0x2064) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x180e
  return bidi || hidden ? 'invisible' : null
}

function scanTokens(source: Source): Diagnostic[] | null {
  let offset = 0
  let lineStart = 0
  let inPrefix = true
  let isScalar = false
  let flow = 0
  let aliases = 0
  let keys = 0
  const columns: number[] = []
  for (const token of new Lexer().lex(source.text)) {
    if (token === '\x02' || token === '\x18') continue
    if (token === '\x1f') {
      isScalar = true
      continue
    }
    const at = offset
    offset += token.length
    const scalar = isScalar
    isScalar = false
    const first = scalar ? '' : token[0]!
    if (first === '%' && at === lineStart) return [unsupported(source, at, offset, 'A YAML directive')]
    if (first === '[' || first === '{') flow++
    if ((first === ']' || first === '}') && flow > 0) flow--
    if (first === '*') aliases++
    if (first === ':' || first === '?') keys++
    if (inPrefix && flow === 0 && first !== ' ' && first !== '\t' && first !== '\n' && first !== '\r' && first !== '#') {
      const column = at - lineStart
      while (columns.length > 0 && columns[columns.length - 1]! >= column) columns.pop()
      columns.push(column)
      inPrefix = token === '-' || token === '?' || token === ':'
    }
    if (flow + columns.length > LIMITS.depth) return [excessive(source, at, 'too much nesting', `${LIMITS.depth} levels`)]
    if (aliases > LIMITS.aliases) return [excessive(source, at, 'too many aliases', `${LIMITS.aliases}`)]
    if (keys > LIMITS.keys) return [excessive(source, at, 'too many keys', `${LIMITS.keys}`)]
    const newline = token.lastIndexOf('\n')
    if (newline >= 0) {
      lineStart = at + newline + 1
      inPrefix = true
    }
  }
  return null
}

export function excessive(source: Source, at: number, what: string, limit: string): Diagnostic {
  return {
    severity: 'error',
    code: 'SPEC_YAML_EXCESSIVE',
    what: `The file has ${what}; at most ${limit} ${/\d$/.test(limit) ? 'are' : 'is'} read`,
    why: 'such files can stop a parser',
    fix: 'Write it flatter or shorter.',
    at: positionOf(source, [at, at + 1]),
  }
}

export function unsupported(source: Source, start: number, end: number, what: string): Diagnostic {
  return {
    severity: 'error',
    code: 'SPEC_YAML_UNSUPPORTED',
    what: `${what} is not read here`,
    why: 'the same text would mean different things to different readers',
    fix: 'Write the value out plainly.',
    at: positionOf(source, [start, end]),
  }
}
