import { cleanLine, count, glyph, paint, type Style, wrap } from './style.ts'

type ShownCheck = { name: string; state: 'ok' | 'warn' | 'fail'; detail: string; fix?: string }

const FAMILY = { ok: 'ok', warn: 'warn', fail: 'bad' } as const

/** One line for each check, with its fix below where it is not ok, and the count. */
export function renderChecks(checks: readonly ShownCheck[], style: Style): string[] {
  const column = Math.max(...checks.map(({ name }) => name.length)) + 2
  const indent = 6 + column
  const lines = checks.flatMap(({ name, state, detail, fix }) => {
    const [first = '', ...more] = wrap(cleanLine(detail), style.width - indent)
    const mark = paint(style, FAMILY[state], glyph(FAMILY[state]).padEnd(6))
    const fixes = fix === undefined ? [] : wrap(`fix: ${fix}`, style.width - 6)
    return [
      `${mark}${name.padEnd(column)}${first}`,
      ...more.map((line) => ' '.repeat(indent) + line),
      ...fixes.map((line) => `      ${line}`),
    ]
  })
  const failed = checks.filter(({ state }) => state === 'fail').length
  const warned = checks.filter(({ state }) => state === 'warn').length
  return [...lines, failed + warned === 0 ? 'Everything is in order.' : `${failed} failed, ${count(warned, 'warning')}.`]
}
