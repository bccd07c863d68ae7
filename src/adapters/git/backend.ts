import { type ChildProcess, spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex, Readable, Writable } from 'node:stream'
import { parseCgiHead } from './cgi.ts'
import { HOOK_DESCRIPTOR } from './hooks.ts'

export type BackendLimits = { idleMs: number; totalMs: number }
export type BackendJob = {
  program: string
  env: Record<string, string>
  limits: BackendLimits
  /** talks to the hooks over their socket; given for a push only */
  attach?: (socket: Duplex) => void
  /** true from the moment a push is accepted: from then on the pusher's going away does not stop it */
  isAccepted(): boolean
  /** true while a verdict is being made, which may take longer than the idle limit */
  isDeciding(): boolean
}
export type BackendEnd = { exit: number | null; stopped: string | null; stderr: string }
export type Backend = { done: Promise<BackendEnd>; stop(why: string): void }

export const CLIENT_GONE = 'the client went away'
const HEAD_BYTES = 64 * 1024
const STDERR_BYTES = 4_096
const KILL_AFTER_MS = 2_000

/** Runs git's own CGI for one request, streaming both ways. Ends with the process and everything it started. */
export function runBackend(job: BackendJob, req: IncomingMessage, res: ServerResponse): Backend {
  // Its own process group: git starts others, and all of them must go together.
  const child = spawn(job.program, [], {
    env: job.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', ...(job.attach ? (['pipe'] as const) : [])],
  })
  const [stdin, stdout, errors, link] = child.stdio as unknown as [Writable, Readable, Readable, Duplex | undefined]
  if (link && job.attach) job.attach(link)
  let stderr = ''
  let stopped: string | null = null
  let isOver = false
  let hardKill: NodeJS.Timeout | undefined
  const stop = (why: string) => {
    // Its number may belong to another process by now.
    if (stopped !== null || isOver) return
    stopped = why
    // SIGTERM first: git then removes its locks.
    signalGroup(child, 'SIGTERM')
    hardKill = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MS)
  }
  const total = setTimeout(() => stop('it took too long'), job.limits.totalMs)
  const idle = setTimeout(function again() {
    if (job.isDeciding()) idle.refresh()
    else stop('nothing moved')
  }, job.limits.idleMs)

  // refresh() would wake a cleared timer again.
  const moved = () => void (isOver || idle.refresh())

  stdin.on('error', () => drain(req, stdin))
  stdin.on('close', () => drain(req, stdin))
  req.on('data', moved)
  req.pipe(stdin)
  errors.on('data', (chunk: Buffer) => {
    if (stderr.length < STDERR_BYTES) stderr += chunk.toString('utf8').slice(0, STDERR_BYTES)
  })
  res.on('close', () => {
    if (res.writableFinished) return
    stdout.unpipe(res)
    stdout.resume()
    if (!job.isAccepted()) stop(CLIENT_GONE)
  })

  // It may have gone while it waited in line.
  if (res.destroyed) stop(CLIENT_GONE)

  let head: Buffer | null = Buffer.alloc(0)
  stdout.on('data', (chunk: Buffer) => {
    moved()
    if (head === null) return
    head = Buffer.concat([head, chunk])
    const parsed = parseCgiHead(head)
    if (!parsed) {
      if (head.length > HEAD_BYTES) stop('its answer has no head')
      return
    }
    const body = head.subarray(parsed.bodyAt)
    head = null
    if (res.destroyed) return
    res.writeHead(parsed.status, parsed.headers.flat())
    if (body.length > 0) res.write(body)
    stdout.pipe(res, { end: false })
  })

  const done = new Promise<BackendEnd>((resolve) => {
    const end = (exit: number | null) => {
      isOver = true
      clearTimeout(total)
      clearTimeout(idle)
      clearTimeout(hardKill)
      link?.destroy()
      drain(req, stdin)
      // A pack that was cut must not look complete.
      if (res.headersSent && stopped !== null) res.destroy()
      else if (res.headersSent || res.destroyed) res.end()
      else {
        res.writeHead(stopped === null ? 500 : 503, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
        res.end('git could not answer; try again.\n')
      }
      resolve({ exit, stopped, stderr: stderr.trim() })
    }
    child.on('error', () => end(null))
    child.on('close', end)
  })
  return { done, stop }
}

/** What nobody will read still has to be taken from the client, or it never reads our answer. */
function drain(req: IncomingMessage, stdin: Writable): void {
  req.unpipe(stdin)
  if (!req.destroyed) req.resume()
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // the whole group has ended
  }
}

/** The hooks' environment and the socket's number go together. */
export const HOOK_ENV: Record<string, string> = { HEDDLE_PUSH: String(HOOK_DESCRIPTOR) }
