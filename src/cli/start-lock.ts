import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../core/fail.ts'
import { isOurProcess, markProcess, type ProcessMark } from './process-mark.ts'

const TRIES = 5
const POLL_MS = 200

/** One control plane per data directory: whoever holds this knows that the one before is gone. @throws SERVER_START_BUSY */
export async function lockDataDirectory(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'start.lock')
  const own = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`
  await writeFile(own, JSON.stringify(await markProcess(process.pid)), { mode: 0o600 })
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      // The file appears with its text: a start at the same moment never reads half of it.
      if (await linkNew(own, path)) return () => rm(path, { force: true })
      const holder = await livingHolder(path)
      if (holder) {
        throw fail('SERVER_START_BUSY', {
          what: `Process ${holder.pid} is starting or stopping on ${dataDir}`,
          fix: 'Wait a moment and try again; heddle stop ends it.',
        })
      }
      await removeStale(path)
    }
  } finally {
    await rm(own, { force: true })
  }
  throw fail('SERVER_START_BUSY', { what: `The lock of ${dataDir} changes hands too fast` })
}

/**
 * Waits while somebody else starts or stops on this data directory.
 * @param done asked again and again; what it gives ends the wait
 * @returns null when the other one is gone, or was not there
 */
export async function waitForOther<T>(
  dataDir: string,
  { say, done }: { say(holder: ProcessMark): void; done(): Promise<T | null> },
): Promise<T | null> {
  for (let told = false; ; told = true) {
    const found = await done()
    if (found !== null) return found
    const holder = await findLockHolder(dataDir)
    if (!holder) return null
    if (!told) say(holder)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** The process that starts, runs or stops on this data directory, or null. */
export async function findLockHolder(dataDir: string): Promise<ProcessMark | null> {
  return livingHolder(join(dataDir, 'start.lock'))
}

/** Moved away before it is removed: of several starts that saw a dead holder, one gets the file; should it be a living one's by now, it goes back. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}-stale`
  try {
    await rename(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (await livingHolder(aside)) await linkNew(aside, path)
  await rm(aside, { force: true })
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function livingHolder(path: string): Promise<ProcessMark | null> {
  try {
    const holder = JSON.parse(await readFile(path, 'utf8')) as ProcessMark
    return (await isOurProcess(holder.pid, holder.startTicks)) ? holder : null
  } catch {
    return null
  }
}
