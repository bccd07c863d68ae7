import type { Diagnostic } from '../core/diagnostic.ts'
import { ERRORS } from '../core/errors.ts'

const EXCERPT_WIDTH = 100

export type FormatOptions = { limit?: number; colour?: boolean }

/**
 * Diagnostics as people read them in a terminal: place, code and problem, the source with a caret, why, fix; '' when there are none.
 * @param texts the files' texts by name, for the excerpts; a file that is absent here gets none
 * @example formatDiagnostics(diagnostics, { 'data_product_spec.yml': text }) → data_product_spec.yml:41:20 error[CORE_DURATION_INVALID] threshold is "24 hrs" …
 */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  texts: Readonly<Record<string, string>>,
  { limit = 50, colour = false }: FormatOptions = {},
): string {
  const lines: string[] = []
  const split = new Map(Object.entries(texts).map(([file, text]) => [file, text.split(/\r?\n/)]))
  for (const { severity, code, what, why, fix, at } of diagnostics.slice(0, limit)) {
    const place = at ? `${clean(at.file)}:${at.line}:${at.column} ` : ''
    const label = `${severity}[${code}]`
    lines.push(`${place}${colour ? paint(severity, label) : label} ${clean(what)}`)
    const source = at && split.get(at.file)
    if (at && source) lines.push(...excerpt(source, at))
    if (why) lines.push(`   why  ${clean(why)}`)
    lines.push(`   fix  ${clean(fix ?? ERRORS[code].remedy)}`)
  }
  if (diagnostics.length > limit) lines.push(`… and ${diagnostics.length - limit} more`)
  return lines.join('\n')
}

/** `2 errors, 0 warnings in 2 files` */
export function summariseDiagnostics(diagnostics: readonly Diagnostic[], files: number): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length
  const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
  return `${count(errors, 'error')}, ${count(diagnostics.length - errors, 'warning')} in ${count(files, 'file')}`
}

/** The line, the one before for company, and a caret below the place. */
function excerpt(source: string[], at: NonNullable<Diagnostic['at']>): string[] {
  const line = source[at.line - 1]
  if (line === undefined) return []
  // A long line is shown around the column, so the caret stays in sight.
  const from = at.column > EXCERPT_WIDTH - 20 ? at.column - 40 : 1
  const shown = clean(line.slice(from - 1, from - 1 + EXCERPT_WIDTH))
  const cut = from > 1 ? '…' : ''
  const indent = cut.length + at.column - from
  const width = Math.max(1, Math.min((at.endColumn ?? at.column + 1) - at.column, EXCERPT_WIDTH - (at.column - from)))
  const gutter = (n: number | null) => `${n === null ? '' : n}`.padStart(5)
  const before = at.line > 1 ? source[at.line - 2] : undefined
  return [
    ...(before?.trim() && from === 1 ? [`${gutter(at.line - 1)} | ${clean(before.slice(0, EXCERPT_WIDTH))}`] : []),
    `${gutter(at.line)} | ${cut}${shown}`,
    `${gutter(null)} | ${' '.repeat(indent)}${'^'.repeat(width)}`,
  ]
}

/** Text from a spec must not move the cursor, colour the terminal or turn the line of who reads it around. */
const UNSAFE = /[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu

function clean(text: string): string {
  return text.replaceAll('\t', ' ').replace(UNSAFE, '\ufffd')
}

function paint(severity: Diagnostic['severity'], label: string): string {
  return `\u001b[${severity === 'error' ? 31 : 33}m${label}\u001b[0m`
}
