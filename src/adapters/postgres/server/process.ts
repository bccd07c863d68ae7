import { type ChildProcess, execFile } from 'node:child_process'
import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What the process with this id is to our cluster. A zombie is dead, though `kill(pid, 0)` still finds it. */
type Holder = 'gone' | 'zombie' | 'ours' | 'stranger'

/** `postmaster.pid`: process, listen number and state, or null when there is none. */
type PostmasterFile = { pid: number; listen: number | null; status: string | null }

export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | null> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => null)
  if (text === null) return null
  const lines = text.split('\n').map((line) => line.trim())
  const listen = Number(lines[3])
  return { pid: Math.abs(Number(lines[0])) || 0, listen: listen > 0 ? listen : null, status: lines[7] || null }
}

/** Tells our postmaster from a process that merely got its number: by executable and working folder, which PostgreSQL sets to the cluster. */
export async function inspectHolder(pid: number, cluster: string): Promise<Holder> {
  if (pid <= 0) return 'gone'
  if (process.platform !== 'linux') return inspectByPs(pid, cluster)
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return 'gone'
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3)
  if (state === 'Z' || state === 'X') return 'zombie'
  // Another user's process cannot be read, and cannot be ours: the cluster belongs to us.
  return (await isPostgresIn(pid, cluster)) ? 'ours' : 'stranger'
}

async function isPostgresIn(pid: number, cluster: string): Promise<boolean> {
  const [exe, cwd] = await Promise.all([readlink(`/proc/${pid}/exe`), readlink(`/proc/${pid}/cwd`)]).catch(() => ['', ''])
  const program = basename(exe!.replace(/ \(deleted\)$/, ''))
  return program === 'postgres' && cwd === (await realpath(cluster))
}

async function inspectByPs(pid: number, cluster: string): Promise<Holder> {
  const found = await run('ps', ['-o', 'state=,command=', '-p', String(pid)]).catch(() => null)
  const line = found?.stdout.trim() ?? ''
  if (line === '') return 'gone'
  if (line.startsWith('Z')) return 'zombie'
  return line.includes('postgres') && line.includes(cluster) ? 'ours' : 'stranger'
}

/** Every process of this cluster still running. Linux only: elsewhere PostgreSQL's own check stands alone. */
export async function leftoverProcesses(cluster: string): Promise<number[]> {
  if (process.platform !== 'linux') return []
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found: number[] = []
  for (const pid of pids) {
    if (await isPostgresIn(pid, cluster)) found.push(pid)
  }
  return found
}

/** Resolves true when `condition` held before `timeoutMs` was over. */
export async function waitUntil(condition: () => Promise<boolean>, timeoutMs: number, everyMs = 10): Promise<boolean> {
  const end = performance.now() + timeoutMs
  while (performance.now() < end) {
    if (await condition()) return true
    await sleep(everyMs)
  }
  return condition()
}

/** Sends a signal; a process that is gone is success. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Exit status, or null when it was killed or never started. */
export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', () => resolve(null))
  })
}
