import { API, identityHeaders } from './call.ts'
import { readFailure } from './failure.ts'
import type { RunEvent } from './types.ts'

export type StreamState = 'connecting' | 'live' | 'broken' | 'ended'

/** Splits a stream of text into the `data` of its server-sent events; keeps what is not complete yet. */
export function createEventParser(onData: (data: string, name: string | null) => void) {
  let rest = ''
  return (chunk: string) => {
    const blocks = (rest + chunk).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\n')
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).replace(/^ /, ''))
      const name = lines.find((line) => line.startsWith('event:'))
      if (data.length) onData(data.join('\n'), name ? name.slice(6).trim() : null)
    }
  }
}

/**
 * Reads the events of a run until its end, connecting again from the last one seen. Not an EventSource, because that cannot say who the reader looks as.
 */
export async function readRunEvents(
  run: number,
  {
    after,
    signal,
    onEvent,
    onState,
  }: { after: number; signal: AbortSignal; onEvent: (event: RunEvent) => void; onState: (state: StreamState) => void },
): Promise<void> {
  let last = after
  let pause = 500
  while (!signal.aborted) {
    let ended = false
    try {
      const response = await fetch(`${API}/runs/${run}/events`, {
        credentials: 'same-origin',
        headers: { accept: 'text/event-stream', ...identityHeaders(), ...(last ? { 'last-event-id': String(last) } : {}) },
        signal,
      })
      if (!response.ok || !response.body) throw await readFailure(response)
      onState('live')
      pause = 500
      const parse = createEventParser((data) => {
        const event = JSON.parse(data) as RunEvent
        // The end is the server's own word and carries the id of the event before it.
        if (event.kind !== 'end' && event.id <= last) return
        last = Math.max(last, event.id)
        onEvent(event)
        if (event.kind === 'end') ended = true
      })
      const text = response.body
        .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>)
        .getReader()
      while (!ended) {
        const { done, value } = await text.read()
        if (done) break
        parse(value)
      }
      await text.cancel()
    } catch {
      if (signal.aborted) return
    }
    if (ended) return onState('ended')
    onState('broken')
    await new Promise((resolve) => setTimeout(resolve, pause))
    pause = Math.min(pause * 2, 5_000)
  }
}
