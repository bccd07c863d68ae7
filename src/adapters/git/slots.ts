/** At most `count` holders at once, the rest in line. */
export type Slots = {
  /** @returns the way to give the slot back, or null when the line is full, the wait was too long or the signal fired */
  take(signal: AbortSignal): Promise<(() => void) | null>
}

export function createSlots(count: number, line: { length: number; waitMs: number }): Slots {
  let free = count
  const waiting: (() => void)[] = []
  const giveBack = () => {
    let given = false
    return () => {
      if (given) return
      given = true
      free += 1
      waiting.shift()?.()
    }
  }
  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(null)
      if (free > 0) {
        free -= 1
        return Promise.resolve(giveBack())
      }
      if (waiting.length >= line.length) return Promise.resolve(null)
      return new Promise((resolve) => {
        const settle = (slot: (() => void) | null) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', leave)
          const place = waiting.indexOf(enter)
          if (place >= 0) waiting.splice(place, 1)
          resolve(slot)
        }
        const enter = () => {
          free -= 1
          settle(giveBack())
        }
        const leave = () => settle(null)
        const timer = setTimeout(leave, line.waitMs)
        signal.addEventListener('abort', leave, { once: true })
        waiting.push(enter)
      })
    },
  }
}
