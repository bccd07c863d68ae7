import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Told of every push to a repository, so that it knows when none runs. */
export type Leftovers = {
  enter(repository: string): Promise<void>
  /** @param isClean false when the push's git was ended from outside */
  leave(repository: string, isClean: boolean): Promise<void>
}

/** Folders in which git holds what a push brought until it is accepted; `incoming-` before git 2.36. */
const QUARANTINE = /^(tmp_objdir-)?incoming-/
/** git holds a ref's lock for milliseconds; tidying may hold one a little longer. */
const STALE_LOCK_MS = 10_000

/**
 * A git that was killed, or whose control plane died, leaves two things behind: its quarantine (up to one pack of rubbish) and, if it was moving a ref,
 * the ref's lock, which would refuse every later push to that branch. Both go before the next push, when nothing else is pushed to the repository.
 */
export function createLeftovers(): Leftovers {
  const pushes = new Map<string, number>()
  /** Repositories without locks from before this process or from a git that was ended. */
  const unlocked = new Set<string>()
  const isQuiet = (repository: string) => !pushes.has(repository)

  const sweep = async (repository: string) => {
    const objects = join(repository, 'objects')
    for (const name of (await readdir(objects)).filter((each) => QUARANTINE.test(each))) {
      if (!isQuiet(repository)) return
      await rm(join(objects, name), { recursive: true, force: true })
    }
    if (!unlocked.has(repository) && (await removeStaleLocks(repository))) unlocked.add(repository)
  }

  return {
    async enter(repository) {
      if (isQuiet(repository)) await sweep(repository)
      pushes.set(repository, (pushes.get(repository) ?? 0) + 1)
    },
    async leave(repository, isClean) {
      if (!isClean) unlocked.delete(repository)
      const left = (pushes.get(repository) ?? 1) - 1
      if (left > 0) return void pushes.set(repository, left)
      pushes.delete(repository)
      // The push is answered: tidying up may not fail it.
      if (!isClean) await sweep(repository).catch(() => {})
    },
  }
}

/** @returns whether no lock is left */
async function removeStaleLocks(repository: string): Promise<boolean> {
  const names = (await readdir(join(repository, 'refs'), { recursive: true })).map((name) => join('refs', name))
  const locks = [...names, ...(await readdir(repository))].filter((name) => name.endsWith('.lock'))
  let isClear = true
  for (const name of locks) {
    const path = join(repository, name)
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => null,
    )
    if (age !== null && age > STALE_LOCK_MS) await rm(path, { force: true })
    else if (age !== null) isClear = false
  }
  return isClear
}
