import { readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const MAX_BYTES = 64_000_000

/**
 * Node keeps what it compiled of every version of every file, and of every version of itself, for ever. Too much of it goes, the oldest first; what is
 * needed again is compiled again.
 * @param current the folder of this Node in the cache; its neighbours are those of others
 * @returns bytes removed
 */
export async function trimCompileCache(current: string, maxBytes: number = MAX_BYTES): Promise<number> {
  const base = dirname(current)
  const entries = await readdir(base, { recursive: true, withFileTypes: true })
  const files = (
    await Promise.all(
      entries
        .filter((entry) => entry.isFile())
        .map(async (entry) => {
          const path = join(entry.parentPath, entry.name)
          const found = await stat(path).catch(() => null)
          return found ? [{ path, bytes: found.size, at: found.mtimeMs }] : []
        }),
    )
  ).flat()
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let removed = 0
  if (total <= maxBytes) return removed
  for (const { path, bytes } of files.sort((a, b) => a.at - b.at)) {
    if (total - removed <= maxBytes / 2) break
    await rm(path, { force: true })
    removed += bytes
  }
  return removed
}
