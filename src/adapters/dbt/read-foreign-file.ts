import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/**
 * Reads a file that a product's code may have put there: never through a link, never a pipe that holds us, never a second name of a file of ours.
 * `tail` reads only that many bytes at the end. null when there is no such ordinary file, or it is larger than `maxBytes`.
 */
export async function readForeignFile(path: string, limits: { maxBytes: number; tail?: number }): Promise<string | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null)
  if (!file) return null
  try {
    const found = await file.stat()
    if (!found.isFile() || found.nlink !== 1 || found.size > limits.maxBytes) return null
    const length = Math.min(found.size, limits.tail ?? found.size)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, found.size - length)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
