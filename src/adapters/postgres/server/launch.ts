import { spawn } from 'node:child_process'
import { open, readFile, rename, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fail } from '../../../core/fail.ts'
import { environment, type Ground, lastLines, note, writeOwned } from './ground.ts'
import { exitOf, readPostmasterFile, signal, waitUntil } from './process.ts'
import { clearLeftovers, type Running } from './recover.ts'
import { runAs } from './runtime.ts'
import { HBA, renderSettings, type ServerSettings } from './settings.ts'

/** Recovery of much WAL takes its time. */
const READY_MS = 120_000
const LOG_BYTES = 10_000_000

/** Starts the server; `settings.listen` 0 means any free number, and a number taken by another program is replaced by a free one. */
export async function launchServer(ground: Ground, settings: ServerSettings): Promise<Running> {
  await clearLeftovers(ground)
  const wanted = settings.listen
  const listen = wanted !== 0 && (await isFree(wanted)) ? wanted : await freeNumber()
  if (wanted !== 0 && listen !== wanted) {
    note(ground, `listen number ${wanted} is taken by another program; the database listens on ${listen}`)
  }
  await writeOwned(ground, 'postgresql.conf', renderSettings({ ...settings, listen }))
  await writeOwned(ground, 'pg_hba.conf', HBA)
  return spawnServer(ground, listen)
}

async function spawnServer({ cluster, account, native, dataDir }: Ground, listen: number): Promise<Running> {
  const logPath = join(dataDir, 'logs/postgres.log')
  const log = await openLog(logPath)
  try {
    const logStart = (await log.stat()).size
    // A session of its own: Ctrl-C in the terminal reaches us, and we stop it; it outlives us when we are killed, and is adopted.
    const child = spawn(join(native, 'bin/postgres'), ['-D', cluster], {
      ...runAs(account),
      cwd: cluster,
      env: environment(),
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    })
    child.unref()
    let ended = false
    const gone = exitOf(child).then(() => {
      ended = true
    })
    const isReady = async () => {
      const file = await readPostmasterFile(cluster)
      return file?.pid === child.pid && file?.status === 'ready'
    }
    const settled = await waitUntil(async () => ended || (await isReady()), READY_MS)
    if (child.pid !== undefined && settled && !ended) return { pid: child.pid, listen, gone: () => gone }
    if (child.pid !== undefined && !ended) signal(child.pid, 'SIGQUIT')
    const said = await readFile(logPath)
    throw fail('SERVER_DATABASE_FAILED', {
      what: settled
        ? 'The database server ended while it was starting'
        : `The database server was not ready after ${READY_MS / 1000} s`,
      why: lastLines(said.subarray(logStart).toString('utf8')),
    })
  } finally {
    await log.close()
  }
}

async function openLog(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (size > LOG_BYTES) await rename(path, `${path}.1`)
  return open(path, 'a', 0o600)
}

async function freeNumber(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function isFree(listen: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(listen, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
