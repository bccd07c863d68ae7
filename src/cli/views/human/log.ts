import type { RunEvent } from '../../../client/types.ts'
import { clean, paint, type Style } from './style.ts'
import { showMoment } from './time.ts'

const LEVEL_TOKEN: Record<string, 'bad' | 'warn'> = { error: 'bad', warn: 'warn' }

/** One event of a log as one or more lines, or none where the event is only for progress. */
export function renderLogLines(event: RunEvent, style: Style): string[] {
  const text = event.data.text
  if (event.kind !== 'log' || typeof text !== 'string') return []
  const level = typeof event.data.level === 'string' ? event.data.level : 'info'
  const head = `${paint(style, 'muted', showMoment(event.at, style))}  ${event.step === null ? '' : `${clean(event.step)}  `}`
  const token = LEVEL_TOKEN[level]
  return clean(text)
    .split('\n')
    .map((line) => `${head}${token ? paint(style, token, `${level}: ${line}`) : line}`)
}
