import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fail } from '../../core/fail.ts'
import type { Repository, TreeFile } from '../../platform/repository.ts'
import { readBundle, writeBundle } from './bundle.ts'
import { checkOutFiles } from './checkout.ts'
import { MAX_PACK_BYTES, repositoryConfig } from './config.ts'
import { type Git, isObjectId, locateGit, mustRunGit, quarantineEnv, repositoryFolder, runGit } from './git.ts'
import { installHooks } from './hooks.ts'
import { createObjectPool, findEntry } from './objects.ts'
import { firstCommit } from './scaffold.ts'
import { TREE_LIMITS } from './tree.ts'

export type GitRepositoryDeps = {
  /** `<data>/repos`: one folder `<product's UUID>.git` each */
  root: string
  /** the hooks every repository points to; outside all of them */
  hooksDir: string
  maxPackBytes?: number
  log(line: string): void
}

export type GitRepository = Repository & {
  /** Packs what pushes left behind; safe beside pushes and clones. For a schedule: git's own gc is off. */
  tidy(product: string): Promise<void>
}

const MAIN = 'main'
const LIST_BYTES = 32 * 1024 * 1024
const BRANCH = /^(?!\/)[^\p{Cc}\s~^:?*[\\]+$/u

export function createGitRepository(deps: GitRepositoryDeps): GitRepository {
  const git = locateGit()
  const objects = createObjectPool(git)
  /** ensure and remove of one product take turns */
  const turns = new Map<string, Promise<unknown>>()
  const folderOf = (product: string) => repositoryFolder(deps.root, product)

  const inTurn = <T>(product: string, act: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(product) ?? Promise.resolve()).then(act, act)
    const over = turn.then(
      () => {},
      () => {},
    )
    turns.set(product, over)
    void over.then(() => turns.get(product) === over && turns.delete(product))
    return turn
  }

  const standing = async (product: string): Promise<string> => {
    const folder = folderOf(product)
    if (!(await isRepository(folder))) throw fail('REPOSITORY_ABSENT', { what: 'The product has no repository' })
    return folder
  }

  const refsUnder = async (folder: string, pattern: string) => {
    const args = ['--git-dir', folder, 'for-each-ref', '--format=%(objectname) %(refname)', pattern]
    const lines = (await mustRunGit(git, args, { maxBytes: LIST_BYTES })).toString('utf8').split('\n')
    return lines.filter(Boolean).map((line) => {
      const space = line.indexOf(' ')
      return { commit: line.slice(0, space), ref: line.slice(space + 1) }
    })
  }

  const headOf = async (folder: string, branch: string) => {
    if (!BRANCH.test(branch)) return null
    const ref = `refs/heads/${branch}`
    return (await refsUnder(folder, ref)).find((each) => each.ref === ref)?.commit ?? null
  }

  return {
    ensure: ({ product, files, author, message }) =>
      inTurn(product, async () => {
        const folder = folderOf(product)
        await installHooks(deps.hooksDir)
        const config = repositoryConfig({ hooksDir: resolve(deps.hooksDir), maxPackBytes: deps.maxPackBytes ?? MAX_PACK_BYTES })
        if (!(await isRepository(folder))) await makeBare(git, folder, config)
        await replaceFile(join(folder, 'config'), config)
        const before = await headOf(folder, MAIN)
        if (before) return { created: false, head: before }
        const head = await firstCommit(git, folder, { branch: MAIN, files, author, message })
        deps.log(`repository ${product}: scaffold committed as ${head.slice(0, 12)}`)
        return { created: true, head }
      }),

    exists: (product) => isRepository(folderOf(product)),

    remove: (product) =>
      inTurn(product, async () => {
        const folder = folderOf(product)
        objects.forget(folder)
        const gone = `${folder.slice(0, -'.git'.length)}.gone`
        await rm(gone, { recursive: true, force: true })
        // The rename makes it vanish at once, whatever interrupts the rest.
        await rename(folder, gone).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOENT') throw error
        })
        await rm(gone, { recursive: true, force: true })
      }),

    async head(product, branch) {
      return headOf(await standing(product), branch)
    },

    async list(product, commit, quarantine) {
      const folder = await standing(product)
      return listFiles(git, folder, commit, quarantine)
    },

    async read(product, commit, path, quarantine) {
      checkCommit(commit)
      return objects.use(await standing(product), quarantine, async (reader) => {
        const entry = await findEntry(reader, commit, path)
        // A link is no file: its text must not be taken for a spec.
        if (!entry?.mode.startsWith('100')) return null
        return (await reader.get(entry.oid, TREE_LIMITS.fileBytes))?.content ?? null
      })
    },

    async oid(product, commit, path, quarantine) {
      checkCommit(commit)
      return objects.use(
        await standing(product),
        quarantine,
        async (reader) => (await findEntry(reader, commit, path))?.oid ?? null,
      )
    },

    async checkout(product, commit, into) {
      const folder = await standing(product)
      const files = await listFiles(git, folder, commit, undefined)
      await objects.use(folder, undefined, (reader) => checkOutFiles(reader, files, into))
    },

    async refs(product) {
      const folder = await standing(product)
      return refsUnder(folder, 'refs')
    },

    async bundle(product, sink) {
      await writeBundle(git, await standing(product), sink)
    },

    unbundle: ({ product, refs, open }) =>
      inTurn(product, async () => {
        const folder = folderOf(product)
        if (await isRepository(folder)) return { created: false }
        await installHooks(deps.hooksDir)
        const config = repositoryConfig({ hooksDir: resolve(deps.hooksDir), maxPackBytes: deps.maxPackBytes ?? MAX_PACK_BYTES })
        await makeBare(git, folder, config, (fresh) => readBundle(git, fresh, refs, open))
        return { created: true }
      }),

    async checkBundle({ product, refs, open }) {
      const fresh = `${folderOf(product).slice(0, -'.git'.length)}.check`
      await rm(fresh, { recursive: true, force: true })
      try {
        await mkdir(fresh, { recursive: true, mode: 0o700 })
        await mustRunGit(git, ['init', '--quiet', '--bare', '-b', MAIN, '--template=', fresh])
        await readBundle(git, fresh, refs, open)
      } finally {
        await rm(fresh, { recursive: true, force: true })
      }
    },

    async tidy(product) {
      const folder = await standing(product)
      await mustRunGit(git, ['--git-dir', folder, 'gc', '--quiet', '--prune=1.day.ago'])
    },
  }
}

