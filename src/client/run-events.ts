import { HeddleError } from '../core/fail.ts'
import { isClientError, unreachable } from './client-error.ts'
import { readServerSent } from './server-sent.ts'
import type { RunEvent } from './types.ts'

export type EventOptions = {
  /** resume behind this event */
  after?: number
  signal?: AbortSignal
  /** first pause before a lost stream is opened again, in ms; doubles up to 5 s; default 250 */
  retryMs?: number
  /** how long a lost server is waited for, in ms; default 60000 */
  giveUpMs?: number
  /** a stream without any sign of life for so long is taken for lost, in ms; default 45000 */
  silentMs?: number
}

type Open = (lastEventId: number | null, signal: AbortSignal) => Promise<Response>

/**
 * The events of one run until its `end`. A lost stream is opened again behind the last event seen, so none comes twice and none is missed.
 * @throws what the first opening throws; CLIENT_SERVER_UNREACHABLE when a lost server stays away. Ends silently when `signal` aborts.
 */
export async function* runEvents(open: Open, options: EventOptions = {}): AsyncGenerator<RunEvent> {
  const { signal, retryMs = 250, giveUpMs = 60_000, silentMs = 45_000 } = options
  let last = options.after ?? null
  let wasOpen = false
  let lostSince: number | null = null
  let pause = retryMs
  while (!signal?.aborted) {
    const attempt = new AbortController()
    const stop = () => attempt.abort()
    signal?.addEventListener('abort', stop)
    let silence = setTimeout(stop, silentMs)
    try {
      const response = await open(last, attempt.signal)
      wasOpen = true
      for await (const sent of readServerSent(response.body!)) {
        clearTimeout(silence)
        silence = setTimeout(stop, silentMs)
        lostSince = null
        pause = retryMs
        if (!sent) continue
        const event = JSON.parse(sent.data) as RunEvent
        last = event.id
        yield event
        if (event.kind === 'end') return
      }
    } catch (error) {
      if (signal?.aborted) return
      // A refusal with a reason stays a refusal; only a server that went away comes back.
      if (!wasOpen || (isClientError(error) && error.status < 500)) throw error
      if (lostSince !== null && performance.now() - lostSince > giveUpMs)
        throw error instanceof HeddleError ? error : unreachable('the event stream', error)
    } finally {
      clearTimeout(silence)
      signal?.removeEventListener('abort', stop)
      attempt.abort()
    }
    lostSince ??= performance.now()
    await delay(pause, signal)
    pause = Math.min(pause * 2, 5_000)
  }
}

function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
  })
}
