import { realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Ground, type Kept, note } from './ground.ts'
import { inspectHolder, leftoverProcesses, readPostmasterFile, signal, waitUntil } from './process.ts'

/** A postmaster; `gone` resolves when it is no more. */
export type Running = { pid: number; listen: number; gone(): Promise<void> }

const SETTLE_MS = 60_000

/** The server of this cluster that is still running, if there is one that answers; one that does not, or listens elsewhere than `wanted`, is ended. */
export async function adoptServer(ground: Ground, kept: Kept, wanted: number | undefined): Promise<Running | null> {
  const { cluster } = ground
  const file = await readPostmasterFile(cluster)
  if (!file || (await inspectHolder(file.pid, cluster)) !== 'ours') return null
  const { pid } = file
  const isOurs = async () => (await inspectHolder(pid, cluster)) === 'ours'
  // It may still be recovering, or on its way out.
  await waitUntil(async () => (await readPostmasterFile(cluster))?.status === 'ready' || !(await isOurs()), SETTLE_MS)
  const listen = (await readPostmasterFile(cluster))?.listen
  if (!(await isOurs())) return null
  if (listen && (wanted ?? listen) === listen && (await answers(ground, { ...kept, listen }))) {
    note(ground, `adopted the database server that was still running (process ${pid})`)
    return { pid, listen, gone: () => untilGone(pid, cluster) }
  }
  await stopServer(pid, untilGone(pid, cluster))
  note(ground, `ended a database server that ${wanted === listen ? 'did not answer' : 'listened elsewhere'} (process ${pid})`)
  return null
}

/** Logs in and asks the server which folder it serves: proof that it is ours. */
async function answers(ground: Ground, kept: Kept): Promise<boolean> {
  const { listen, user, password } = kept
  const client = new pg.Client({
    host: '127.0.0.1',
    port: listen,
    user,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5000,
    query_timeout: 5000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    return (await realpath(rows[0]!.data_directory)) === (await realpath(ground.cluster))
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Deals with everything that would keep PostgreSQL from starting though no server of ours is alive. */
export async function clearLeftovers(ground: Ground): Promise<void> {
  const { cluster } = ground
  const file = await readPostmasterFile(cluster)
  if (file) {
    const holder = await inspectHolder(file.pid, cluster)
    if (holder === 'ours') return
    note(ground, `the database server had not been stopped: recovering (${HOLDER_WORDS[holder].replace('#', String(file.pid))})`)
  }
  const gone = async () => (await leftoverProcesses(cluster)).length === 0
  // Children notice the postmaster's death and end by themselves, but for one deep in a query.
  if (!(await waitUntil(gone, 3000, 50))) {
    const pids = await leftoverProcesses(cluster)
    // Nothing coordinates them any more; recovery undoes what they had not committed.
    for (const pid of pids) signal(pid, 'SIGKILL')
    await waitUntil(gone, 5000, 50)
    note(ground, `ended ${pids.length} leftover database processes`)
  }
  // PostgreSQL itself would refuse for ever where the number belongs to a zombie or to another program of the same user.
  if (file) await rm(join(cluster, 'postmaster.pid'), { force: true })
}

const HOLDER_WORDS = {
  gone: 'process # is gone',
  zombie: 'process # is dead and not yet reaped',
  stranger: 'process # is another program by now',
} as const

/** Ends the server of this cluster if one is alive. */
export async function endServer(cluster: string): Promise<void> {
  const file = await readPostmasterFile(cluster)
  if (file && (await inspectHolder(file.pid, cluster)) === 'ours') await stopServer(file.pid, untilGone(file.pid, cluster))
}

/** Fast shutdown, then ever harder. */
export async function stopServer(pid: number, gone: Promise<void>): Promise<void> {
  const ended = gone.then(() => true)
  // A number already free could be another program's by now.
  if (await Promise.race([ended, sleep(1, false)])) return
  const ways = [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const
  for (const [name, ms] of ways) {
    signal(pid, name)
    const timer = new AbortController()
    const late = sleep(ms, false, { signal: timer.signal }).catch(() => false)
    const inTime = await Promise.race([ended, late])
    timer.abort()
    if (inTime) return
  }
}

async function untilGone(pid: number, cluster: string): Promise<void> {
  while ((await inspectHolder(pid, cluster)) === 'ours') await sleep(50, undefined, { ref: false })
}