async function listFiles(git: Git, folder: string, commit: string, quarantine: string | undefined): Promise<TreeFile[]> {
  checkCommit(commit)
  const args = ['--git-dir', folder, 'ls-tree', '-r', '-z', '-l', '--full-tree', commit]
  const answer = await runGit(git, args, { env: quarantineEnv(folder, quarantine), maxBytes: LIST_BYTES })
  if (answer.exit !== 0) {
    throw fail('REPOSITORY_COMMIT_MISSING', { what: `The repository has no commit ${commit}`, cause: answer.stderr })
  }
  const rows = answer.stdout.toString('utf8').split('\0')
  return rows.filter(Boolean).map((row) => {
    const tab = row.indexOf('\t')
    const [mode = '', , oid = '', size] = row.slice(0, tab).split(/ +/)
    return { path: row.slice(tab + 1), mode, oid, size: Number(size) || 0 }
  })
}

/** Anything but a whole object id could be an option or a revision expression. */
function checkCommit(commit: string): void {
  if (!isObjectId(commit)) throw fail('REPOSITORY_COMMIT_MISSING', { what: 'That is not the id of a commit' })
}

/** Only what is surely not there is absent: an unreadable folder throws. */
async function isRepository(folder: string): Promise<boolean> {
  try {
    return (await stat(join(folder, 'HEAD'))).isFile()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Made beside its place and renamed, so a repository is whole or not there. */
async function makeBare(git: Git, folder: string, config: string, fill?: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${folder.slice(0, -'.git'.length)}.new`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  await mustRunGit(git, ['init', '--quiet', '--bare', '-b', MAIN, '--template=', fresh])
  await writeFile(join(fresh, 'config'), config)
  await fill?.(fresh)
  try {
    await rename(fresh, folder)
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true })
    throw fail('REPOSITORY_DAMAGED', { what: `${folder} holds files but no HEAD`, cause })
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === text) return
  await writeFile(`${path}.fresh`, text)
  await rename(`${path}.fresh`, path)
}
