import { randomBytes } from 'node:crypto'
import type { TransformationEvent } from '../../platform/transformation.ts'
import type { ForkEnd, ForkServer } from './fork-server.ts'
import type { JobConnection, JobListener } from './job-listener.ts'
import type { JobRequest } from './job-request.ts'
import { parseRawEvent, type RawDone, type RawEvent, type RawNodeFinished, toTransformationEvent } from './raw-event.ts'

/** Why we ended a job, when it did not end by itself. */
export type Ending = 'cancelled' | 'timeout' | 'silent' | 'flood'
/** All that is known when a job is over. `failed` are the nodes that did not succeed, with dbt's own texts. */
export type JobEnd = { done: RawDone | null; ending: Ending | null; fork: ForkEnd; failed: RawNodeFinished[] }

export type WatchLimits = { timeoutMs: number; silenceMs: number; startMs: number; graceMs: number }

/** Text one job may send before it is ended, and log lines that are passed on. */
const MAX_TEXT = 64 * 2 ** 20
const MAX_LOG_LINES = 2_000
/** A job that uses the processor works. Its heartbeat alone uses less. */
const WORK_CPU_SECONDS = 0.05
/** A server that has not reaped a child this long after SIGKILL does not answer. */
const REAP_MS = 5_000

/**
 * Forks one job and stays with it to its end. Signs of life are: an event of dbt, processor time, or a statement in the database (which has its own
 * time limit). A process without any for `silenceMs` hangs, as a fork with foreign native threads does (it stops the heartbeat too), and is killed.
 */
export function watchJob(job: {
  key: string
  uid: number | null
  request: JobRequest
  server: ForkServer
  listener: JobListener
  limits: WatchLimits
  signal: AbortSignal
  onEvent(event: TransformationEvent): void
}): Promise<JobEnd> {
  const { key, server, listener, limits, signal, onEvent } = job
  return new Promise((resolve) => {
    let pid = 0
    let connection: JobConnection | null = null
    let ending: Ending | null = null
    let done: RawDone | null = null
    let fork: ForkEnd | null = null
    let [received, logLines, cpuAtSign, signAt] = [0, 0, 0, performance.now()]
    const failed: RawNodeFinished[] = []
    const timers = new Set<NodeJS.Timeout>()
    const after = (ms: number, act: () => void) => void timers.add(setTimeout(act, ms))

    const token = randomBytes(16).toString('hex')
    listener.expect(key, { token, onOpen, onLine, onClose: finish })
    after(limits.timeoutMs, () => end('timeout', 'INT'))
    const starting = setTimeout(() => end('silent', 'KILL'), limits.startMs)
    timers.add(starting)
    const watchdog = setInterval(
      () => performance.now() - signAt > limits.silenceMs && end('silent', 'KILL'),
      limits.silenceMs / 8,
    )
    const cancel = () => end('cancelled', 'INT')
    signal.addEventListener('abort', cancel, { once: true })
    if (signal.aborted) cancel()
    // Last: a server that is gone says so at once.
    server.run({ key, token, uid: job.uid }, { onForked, onEnd })

    function onForked(forked: number): void {
      pid = forked
      begin()
      // A signal sent before the fork found nobody.
      if (ending) server.signal(key, 'KILL')
    }

    function onOpen(opened: JobConnection): void {
      connection = opened
      begin()
    }

    /** The two words of a new job come by two ways: it gets its request when its number is known, too. */
    function begin(): void {
      if (pid !== 0 && connection) connection.send(JSON.stringify(job.request))
    }

    function onLine(line: string): void {
      received += line.length
      if (received > MAX_TEXT) end('flood', 'KILL')
      const event = ending === 'flood' ? null : parseRawEvent(line)
      if (!event || done) return
      if (isSign(event)) signAt = performance.now()
      if (event.event === 'started') clearTimeout(starting)
      if (event.event === 'done') done = event
      if (event.event === 'node-finished' && ['error', 'fail', 'warn', 'runtime error', 'partial success'].includes(event.status))
        failed.push(event)
      if (event.event === 'log' && ++logLines > MAX_LOG_LINES) truncate()
      else show(event)
    }

    function show(event: RawEvent): void {
      const shown = toTransformationEvent(event, pid)
      if (shown) onEvent(shown)
    }

    function isSign(event: RawEvent): boolean {
      if (event.event !== 'alive') return true
      if (event.statements === 0 && event.cpu - cpuAtSign < WORK_CPU_SECONDS) return false
      cpuAtSign = event.cpu
      return true
    }

    function truncate(): void {
      if (logLines === MAX_LOG_LINES + 1)
        onEvent({ kind: 'log', level: 'warn', text: `The log is cut here, after ${MAX_LOG_LINES} lines.` })
    }

    function end(why: Ending, how: 'INT' | 'KILL'): void {
      if (ending || fork) return
      ending = why
      server.signal(key, how)
      if (how === 'INT') after(limits.graceMs, () => server.signal(key, 'KILL'))
      after((how === 'INT' ? limits.graceMs : 0) + REAP_MS, () => server.kill())
    }

    function onEnd(ended: ForkEnd): void {
      fork = ended
      // Events still on their way are read first; a process that outlives the job may hold the connection.
      if (connection) after(ended.serverGone ? 2_000 : 500, () => connection?.destroy())
      else finish()
    }

    function finish(): void {
      connection = null
      // The connection ends a moment before the parent has seen how.
      if (!fork) return
      for (const timer of timers) clearTimeout(timer)
      clearInterval(watchdog)
      signal.removeEventListener('abort', cancel)
      listener.forget(key)
      resolve({ done, ending, fork, failed })
    }
  })
}
