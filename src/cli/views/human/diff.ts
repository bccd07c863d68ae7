import { clean, paint, type Style } from './style.ts'

type Line = { mark: ' ' | '+' | '-'; text: string }

const CONTEXT = 1
const LIMIT = 40

/** What would change in a file: its name, then the changed lines with one line around them; a long change is cut and counted. */
export function renderDiff(file: string, before: string, after: string, style: Style): string[] {
  const lines = diff(before.split(/\r?\n/), after.split(/\r?\n/))
  const shown = lines.flatMap((line, i) => {
    const near = lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ mark }) => mark !== ' ')
    return near ? [line] : []
  })
  const cut = shown.length > LIMIT ? [paint(style, 'muted', `  … ${shown.length - LIMIT} more lines`)] : []
  return [paint(style, 'strong', file), ...shown.slice(0, LIMIT).map((line) => paintLine(line, style)), ...cut]
}

function paintLine({ mark, text }: Line, style: Style): string {
  const line = `  ${mark} ${clean(text)}`
  return mark === ' ' ? paint(style, 'muted', line) : paint(style, mark === '+' ? 'ok' : 'bad', line)
}

/** The longest common lines stay; what is equal at both ends is not compared. */
function diff(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++
  const kept = (lines: readonly string[]): Line[] => lines.map((text) => ({ mark: ' ', text }))
  return [
    ...kept(before.slice(0, start)),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...kept(before.slice(before.length - end)),
  ]
}

function middle(a: readonly string[], b: readonly string[]): Line[] {
  // Far apart: shown as one block, because comparing would take long and tell little.
  if (a.length * b.length > 4_000_000)
    return [...a.map((text): Line => ({ mark: '-', text })), ...b.map((text): Line => ({ mark: '+', text }))]
  const common: number[][] = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i]![j] = a[i] === b[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!)
  const lines: Line[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i]! })
      i++
      j++
    } else if (j >= b.length || (i < a.length && common[i + 1]![j]! >= common[i]![j + 1]!))
      lines.push({ mark: '-', text: a[i++]! })
    else lines.push({ mark: '+', text: b[j++]! })
  }
  return lines
}
