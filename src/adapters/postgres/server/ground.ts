import { chmod, chown, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../../core/fail.ts'
import { type Account, canEnter, findAccount, findRuntime } from './runtime.ts'

/** What every step of a start needs to know; paths are real paths. `did` grows as they work. */
export type Ground = {
  cluster: string
  dataDir: string
  /** `bin`, `lib`, `share` of PostgreSQL */
  native: string
  account: Account
  did: string[]
  log(line: string): void
}

/** Kept in `<dataDir>/postgres.json`, mode 0600. */
export type Kept = { listen: number; user: string; password: string }

export async function prepareGround(options: { dataDir: string; log(line: string): void }): Promise<Ground> {
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const dataDir = await realpath(options.dataDir)
  const { account, did } = await findAccount()
  // The database user must pass through, and read nothing.
  if (account) await chmod(dataDir, 0o711)
  if (!(await canEnter(dataDir, account))) {
    throw fail('SERVER_DATA_UNREACHABLE', {
      what: `The user ${account?.name} cannot enter the data directory ${dataDir}`,
      why: 'As root the database runs as a user of its own, and a folder above the data directory is closed to it.',
    })
  }
  await mkdir(join(dataDir, 'logs'), { recursive: true, mode: 0o700 })
  const runtime = await findRuntime(dataDir, account)
  const ground: Ground = { cluster: join(dataDir, 'postgres'), dataDir, native: runtime.root, account, did: [], log: options.log }
  for (const line of [...did, ...runtime.did]) note(ground, line)
  return ground
}

/** Something start made or repaired, said once to the user. */
export function note(ground: Ground, line: string): void {
  ground.did.push(line)
  ground.log(line)
}

export async function readKept(ground: Ground): Promise<Kept> {
  const text = await readFile(join(ground.dataDir, 'postgres.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  const kept: Kept = { listen: 0, user: 'postgres', password: '' }
  try {
    return { ...kept, ...(JSON.parse(text) as Partial<Kept>) }
  } catch {
    note(ground, 'postgres.json was unreadable')
    return kept
  }
}

export async function writeKept(ground: Ground, kept: Kept): Promise<void> {
  const path = join(ground.dataDir, 'postgres.json')
  await writeFile(`${path}.new`, `${JSON.stringify(kept)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

/** Writes a file of the cluster, owned by who runs the database. */
export async function writeOwned(ground: Ground, name: string, text: string): Promise<void> {
  const path = join(ground.cluster, name)
  await writeFile(path, text, { mode: 0o600 })
  if (ground.account) await chown(path, ground.account.uid, ground.account.gid)
}

/** PostgreSQL gets nothing of our environment. */
export function environment(): Record<string, string> {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

export function lastLines(text: unknown): string {
  const lines = String(text ?? '').trim()
  return lines.split('\n').slice(-5).join('\n')
}

export function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}
