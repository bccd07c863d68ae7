import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestPlatform } from '../platform.ts'

export type Processes = { database: number; forkServer: number; jobs: number[] }

/** The processes of a running platform, as its own files and the system know them. */
export async function processesOf(platform: TestPlatform): Promise<Processes> {
  const database = Number((await readFile(join(platform.data, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0])
  const children = await childrenOf(platform.pid())
  const forkServer = children.find(({ command }) => command.includes('fork_server.py'))?.pid ?? 0
  return { database, forkServer, jobs: forkServer ? (await childrenOf(forkServer)).map(({ pid }) => pid) : [] }
}

async function childrenOf(parent: number): Promise<{ pid: number; command: string }[]> {
  const all = await allProcesses()
  return all.filter((each) => each.parent === parent)
}

type Found = { pid: number; parent: number; command: string; cwd: string }

async function allProcesses(): Promise<Found[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const found = await Promise.all(
    pids.map(async (pid): Promise<Found | null> => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ') as [string, string]
        if (state === 'Z' || state === 'X') return null
        const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
        return { pid, parent: Number(parent), command, cwd: await readlink(`/proc/${pid}/cwd`).catch(() => '') }
      } catch {
        return null
      }
    }),
  )
  return found.filter((each) => each !== null)
}

/** SIGKILL for one process; 0 would be the whole group of the test itself. */
export function killProcess(pid: number): void {
  if (!Number.isInteger(pid) || pid <= 1) throw new Error(`no process to kill: ${pid}`)
  process.kill(pid, 'SIGKILL')
}

/** A zombie is dead, whoever has not reaped it. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await allProcesses()).some((each) => each.pid === pid)
}

/** Every living process that names this data directory in its command line or works in it. */
export async function leftOn(data: string): Promise<string[]> {
  const all = await allProcesses()
  return all
    .filter((each) => each.command.includes(data) || each.cwd.startsWith(data))
    .map((each) => `${each.pid} ${each.command}`)
}
