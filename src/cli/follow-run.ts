import type { Client } from '../client/client.ts'
import type { Run, RunEvent } from '../client/types.ts'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { createPainter } from './painter.ts'
import { ENDED, type Progress, renderChanges, renderProgress, renderRunEnd } from './views/human/run.ts'

/** How following ended; the run itself goes on in every case but `ended`. */
type Followed = { run: Run; outcome: 'ended' | 'waiting' | 'timeout' | 'detached' }

const REFRESH_MS = 60
const REPAINT_MS = 200
const HEARTBEAT_MS = 30_000

/**
 * Follows a run to its end on stderr: a repainted block on a terminal, one line for each change elsewhere; with `--json` its events on stdout. The events
 * only say when to look; what is shown is the run as the server answers it, so a missed or repeated event cannot show a false state.
 */
export async function followRun(context: Context, number: number): Promise<Followed> {
  const client = await context.client()
  const { io, flags } = context
  const live = io.isTty.stderr && !flags.json && !flags.quiet && !io.env.CI && io.env.TERM !== 'dumb' && (io.columns ?? 80) >= 60
  const painter = createPainter(io.stderr)
  const stop = new AbortController()
  const progress = new Map<string, Progress>()
  let why: 'waiting' | 'timeout' | 'detached' | null = null
  let shown: Run | null = null
  let run = await client.run(number)
  let lastLine = performance.now()

  function end(outcome: NonNullable<typeof why>): void {
    why ??= outcome
    stop.abort()
  }

  function show(): void {
    if (live) {
      painter.paint(renderProgress(run, progress, context.progressStyle()))
      return
    }
    const lines = renderChanges(shown, run, context.progressStyle())
    if (lines.length === 0 && performance.now() - lastLine < HEARTBEAT_MS) return
    lastLine = performance.now()
    const silent = `  still ${run.state}${run.step === null ? '' : `, ${run.step}`}`
    context.note(() => (lines.length > 0 ? lines : [silent]))
    shown = run
  }

  const refresh = coalesce(REFRESH_MS, async () => {
    run = await client.run(number)
    show()
    if (run.state === 'waiting' && flags.wait !== true) end('waiting')
  })

  const timeout = flags.timeoutMs === undefined ? undefined : setTimeout(() => end('timeout'), flags.timeoutMs)
  const ticker = setInterval(show, live ? REPAINT_MS : HEARTBEAT_MS)
  const release = io.onInterrupt(() => end('detached'))
  try {
    show()
    if (run.state === 'waiting' && flags.wait !== true) end('waiting')
    let last: number | undefined
    // A retried run has an `end` of its earlier attempt among its events, so only the state of the run says that it is over.
    while (!stop.signal.aborted && !ENDED.has(run.state)) {
      for await (const event of client.runEvents(number, { signal: stop.signal, ...(last !== undefined && { after: last }) })) {
        last = event.id
        context.stream({ type: 'event', ...event })
        noteProgress(event, progress)
        if (event.kind !== 'log') refresh.soon()
      }
      await refresh.now()
      if (!ENDED.has(run.state)) await new Promise((resolve) => setTimeout(resolve, REPAINT_MS))
    }
  } finally {
    clearTimeout(timeout)
    clearInterval(ticker)
    release()
    await refresh.settled()
  }
  const outcome = ENDED.has(run.state) ? 'ended' : (why ?? 'detached')
  if (live) show()
  return { run, outcome }
}

/** The end of a verb that followed a run: its last lines and its exit code. */
export function finishRun(
  context: Context,
  { run, outcome }: Followed,
  more: { value?: Record<string, unknown>; next?: string[] } = {},
): number {
  const code = exitCodeOfRun({ run, outcome })
  context.print({ type: 'result', outcome, ...more.value, run }, (style) => {
    if (outcome === 'ended') return [...renderRunEnd(run, style), ...(run.state === 'succeeded' ? (more.next ?? []) : [])]
    return renderDetached({ run, outcome })
  })
  return code
}

export function exitCodeOfRun({ run, outcome }: Followed): number {
  if (outcome === 'ended') return run.state === 'succeeded' ? EXIT.ok : EXIT.runFailed
  return outcome === 'detached' ? EXIT.interrupted : EXIT.waiting
}

/** What to type after following stopped before the run did. */
export function renderDetached({ run, outcome }: Followed): string[] {
  const reattach = `heddle logs ${run.number} -f`
  if (outcome === 'waiting') {
    if (run.approvers.length === 0)
      return [`Run ${run.number} waits until it may read its inputs.`, `  Next  heddle request ls   |   ${reattach}`]
    const approvers = run.approvers.length > 0 ? ` of ${run.approvers.join(' or ')}` : ''
    return [`Run ${run.number} waits for the approval${approvers}.`, `  Next  heddle approve run ${run.number}   |   ${reattach}`]
  }
  const why = outcome === 'timeout' ? 'is not over in the time given' : 'goes on without you'
  return [`Run ${run.number} ${why}.`, `  Next  ${reattach}   |   heddle cancel ${run.number}`]
}

function noteProgress(event: RunEvent, progress: Map<string, Progress>): void {
  const { done, total } = event.data
  if (event.kind === 'progress' && event.step !== null && typeof done === 'number' && typeof total === 'number')
    progress.set(event.step, { done, total })
}

/** Many wishes to refresh within `ms` are one refresh, and two never overlap: a burst of events costs one call. */
function coalesce(ms: number, refresh: () => Promise<void>) {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const now = () => {
    clearTimeout(timer)
    timer = undefined
    running = running.then(refresh)
    return running
  }
  return {
    now,
    soon() {
      // A refresh that fails while events still come is tried again at the next event; now() reports a failure that lasts.
      timer ??= setTimeout(() => {
        running = running.then(refresh).catch(() => undefined)
        timer = undefined
      }, ms)
    },
    async settled() {
      clearTimeout(timer)
      await running.catch(() => undefined)
    },
  }
}

/** Follows, or only says that the run was accepted, as the flags want. */
export async function followOrReport(
  context: Context,
  client: Client,
  number: number,
  habit: { waits: boolean },
): Promise<number> {
  if (context.flags.wait ?? habit.waits) return finishRun(context, await followRun(context, number))
  const run = await client.run(number)
  context.print({ type: 'result', outcome: 'accepted', run }, () => [
    `Run ${number} was accepted.`,
    `  Next  heddle logs ${number} -f   |   heddle cancel ${number}`,
  ])
  return EXIT.ok
}
