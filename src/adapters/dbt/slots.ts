export type Slots = {
  /** Waits for a free slot, first come first served; null when the signal came first. */
  take(signal: AbortSignal): Promise<{ give(): void } | null>
}

/** At most `count` holders at once. */
export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = []
  let free = count

  function give(): void {
    const next = waiting.shift()
    if (next) next()
    else free++
  }

  /** One holder gives back once, however often it says so. */
  function hold(): { give(): void } {
    let held = true
    return {
      give() {
        if (held) give()
        held = false
      },
    }
  }

  return {
    async take(signal) {
      if (signal.aborted) return null
      if (free > 0) {
        free--
        return hold()
      }
      return await new Promise((resolve) => {
        const start = () => {
          signal.removeEventListener('abort', leave)
          resolve(hold())
        }
        const leave = () => {
          waiting.splice(waiting.indexOf(start), 1)
          resolve(null)
        }
        waiting.push(start)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
  }
}
