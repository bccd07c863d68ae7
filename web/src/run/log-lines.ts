import type { RunEvent } from '../api/types.ts'
import type { LogSearch } from './log-search.ts'

export type Level = 'info' | 'warn' | 'error'
/** `number` counts lines of the whole log from 1, whatever is filtered. */
export type LogLine = { number: number; at: string; level: Level; step: string | null; text: string }

/** The lines of one event; a text of several lines is several lines. */
export function linesOf(event: RunEvent, from: number): LogLine[] {
  if (event.kind !== 'log') return []
  const level = event.data.level === 'warn' || event.data.level === 'error' ? event.data.level : 'info'
  return String(event.data.text ?? '')
    .replace(/\n+$/, '')
    .split('\n')
    .map((text, index) => ({ number: from + index, at: event.at, level, step: event.step, text }))
}

export function firstError(lines: readonly LogLine[]): LogLine | null {
  return lines.find((line) => line.level === 'error') ?? null
}

export function filterLines(lines: readonly LogLine[], { step, level, q }: LogSearch): readonly LogLine[] {
  const wanted = q?.toLowerCase()
  if (!step && !level && !wanted) return lines
  return lines.filter(
    (line) =>
      (!step || line.step === step) &&
      (!level || line.level === 'error' || (level === 'warn' && line.level === 'warn')) &&
      (!wanted || line.text.toLowerCase().includes(wanted)),
  )
}
