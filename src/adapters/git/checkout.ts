import { mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../core/fail.ts'
import type { TreeFile } from '../../platform/repository.ts'
import type { ObjectReader } from './objects.ts'
import { findUnsafeFiles, TREE_LIMITS } from './tree.ts'

/**
 * Writes files of a commit into an empty folder. Contents come straight from the object store, so no attribute, filter or link of the pusher takes
 * part; every file and folder is made new, so nothing that stands can be written through. Leaves nothing behind when it fails.
 * @throws the code of the first unsafe file, with all of them as details
 */
export async function checkOutFiles(reader: ObjectReader, files: readonly TreeFile[], into: string): Promise<void> {
  const unsafe = findUnsafeFiles(files)
  if (unsafe[0]) throw fail(unsafe[0].code, { ...unsafe[0], details: unsafe })
  await mkdir(into, { recursive: true })
  if ((await readdir(into)).length > 0)
    throw fail('REPOSITORY_FOLDER_NOT_EMPTY', { what: 'The folder to check out into is not empty' })
  const made = new Set<string>()
  try {
    for (const file of files) {
      await makeFolders(into, file.path, made)
      const object = await reader.get(file.oid, TREE_LIMITS.fileBytes)
      if (object?.type !== 'blob') throw fail('REPOSITORY_GIT_FAILED', { what: `${file.path} is missing from the repository` })
      const handle = await open(join(into, file.path), 'wx', file.mode === '100755' ? 0o755 : 0o644)
      try {
        await handle.writeFile(object.content)
      } finally {
        await handle.close()
      }
    }
  } catch (error) {
    for (const name of await readdir(into)) await rm(join(into, name), { recursive: true, force: true })
    throw error
  }
}

async function makeFolders(into: string, path: string, made: Set<string>): Promise<void> {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const folder = path.slice(0, slash)
    if (made.has(folder)) continue
    await mkdir(join(into, folder))
    made.add(folder)
  }
}
