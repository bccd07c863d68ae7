import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../core/fail.ts'
import { redact } from './redact.ts'
import { splitLines } from './split-lines.ts'

/** How one forked job ended, as its parent saw it. */
export type ForkEnd = { code: number | null; signal: number | null; serverGone: boolean }
export type ForkHandlers = { onForked(pid: number): void; onEnd(end: ForkEnd): void }
export type Ready = { pid: number; seconds: number; landlock: number; dbt: string }

export type ForkServer = {
  /** Resolves when a job can be forked at once. @throws TRANSFORM_RUNTIME_BROKEN */
  ready(): Promise<Ready>
  run(request: { key: string; token: string; uid: number | null }, handlers: ForkHandlers): void
  signal(key: string, signal: 'INT' | 'KILL'): void
  /** Ends the server and with it every job: for a server that no longer answers. */
  kill(): void
  stop(): Promise<void>
}

type Message =
  | ({ op: 'ready' } & Ready)
  | { op: 'forked'; key: string; pid: number }
  | { op: 'refused'; key: string; reason: string }
  | { op: 'exited'; key: string; pid: number; code?: number; signal?: number }

const READY_MS = 60_000
const FIRST_DELAY_MS = 200
const MAX_DELAY_MS = 10_000
/** A server that stood this long was healthy: its next death starts the delays anew. */
const HEALTHY_MS = 60_000

/** Runs `python/fork_server.py` and starts it again when it dies. Its environment holds nothing of ours. */
export function createForkServer(deps: {
  python: string
  script: string
  socket: string
  scratch: string
  log(line: string): void
}): ForkServer {
  const jobs = new Map<string, ForkHandlers>()
  let child: ChildProcess | null = null
  let starting: Promise<Ready> | null = null
  let stopping = false
  let deaths = 0

  async function start(): Promise<Ready> {
    if (deaths > 0) await sleep(Math.min(FIRST_DELAY_MS * 2 ** (deaths - 1), MAX_DELAY_MS), undefined, { ref: false })
    if (stopping) throw fail('TRANSFORM_RUNTIME_BROKEN', 'The fork server is being stopped')
    const began = performance.now()
    const server = spawn(deps.python, ['-I', deps.script, deps.socket, deps.scratch], {
      env: {
        PATH: '/usr/bin:/bin',
        HOME: deps.scratch,
        LANG: 'C.UTF-8',
        TZ: 'UTC',
        DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
        DO_NOT_TRACK: '1',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child = server
    let failed: unknown = null
    let stood = false
    server.on('error', (error) => (failed = error))
    // A write to a server that just died; its exit is handled below.
    server.stdin.on('error', () => undefined)
    splitLines(server.stderr, (line) => deps.log(`dbt fork server: ${redact(line).slice(0, 500)}`))
    return new Promise<Ready>((resolve, reject) => {
      const timer = setTimeout(() => server.kill('SIGKILL'), READY_MS)
      splitLines(server.stdout, (line) => {
        const message = JSON.parse(line) as Message
        if (message.op !== 'ready') {
          hear(message)
          return
        }
        clearTimeout(timer)
        stood = true
        resolve(message)
      })
      server.on('close', (code, signal) => {
        clearTimeout(timer)
        lose(server, { stood, ms: performance.now() - began, how: failed ? 'not started' : (signal ?? `code ${code}`) })
        reject(
          fail('TRANSFORM_RUNTIME_BROKEN', {
            what: `The fork server ended before it was ready (${failed ? 'not started' : (signal ?? `code ${code}`)})`,
            cause: failed,
          }),
        )
      })
    })
  }

  function hear(message: Exclude<Message, { op: 'ready' }>): void {
    const job = jobs.get(message.key)
    if (message.op === 'forked') {
      job?.onForked(message.pid)
      return
    }
    jobs.delete(message.key)
    if (message.op === 'refused') deps.log(`dbt fork server refused a job: ${message.reason}`)
    const { code = null, signal = null } = message.op === 'exited' ? message : {}
    job?.onEnd({ code, signal, serverGone: false })
  }

  function lose(server: ChildProcess, { stood, ms, how }: { stood: boolean; ms: number; how: string }): void {
    if (child !== server) return
    child = null
    starting = null
    const lost = [...jobs.values()]
    jobs.clear()
    for (const job of lost) job.onEnd({ code: null, signal: null, serverGone: true })
    if (stopping) return
    deaths = stood && ms > HEALTHY_MS ? 1 : deaths + 1
    deps.log(`dbt fork server ended (${how}); ${lost.length} running jobs are lost${stood ? '; it starts again' : ''}`)
    // One that never stood will not stand by itself: the next job tries again.
    if (!stood) return
    void ready().then(
      (now) => deps.log(`dbt fork server is back, pid ${now.pid}, after ${now.seconds} s`),
      () => undefined,
    )
  }

  function ready(): Promise<Ready> {
    starting ??= start()
    return starting
  }

  const say = (message: object): void => void child?.stdin?.write(`${JSON.stringify(message)}\n`)

  return {
    ready,
    run(request, handlers) {
      if (!child) return handlers.onEnd({ code: null, signal: null, serverGone: true })
      jobs.set(request.key, handlers)
      say({ op: 'run', ...request })
    },
    signal: (key, signal) => say({ op: 'signal', key, signal }),
    kill: () => void child?.kill('SIGKILL'),
    async stop() {
      stopping = true
      const server = child
      if (!server) return
      const closed = once(server, 'close')
      server.stdin?.end()
      server.kill('SIGTERM')
      const timer = setTimeout(() => server.kill('SIGKILL'), 3_000)
      await closed
      clearTimeout(timer)
    },
  }
}
