import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const CSS = readFileSync(join(import.meta.dirname, '../../web/src/theme/tokens.css'), 'utf8')
const TEXT = 4.5
const MARK = 3

/** Pairs of the pages: text on what it stands on 4.5, marks and borders of controls 3. */
const PAIRS: [string, string, number][] = [
  ...['bg', 'surface', 'hover', 'quiet', 'quiet-hover'].map((ground): [string, string, number] => ['text', ground, TEXT]),
  ...['bg', 'surface', 'hover', 'quiet', 'bad-chip'].map((ground): [string, string, number] => ['muted', ground, TEXT]),
  ...['bg', 'surface', 'hover'].map((ground): [string, string, number] => ['accent', ground, TEXT]),
  ...['ok', 'warn', 'bad', 'wait', 'off', 'run'].flatMap((family): [string, string, number][] => [
    [family, `${family}-chip`, TEXT],
    [family, 'bg', TEXT],
    [family, 'surface', TEXT],
  ]),
  ['on', 'accent', TEXT],
  ['on', 'accent-hover', TEXT],
  ['text', 'bad-chip', TEXT],
  ['text', 'segment', TEXT],
  ['border-control', 'bg', MARK],
  ['border-control', 'surface', MARK],
  ['focus', 'bg', MARK],
  ['focus', 'surface', MARK],
  ...['mark-ok', 'mark-warn', 'mark-bad', 'mark-off'].flatMap((mark): [string, string, number][] => [
    [mark, 'bg', MARK],
    [mark, 'surface', MARK],
  ]),
  ['gantt-ok', 'bg', MARK],
  ['gantt-ok', 'band', MARK],
  ['bad', 'band', MARK],
  ['accent', 'band', MARK],
]

for (const scheme of ['light', 'dark'] as const)
  test(`colour tokens keep their contrast: ${scheme}`, () => {
    const tokens = readTokens(scheme)
    const low = PAIRS.map(([front, back, least]) => ({
      pair: `${front} on ${back}`,
      ratio: contrast(tokens[front], tokens[back]),
      least,
    }))
    assert.deepEqual(
      low.filter(({ ratio, least }) => !(ratio >= least)),
      [],
    )
  })

function readTokens(scheme: 'light' | 'dark'): Record<string, string> {
  const blocks = [...CSS.matchAll(/^:root(\[data-mantine-color-scheme="dark"\])? \{([^}]*)\}/gm)]
  const wanted = blocks.filter(([, dark]) => scheme === 'dark' || !dark)
  return Object.fromEntries(
    wanted.flatMap(([, , body]) => [...body!.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((match) => [match[1], match[2]])),
  )
}

function contrast(a: string | undefined, b: string | undefined): number {
  if (!a || !b) return Number.NaN
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return Math.round(((light! + 0.05) / (dark! + 0.05)) * 100) / 100
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
