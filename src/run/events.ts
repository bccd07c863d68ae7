import { sql } from 'kysely'
import { type Control, json } from '../store/control.ts'

export type RunEventKind = 'state' | 'step' | 'log' | 'node' | 'progress' | 'end'
export type RunEvents = {
  emit(step: string | null, kind: RunEventKind, data: Record<string, unknown>): void
  flush(): Promise<void>
}

const FLUSH_MS = 40
const MAX_TEXT = 4_000

/** Events of one run, written in order and in small batches; losing the last 40 ms of a log in a crash is accepted, the journal is elsewhere. */
export function createRunEvents(control: Control, run: string, log: (line: string) => void): RunEvents {
  let waiting: { run: string; step: string | null; kind: string; data: string; at: Date }[] = []
  let timer: NodeJS.Timeout | null = null
  let writing: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    if (timer) clearTimeout(timer)
    timer = null
    if (waiting.length === 0) return writing
    const batch = waiting
    waiting = []
    writing = writing.then(async () => {
      try {
        await control.db.insertInto('event').values(batch).execute()
        await sql`select pg_notify('heddle_event', ${run})`.execute(control.db)
      } catch (error) {
        log(`run ${run}: ${batch.length} events were not written: ${(error as Error).message}`)
      }
    })
    return writing
  }

  return {
    emit(step, kind, data) {
      const text =
        typeof data.text === 'string' && data.text.length > MAX_TEXT ? { text: `${data.text.slice(0, MAX_TEXT)} … (cut)` } : {}
      waiting.push({ run, step, kind, data: json({ ...data, ...text }), at: new Date() })
      timer ??= setTimeout(() => void flush(), FLUSH_MS)
    },
    flush,
  }
}
