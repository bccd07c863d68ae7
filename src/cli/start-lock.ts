import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../core/fail.ts'
import { isOurProcess, markProcess, type ProcessMark } from './process-mark.ts'

/** One control plane per data directory: whoever holds this knows that the one before is gone. @throws SERVER_START_BUSY */
export async function lockDataDirectory(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'start.lock')
  for (let tries = 0; tries < 3; tries++) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(JSON.stringify(await markProcess(process.pid)))
      await file.close()
      return () => rm(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const holder = await readHolder(path)
      if (holder && (await isOurProcess(holder.pid, holder.startTicks))) {
        throw fail('SERVER_START_BUSY', { what: `Process ${holder.pid} is starting or stopping on ${dataDir}`, fix: 'Wait a moment and try again; heddle stop ends it.' })
      }
      await rm(path, { force: true })
    }
  }
  throw fail('SERVER_START_BUSY', { what: `The lock of ${dataDir} changes hands too fast` })
}

async function readHolder(path: string): Promise<ProcessMark | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessMark
  } catch {
    return null
  }
}
