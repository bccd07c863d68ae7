import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { readRunEvents, type StreamState } from '../api/event-stream.ts'
import { runQuery } from '../api/queries.ts'
import type { Run, RunEvent } from '../api/types.ts'
import { type LogLine, linesOf } from './log-lines.ts'
import { applyEvent } from './run-state.ts'

export type RunStream = { lines: readonly LogLine[]; state: StreamState }

/** How often a burst of events is put on the page, and how often the full run is asked for behind it. */
const PAINT_MS = 100
const REFETCH_MS = 1_000

/** The log and the changes of one run as they happen. `attempt` starts the stream again, where it was, after a retry. */
export function useRunStream(number: number, attempt: number): RunStream {
  const client = useQueryClient()
  const [shown, setShown] = useState<RunStream>({ lines: [], state: 'connecting' })
  const kept = useRef<{ number: number; lines: LogLine[]; last: number }>({ number, lines: [], last: 0 })
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt listens again
  useEffect(() => {
    if (kept.current.number !== number) kept.current = { number, lines: [], last: 0 }
    const log = kept.current
    const stop = new AbortController()
    const { queryKey } = runQuery(number)
    let state: StreamState = 'connecting'
    let waiting: RunEvent[] = []
    let paint: ReturnType<typeof setTimeout> | undefined
    let refetch: ReturnType<typeof setTimeout> | undefined
    const paintNow = () => {
      paint = undefined
      const events = waiting
      waiting = []
      client.setQueryData<Run>(queryKey, (run) => run && events.reduce(applyEvent, run))
      setShown({ lines: log.lines.slice(), state })
    }
    const paintSoon = () => {
      paint ??= setTimeout(paintNow, PAINT_MS)
    }
    const askAgain = (wait: number) => {
      refetch ??= setTimeout(() => {
        refetch = undefined
        void client.invalidateQueries({ queryKey })
      }, wait)
    }
    void readRunEvents(number, {
      after: log.last,
      signal: stop.signal,
      onEvent: (event) => {
        log.last = Math.max(log.last, event.id)
        log.lines.push(...linesOf(event, log.lines.length + 1))
        if (event.kind !== 'log') {
          waiting.push(event)
          askAgain(event.kind === 'end' ? 0 : REFETCH_MS)
        }
        paintSoon()
      },
      onState: (next) => {
        state = next
        paintSoon()
      },
    })
    return () => {
      stop.abort()
      clearTimeout(paint)
      clearTimeout(refetch)
    }
  }, [client, number, attempt])
  return shown
}
