import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isOurProcess, type ProcessMark } from './process-mark.ts'

/** `<data>/run.json`: the running control plane, for other commands and for the start after a crash. `listen` is the HTTP number. */
export type RunFile = ProcessMark & {
  /** ISO 8601 */
  startedAt: string
  version: string
  listen: number
  /** where the portal and the API are */
  url: string
  postgres: { port: number; pid: number }
  /** processes it started, to be ended when it was killed; PostgreSQL is not among them, it is adopted */
  children: ProcessMark[]
}

/** Null when there is none, or when it is not readable as one. */
export async function readRunFile(dataDir: string): Promise<RunFile | null> {
  try {
    const found = JSON.parse(await readFile(join(dataDir, 'run.json'), 'utf8')) as RunFile
    return Number.isInteger(found.pid) && Number.isInteger(found.listen) && Array.isArray(found.children) ? found : null
  } catch {
    return null
  }
}

export async function writeRunFile(dataDir: string, run: RunFile): Promise<void> {
  const path = join(dataDir, 'run.json')
  await writeFile(`${path}.new`, `${JSON.stringify(run, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

export async function removeRunFile(dataDir: string): Promise<void> {
  await rm(join(dataDir, 'run.json'), { force: true })
}

/** The control plane that runs on this data directory now, or null. */
export async function findRunning(dataDir: string): Promise<RunFile | null> {
  const run = await readRunFile(dataDir)
  return run && (await isOurProcess(run.pid, run.startTicks)) ? run : null
}
