import { createContext, use, useEffect, useSyncExternalStore } from 'react'

/** How fresh the page is: pushed by a stream, asked every 15 s, or not at all. */
export type LiveState = 'stream' | 'poll' | 'paused'

export type Live = { subscribe: (listener: () => void) => () => void; read: () => LiveState; set: (state: LiveState) => void }

export function createLive(): Live {
  let state: LiveState = 'poll'
  const listeners = new Set<() => void>()
  return {
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    read: () => state,
    set: (next) => {
      if (next === state) return
      state = next
      for (const listener of listeners) listener()
    },
  }
}

export const LiveContext = createContext<Live>(createLive())

export function useLiveState(): LiveState {
  const live = use(LiveContext)
  return useSyncExternalStore(live.subscribe, live.read)
}

/** A page with a stream says how that is; leaving the page goes back to asking. */
export function useReportLive(state: LiveState): void {
  const live = use(LiveContext)
  useEffect(() => {
    live.set(state)
    return () => live.set('poll')
  }, [live, state])
}
