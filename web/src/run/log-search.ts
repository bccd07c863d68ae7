export type LogLevel = 'all' | 'warn' | 'error'
export type LogSearch = {
  step?: string | undefined
  level?: LogLevel | undefined
  q?: string | undefined
  line?: number | undefined
}

/** What of the log is shown lives in the address, so that a link opens the same lines. */
export function readLogSearch(search: Record<string, unknown>): LogSearch {
  const line = Number(search.line)
  return {
    step: typeof search.step === 'string' && search.step ? search.step : undefined,
    level: search.level === 'warn' || search.level === 'error' ? search.level : undefined,
    q: typeof search.q === 'string' && search.q ? search.q : typeof search.q === 'number' ? String(search.q) : undefined,
    line: Number.isInteger(line) && line > 0 ? line : undefined,
  }
}
