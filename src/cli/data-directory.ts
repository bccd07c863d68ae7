import { createHash, randomBytes } from 'node:crypto'
import { chmod, link, lstat, mkdir, readdir, readFile, realpath, rm, rmdir, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fail } from '../core/fail.ts'

/** Everything one Heddle keeps, below one folder. Paths are real paths. */
export type DataDirectory = {
  path: string
  repos: string
  archive: string
  /** working folders of jobs; as root other users pass through it to their own */
  work: string
  logs: string
  /** 32 bytes */
  secretsKey: Buffer
  /** what the CLI on this machine shows the control plane to be let in */
  cliToken: string
  /** what was made or moved, in words */
  did: string[]
}

/** Where root's data goes when the chosen folder is closed to the users that the database and the jobs run as. */
const OPEN_PLACE = '/var/lib/heddle'
const NAMES = [
  'postgres',
  'repos',
  'archive',
  'work',
  'logs',
  'bin',
  'runtime',
  'secrets.key',
  'cli-token',
  'run.json',
  'postgres.json',
  'mesh.yml',
]
const KEY_BYTES = 32

/**
 * Makes the data directory or what is missing of it; never replaces a key or a token. An ordinary user's is 0700. Root's is 0711, with each folder
 * closed but to who needs it; where a folder above it is closed, the data goes to `/var/lib/heddle/<hash of the path>` and the path becomes a link.
 * @throws SERVER_DATA_UNREACHABLE, SERVER_DATA_FOREIGN, SERVER_KEY_INVALID
 */
export async function openDataDirectory(chosen: string): Promise<DataDirectory> {
  const isRoot = process.getuid?.() === 0
  const did: string[] = []
  const wanted = resolve(chosen)
  if (isRoot) did.push(...(await moveToOpenPlace(wanted)))
  const path = await makeFolder(wanted, isRoot ? 0o711 : 0o700)
  await refuseForeign(path)

  await refuseLostKey(path)
  const secretsKey = await keepSecret(join(path, 'secrets.key'), randomBytes(KEY_BYTES))
  if (secretsKey.length !== KEY_BYTES) {
    throw fail('SERVER_KEY_INVALID', {
      what: `${join(path, 'secrets.key')} holds ${secretsKey.length} bytes instead of ${KEY_BYTES}`,
    })
  }
  const cliToken = await keepSecret(join(path, 'cli-token'), Buffer.from(`hdl_${randomBytes(32).toString('base64url')}`))
  const [repos, archive, logs] = await Promise.all(
    ['repos', 'archive', 'logs'].map((name) => makeFolder(join(path, name), 0o700)),
  )
  const work = await makeFolder(join(path, 'work'), isRoot ? 0o711 : 0o700)
  await writeCommand(await makeFolder(join(path, 'bin'), isRoot ? 0o755 : 0o700), path)
  return {
    path,
    repos: repos!,
    archive: archive!,
    work,
    logs: logs!,
    secretsKey,
    cliToken: cliToken.toString('utf8').trim(),
    did,
  }
}

/** Makes the wanted folder a link to an open place when a folder above it is closed to other users. */
async function moveToOpenPlace(wanted: string): Promise<string[]> {
  await makeFolder(dirname(wanted), null)
  const there = await lstat(wanted).catch(() => null)
  if (there?.isSymbolicLink() || (await isOpenToAll(await realpath(dirname(wanted))))) return []
  if (there) {
    // An empty folder may be replaced; data is not moved behind anybody's back.
    await rmdir(wanted).catch((cause) => {
      throw fail('SERVER_DATA_UNREACHABLE', {
        what: `A folder above ${wanted} is closed to other users`,
        why: 'As root the database and the jobs run as users of their own, who must pass through.',
        cause,
      })
    })
  }
  const open = join(OPEN_PLACE, createHash('sha256').update(wanted).digest('hex').slice(0, 12))
  await mkdir(OPEN_PLACE, { recursive: true, mode: 0o755 })
  await mkdir(open, { recursive: true, mode: 0o711 })
  await symlink(open, wanted)
  return [`the data is in ${open}, because a folder above ${wanted} is closed to other users`]
}

async function isOpenToAll(folder: string): Promise<boolean> {
  const { mode } = await stat(folder)
  if ((mode & 0o001) === 0) return false
  return folder === dirname(folder) || isOpenToAll(dirname(folder))
}

/** @param mode null: as it is, or as the user's own folders are made */
async function makeFolder(path: string, mode: number | null): Promise<string> {
  try {
    await makePath(path, mode ?? 0o777)
    const real = await realpath(path)
    if (mode !== null && ((await stat(real)).mode & 0o777) !== mode) await chmod(real, mode)
    return real
  } catch (cause) {
    throw fail('SERVER_DATA_UNREACHABLE', { what: `${path} cannot be made or is not ours`, cause })
  }
}

/** As `mkdir -p`. Node's own goes round for ever where a folder exists and takes no entries, as /proc does. */
async function makePath(path: string, mode: number): Promise<void> {
  const error = await mkdir(path, { mode }).then(
    () => null,
    (thrown: NodeJS.ErrnoException) => thrown,
  )
  if (error === null || (error.code === 'EEXIST' && (await stat(path)).isDirectory())) return
  const parent = dirname(path)
  if (error.code !== 'ENOENT' || parent === path || (await stat(parent).catch(() => null))) throw error
  await makePath(parent, 0o777)
  await makePath(path, mode)
}

/** A folder with anything else in it is somebody's: nothing is written there. */
async function refuseForeign(path: string): Promise<void> {
  const names = await readdir(path)
  const isHeddles =
    names.length === 0 || names.includes('secrets.key') || names.every((name) => NAMES.includes(name.split('.new')[0]!))
  if (isHeddles) return
  throw fail('SERVER_DATA_FOREIGN', { what: `${path} is not empty and not a data directory of Heddle` })
}

/** A new key beside an old database would make every stored secret unreadable, silently. */
async function refuseLostKey(path: string): Promise<void> {
  const names = await readdir(path)
  if (!names.includes('postgres') || names.includes('secrets.key')) return
  throw fail('SERVER_KEY_INVALID', { what: `${path} holds a database but no secrets.key` })
}

/** The file's bytes; made with `fresh` when there is none. Two starts at once get the same. */
async function keepSecret(path: string, fresh: Buffer): Promise<Buffer> {
  const known = await readFile(path).catch(() => null)
  if (known) {
    await chmod(path, 0o600)
    return known
  }
  const unfinished = `${path}.new${randomBytes(6).toString('hex')}`
  await writeFile(unfinished, fresh, { mode: 0o600, flush: true })
  try {
    await link(unfinished, path)
    return fresh
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readFile(path)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** `bin/heddle`, to be put on PATH: this checkout's launcher, on this data directory. */
async function writeCommand(bin: string, dataDir: string): Promise<void> {
  const launcher = join(import.meta.dirname, '../../heddle')
  const text = `#!/bin/sh\nHEDDLE_DATA=${shellQuote(dataDir)}; export HEDDLE_DATA\nexec ${shellQuote(launcher)} "$@"\n`
  const path = join(bin, 'heddle')
  if ((await readFile(path, 'utf8').catch(() => null)) !== text) await writeFile(path, text)
  await chmod(path, 0o755)
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
