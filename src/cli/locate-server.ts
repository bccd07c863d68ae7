import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '../core/fail.ts'
import { readRunFile } from './run-file.ts'

export type Server = { url: string; token: string; data: string | null }
export type Place = { data: string | undefined; env: Record<string, string | undefined>; dir: string }

const FOLDER = 'heddle-data'
const READ_MS = 2_000

/**
 * Where the server is and what speaks for its user. HEDDLE_URL with HEDDLE_TOKEN (for CI, where there is no data directory) go before everything that is
 * found by looking; `--data` goes before them.
 * @throws CLIENT_SERVER_UNREACHABLE when nothing runs there
 */
export async function locateServer(place: Place): Promise<Server> {
  const { HEDDLE_URL: url, HEDDLE_TOKEN: token } = place.env
  if (place.data === undefined && url && token) return { url, token, data: null }
  const data = await locateData(place)
  const run = await readRunFile(data)
  const spoken = await readFile(join(data, 'cli-token'), 'utf8').catch(() => null)
  if ((run === null || spoken === null) && (await isClosed(data))) {
    throw fail('CLIENT_SERVER_UNREACHABLE', {
      what: `The data directory ${data} belongs to another user and cannot be read by this one`,
      why: 'its token speaks for the user who started Heddle',
      fix: 'Run the command as that user, or set HEDDLE_URL and HEDDLE_TOKEN to a server and a token of your own.',
    })
  }
  if (run === null || spoken === null)
    throw fail('CLIENT_SERVER_UNREACHABLE', {
      what: `No server is running with the data directory ${data}`,
      why: run === null ? 'there is no run.json' : 'there is no cli-token this user may read',
    })
  return { url: run.url, token: spoken.trim(), data }
}

/** `--data`, then HEDDLE_DATA, then the nearest heddle-data upwards, then the one this clone was made from, then heddle-data here. */
export async function locateData({ data, env, dir }: Place): Promise<string> {
  const named = data ?? (env.HEDDLE_DATA || undefined)
  if (named !== undefined) return resolve(dir, named)
  for (let folder = resolve(dir); ; folder = dirname(folder)) {
    if (await isFolder(join(folder, FOLDER))) return join(folder, FOLDER)
    if (folder === dirname(folder)) break
  }
  return (await readCloneData(dir)) ?? join(resolve(dir), FOLDER)
}

/** A clone may lie anywhere, so `heddle clone` writes into its git configuration which data directory it came from. */
async function readCloneData(dir: string): Promise<string | null> {
  const read = promisify(execFile)('git', ['-C', dir, 'config', '--local', '--get', 'heddle.data'], { timeout: READ_MS })
  return read.then(({ stdout }) => stdout.trim() || null).catch(() => null)
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** Is it there and not for this user to read? */
async function isClosed(data: string): Promise<boolean> {
  const tries = await Promise.allSettled(['run.json', 'cli-token'].map((name) => readFile(join(data, name))))
  return tries.some((one) => one.status === 'rejected' && (one.reason as NodeJS.ErrnoException).code === 'EACCES')
}
