/** One holder at a time for each key, in the order they came. */
export type Turns = { enter(key: string): { ready: Promise<void>; leave(): void } }

/** `leave` may be called before it is one's turn, and twice. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>()
  return {
    enter(key) {
      const ready = last.get(key) ?? Promise.resolve()
      const { promise: left, resolve: leave } = Promise.withResolvers<void>()
      const end = ready.then(() => left)
      last.set(key, end)
      void end.then(() => {
        if (last.get(key) === end) last.delete(key)
      })
      return { ready, leave }
    },
  }
}
