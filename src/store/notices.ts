import pg from 'pg'
import type { ControlConnection } from './control.ts'

/** LISTEN on one connection of its own that comes back when it is lost. A notice is a hint: whoever waits also polls. */
export type Notices = {
  on(channel: 'heddle_run' | 'heddle_event', handle: (payload: string) => void): () => void
  close(): Promise<void>
}

const RETRY_MS = 500

export async function openNotices(connection: ControlConnection, log: (line: string) => void): Promise<Notices> {
  const handlers = new Map<string, Set<(payload: string) => void>>([
    ['heddle_run', new Set()],
    ['heddle_event', new Set()],
  ])
  let client: pg.Client | null = null
  let closed = false
  let waiting = false

  async function connect(): Promise<void> {
    const next = new pg.Client({ ...connection, application_name: 'heddle-notices' })
    next.on('error', () => {})
    next.on('end', retry)
    await next.connect()
    client = next
    next.on('notification', ({ channel, payload }) => {
      for (const handle of handlers.get(channel) ?? []) handle(payload ?? '')
    })
    for (const channel of handlers.keys()) await next.query(`listen ${channel}`)
    // What was missed while away is found by waking everyone.
    for (const each of handlers.values()) for (const handle of each) handle('')
  }

  /** A failed connection says so twice, by its end and by its promise: one try follows. */
  function retry(): void {
    if (waiting) return
    waiting = true
    setTimeout(() => {
      waiting = false
      if (closed) return
      connect().catch((error: Error) => {
        log(`notices: ${error.message}; trying again`)
        retry()
      })
    }, RETRY_MS).unref()
  }

  await connect()
  return {
    on(channel, handle) {
      handlers.get(channel)!.add(handle)
      return () => handlers.get(channel)!.delete(handle)
    },
    async close() {
      closed = true
      await client?.end().catch(() => {})
    },
  }
}
