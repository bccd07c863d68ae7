import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A process told from a later one with the same number: `startTicks` is when the system started it, opaque. */
export type ProcessMark = { pid: number; startTicks: string }

/** The mark of a living process; null when there is none. A zombie is not living. */
export async function markProcess(pid: number): Promise<ProcessMark | null> {
  if (!Number.isInteger(pid) || pid <= 0) return null
  if (process.platform !== 'linux') return markByPs(pid)
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return null
  // The name in parentheses may hold anything: count from its end. State is field 3, the start time field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startTicks = fields[19]
  return fields[0] === 'Z' || fields[0] === 'X' || startTicks === undefined ? null : { pid, startTicks }
}

async function markByPs(pid: number): Promise<ProcessMark | null> {
  const found = await run('ps', ['-o', 'state=,lstart=', '-p', String(pid)]).catch(() => null)
  const line = found?.stdout.trim() ?? ''
  if (line === '' || line.startsWith('Z')) return null
  return { pid, startTicks: line.replace(/^\S+\s+/, '') }
}

/** Whether the process that was marked is still alive; false when its number belongs to another one by now. */
export async function isOurProcess(pid: number, startTicks: string): Promise<boolean> {
  return (await markProcess(pid))?.startTicks === startTicks
}
