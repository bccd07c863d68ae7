import { readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isOurProcess, markProcess } from './process-mark.ts'
import { readRunFile, removeRunFile } from './run-file.ts'

const PATIENCE_MS = 15_000

/** Ends what a killed control plane started and left: its children at once; the database only when it is to stop too. @returns what was ended */
export async function endLeftovers(dataDir: string, which: { database: boolean }): Promise<string[]> {
  const did: string[] = []
  const left = await readRunFile(dataDir)
  for (const child of left?.children ?? []) {
    if (!(await isOurProcess(child.pid, child.startTicks))) continue
    process.kill(child.pid, 'SIGKILL')
    did.push(`ended process ${child.pid}, left over from the run of ${left!.startedAt.slice(0, 16)}Z`)
  }
  if (which.database) did.push(...(await endDatabase(dataDir)))
  await removeRunFile(dataDir)
  return did
}

async function endDatabase(dataDir: string): Promise<string[]> {
  const cluster = join(dataDir, 'postgres')
  const pid = Number((await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  const mark = pid > 0 ? await markProcess(pid) : null
  // The number in the file may be anybody's by now: the database's working folder is its cluster.
  const cwd = mark && (await readlink(`/proc/${pid}/cwd`).catch(() => null))
  if (!mark || (cwd !== null && cwd !== cluster)) return []
  process.kill(pid, 'SIGINT')
  const ended = await waitUntilGone(mark)
  return [ended ? `stopped the database, process ${pid}` : `the database, process ${pid}, does not stop`]
}

export async function waitUntilGone(mark: { pid: number; startTicks: string }, patienceMs = PATIENCE_MS): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; ) {
    if (!(await isOurProcess(mark.pid, mark.startTicks))) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}
