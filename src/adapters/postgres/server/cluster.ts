import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '../../../core/fail.ts'
import { environment, type Ground, type Kept, lastLines, note, seconds, writeKept, writeOwned } from './ground.ts'
import { exitOf } from './process.ts'
import { clearLeftovers, endServer } from './recover.ts'
import { runAs } from './runtime.ts'
import { renderSettings } from './settings.ts'

const run = promisify(execFile)

/**
 * Makes the cluster when there is none, in a folder beside its place, so that a killed initdb leaves nothing that looks finished.
 * @returns what to keep, with a superuser password that is set in the cluster
 */
export async function makeCluster(ground: Ground, known: Kept, durable: boolean): Promise<Kept> {
  const { cluster, account, native } = ground
  if (await isThere(join(cluster, 'PG_VERSION'))) return known.password === '' ? replacePassword(ground, known) : known
  const begun = performance.now()
  const kept = { ...known, password: newPassword() }
  const unfinished = `${cluster}.new`
  const passwordFile = `${cluster}.password`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  try {
    await writeFile(passwordFile, `${kept.password}\n`, { mode: 0o600 })
    if (account) for (const path of [unfinished, passwordFile]) await chown(path, account.uid, account.gid)
    const args = ['-D', unfinished, '-U', kept.user, '--pwfile', passwordFile, '-A', 'scram-sha-256', '--encoding=UTF8']
    args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-sync', '--no-instructions')
    await run(join(native, 'bin/initdb'), args, { ...runAs(account), cwd: unfinished, env: environment() }).catch((cause) => {
      const what = `The database cluster could not be made in ${cluster}`
      throw fail('SERVER_DATABASE_FAILED', { what, why: lastLines(cause.stderr), cause })
    })
  } finally {
    await rm(passwordFile, { force: true })
  }
  await writeKept(ground, kept)
  // only an empty or broken folder can be in the place: it holds no PG_VERSION
  await rm(cluster, { recursive: true, force: true })
  await rename(unfinished, cluster)
  note(ground, `made the database cluster (${seconds(begun)})`)
  if (durable) syncBehind(ground)
  return kept
}

/** initdb's own sync takes seconds on a slow disk; it may as well happen while we go on. */
function syncBehind({ cluster, account, native, log }: Ground): void {
  const options = { ...runAs(account), cwd: cluster, env: environment(), stdio: 'ignore' as const }
  const child = spawn(join(native, 'bin/initdb'), ['-D', cluster, '--sync-only'], options)
  void exitOf(child).then((code) => {
    if (code !== 0) log('the new database cluster could not be synced to disk yet')
  })
  child.unref()
}

/** The password file was lost: PostgreSQL's single-user mode asks for none. */
async function replacePassword(ground: Ground, known: Kept): Promise<Kept> {
  const { cluster, account, native } = ground
  await endServer(cluster)
  await clearLeftovers(ground)
  const kept = { ...known, password: newPassword() }
  await writeOwned(
    ground,
    'postgresql.conf',
    renderSettings({ listen: 5432, sharedBuffersMb: 16, maxConnections: 10, durable: true }),
  )
  const child = spawn(join(native, 'bin/postgres'), ['--single', '-D', cluster, 'postgres'], {
    ...runAs(account),
    cwd: cluster,
    env: environment(),
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const ended = exitOf(child)
  child.stdin.on('error', () => undefined)
  child.stdin.end(`alter role "${kept.user}" password '${kept.password}'\n`)
  if ((await ended) !== 0) throw fail('SERVER_DATABASE_FAILED', { what: 'The lost superuser password could not be replaced' })
  await writeKept(ground, kept)
  note(ground, 'replaced the lost superuser password')
  return kept
}

function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
