import { paint, type Style, wrap } from './style.ts'

/** `label  value` lines with the labels in one column; facts without a value are left out. */
export function renderFacts(
  facts: readonly (readonly [label: string, value: string | null | undefined])[],
  style: Style,
): string[] {
  const present = facts.filter(
    (fact): fact is readonly [string, string] => fact[1] !== null && fact[1] !== undefined && fact[1] !== '',
  )
  const column = Math.max(...present.map(([label]) => label.length)) + 2
  return present.flatMap(([label, value]) =>
    wrap(value, style.width - column).map(
      (line, at) => (at === 0 ? paint(style, 'muted', label.padEnd(column)) : ' '.repeat(column)) + line,
    ),
  )
}
