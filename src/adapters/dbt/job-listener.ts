import { timingSafeEqual } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseRawEvent } from './raw-event.ts'
import { splitLines } from './split-lines.ts'

/** Lines of one job's connection. `lines` is called for every line, `closed` once. */
export type JobConnection = { send(line: string): void; destroy(): void }
export type Caller = { token: string; onOpen(connection: JobConnection): void; onLine(line: string): void; onClose(): void }

export type JobListener = {
  readonly path: string
  /** Expects one connection for `key`; a second one, or another token, is turned away. */
  expect(key: string, caller: Caller): void
  forget(key: string): void
  close(): Promise<void>
}

/** sun_path holds 104 bytes on macOS. */
const MAX_PATH = 100

/** Each forked job connects here before it drops its rights: password in, events out, and no other process between. */
export async function listenForJobs(workDir: string): Promise<JobListener> {
  const wanted = join(workDir, 'jobs.sock')
  const path = Buffer.byteLength(wanted) <= MAX_PATH ? wanted : join(await mkdtemp(join(tmpdir(), 'heddle-dbt-')), 's')
  await rm(path, { force: true })
  const expected = new Map<string, Caller>()
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => undefined)
    let caller: Caller | null = null
    splitLines(socket, (line) => {
      if (caller) return caller.onLine(line)
      const hello = parseRawEvent(line)
      const found = hello?.event === 'hello' ? expected.get(hello.key) : undefined
      if (hello?.event !== 'hello' || !found || !sameText(found.token, hello.token)) return void socket.destroy()
      expected.delete(hello.key)
      caller = found
      socket.on('close', found.onClose)
      return found.onOpen({ send: (text) => void socket.write(`${text}\n`), destroy: () => void socket.destroy() })
    })
  })
  await listen(server, path)
  await chmod(path, 0o600)
  return {
    path,
    expect: (key, caller) => void expected.set(key, caller),
    forget: (key) => void expected.delete(key),
    async close() {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      if (path !== wanted) await rm(dirname(path), { recursive: true, force: true })
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve())
  })
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
