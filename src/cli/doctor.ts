import { execFile } from 'node:child_process'
import { access, stat, statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isOurProcess } from './process-mark.ts'
import { type RunFile, readRunFile } from './run-file.ts'

const run = promisify(execFile)

/** One thing looked at. `detail` is one line for people; `fix` is there when `state` is not ok. */
export type Check = { name: string; state: 'ok' | 'warn' | 'fail'; detail: string; fix?: string }

const CHECKOUT = join(import.meta.dirname, '../..')
const GIGABYTE = 1e9
/** PostgreSQL's greeting of a client that asks for TLS: length 8, code 80877103. It answers S or N. */
const TLS_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/** Looks at the machine and at what runs on the data directory; changes nothing, and works without a control plane. */
export async function doctor(dataDir: string): Promise<Check[]> {
  const running = await readRunFile(dataDir)
  return Promise.all([
    checkMachine(),
    checkDisk(dataDir),
    checkNode(),
    checkGit(),
    checkPython(),
    checkIsolation(),
    checkDataDirectory(dataDir),
    checkDatabase(running),
    checkControlPlane(running),
    checkClock(running),
  ])
}

function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail }
}

function checkMachine(): Check {
  const cores = availableParallelism()
  // of the container, where there is one
  const available = process.availableMemory()
  const detail = `${cores} cores, ${gigabytes(available)} of ${gigabytes(totalmem())} memory available`
  if (cores >= 2 && available >= 1.5 * GIGABYTE) return ok('machine', detail)
  return { name: 'machine', state: 'warn', detail, fix: 'Give it 2 cores and 1.5 GB of free memory, or expect it to be slow.' }
}

async function checkDisk(dataDir: string): Promise<Check> {
  const found = (await statfs(dataDir).catch(() => null)) ?? (await statfs(CHECKOUT))
  const free = found.bavail * found.bsize
  const detail = `${gigabytes(free)} free for the data directory`
  if (free >= 2 * GIGABYTE) return ok('disk', detail)
  return {
    name: 'disk',
    state: free < 0.5 * GIGABYTE ? 'fail' : 'warn',
    detail,
    fix: 'Free some disk: the database stops when it is full.',
  }
}

function checkNode(): Check {
  const [major] = process.versions.node.split('.')
  if (Number(major) >= 24) return ok('node', process.version)
  return {
    name: 'node',
    state: 'fail',
    detail: `${process.version} is too old`,
    fix: 'Start Heddle by its launcher ./heddle, which brings Node 24.',
  }
}

async function checkGit(): Promise<Check> {
  const fix = 'Install git 2.31 or newer, with its http-backend.'
  try {
    const [version, folder] = await Promise.all([say('git', ['--version']), say('git', ['--exec-path'])])
    await access(join(folder, 'git-http-backend'))
    const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(version) ?? []
    const isNew = Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 31)
    return isNew ? ok('git', version) : { name: 'git', state: 'fail', detail: `${version} is too old`, fix }
  } catch {
    return { name: 'git', state: 'fail', detail: 'git or its http-backend is missing', fix }
  }
}

async function checkPython(): Promise<Check> {
  const program = `
import importlib.metadata as m, platform, psycopg2
print('Python', platform.python_version() + ', dbt-core', m.version('dbt-core') + ', dbt-postgres', m.version('dbt-postgres'))`
  const detail = await askPython(program)
  if (detail !== null) return ok('python', detail)
  const fix = 'Remove .runtime in the checkout and start again: the launcher makes it anew.'
  return { name: 'python', state: 'fail', detail: 'the Python environment does not work', fix }
}

/** The ladder: a user of its own per product, else Landlock, else only a process. */
async function checkIsolation(): Promise<Check> {
  if (process.getuid?.() === 0) return ok('isolation', 'own-uid: each product runs as a user of its own')
  // landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) has one number on every architecture we run on
  const answer =
    process.platform === 'linux' ? await askPython('import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))') : null
  const version = Number(answer)
  if (version >= 1) return ok('isolation', `landlock: version ${version}, each run sees its own folders only`)
  return {
    name: 'isolation',
    state: 'warn',
    detail: "process: a run is not isolated from other products' runs",
    fix: 'Start Heddle as root, or on Linux 5.13 or newer with Landlock.',
  }
}

async function checkDataDirectory(dataDir: string): Promise<Check> {
  const name = 'data directory'
  const found = await stat(dataDir).catch(() => null)
  if (!found) return { name, state: 'warn', detail: `${dataDir} does not exist yet`, fix: 'Run `heddle start`.' }
  const uid = process.getuid?.()
  if (uid !== undefined && uid !== 0 && found.uid !== uid) {
    return {
      name,
      state: 'fail',
      detail: `${dataDir} belongs to another user`,
      fix: 'Run the command as that user, or choose another with --data.',
    }
  }
  const loose: string[] = []
  const closed = uid === 0 ? 0o066 : 0o077
  if (found.mode & closed) loose.push(dataDir)
  for (const file of ['secrets.key', 'cli-token', 'postgres.json', 'run.json', 'postgres', 'repos', 'archive', 'logs']) {
    const there = await stat(join(dataDir, file)).catch(() => null)
    if (there && there.mode & 0o077) loose.push(file)
  }
  if (loose.length === 0) return ok(name, `${dataDir}, closed to other users`)
  return {
    name,
    state: 'fail',
    detail: `open to other users: ${loose.join(', ')}`,
    fix: 'Run `heddle start`, which closes them, and change the secrets.',
  }
}

async function checkDatabase(running: RunFile | null): Promise<Check> {
  const name = 'database'
  if (!running) return { name, state: 'warn', detail: 'not started', fix: 'Run `heddle start`.' }
  const { port } = running.postgres
  const answer = await greet(port, TLS_REQUEST)
  if (answer === 'N' || answer === 'S') return ok(name, `PostgreSQL answers on 127.0.0.1:${port}`)
  const detail = answer === null ? `nothing listens on 127.0.0.1:${port}` : `what listens on 127.0.0.1:${port} is not PostgreSQL`
  return { name, state: 'fail', detail, fix: 'Run `heddle start`: it repairs the database and says what it did.' }
}

async function checkControlPlane(running: RunFile | null): Promise<Check> {
  const name = 'control plane'
  if (!running) return { name, state: 'warn', detail: 'not started', fix: 'Run `heddle start`.' }
  if (!(await isOurProcess(running.pid, running.startTicks))) {
    return {
      name,
      state: 'fail',
      detail: `process ${running.pid} is gone without a stop`,
      fix: 'Run `heddle start`: it cleans up and says what it did.',
    }
  }
  const url = `http://127.0.0.1:${running.listen}/`
  const status = await fetch(url, { signal: AbortSignal.timeout(5000), redirect: 'manual' }).then(
    (answer) => answer.status,
    () => null,
  )
  if (status !== null && status < 500) return ok(name, `version ${running.version} answers on ${url}`)
  const detail = status === null ? `does not answer on ${url}` : `answers ${status} on ${url}`
  return { name, state: 'fail', detail, fix: 'Read the logs in the data directory, then `heddle stop` and `heddle start`.' }
}

/** Leases and schedules follow the clock: one that went back would stop them. */
function checkClock(running: RunFile | null): Check {
  const now = new Date()
  if (!running || Date.parse(running.startedAt) <= now.getTime() + 1000) return ok('clock', now.toISOString())
  const detail = `${now.toISOString()} is before the last start at ${running.startedAt}`
  return { name: 'clock', state: 'fail', detail, fix: "Set the machine's clock, and keep it by NTP." }
}

async function say(program: string, args: string[]): Promise<string> {
  const { stdout } = await run(program, args, { timeout: 20_000 })
  return stdout.trim()
}

function askPython(program: string): Promise<string | null> {
  return say(join(CHECKOUT, '.runtime/python/bin/python'), ['-I', '-c', program]).catch(() => null)
}

/** The first byte that the listener answers, '' when it says nothing, null when there is none. */
function greet(port: number, words: Buffer): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(words))
    const end = (answer: string | null) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(5000, () => end(''))
    socket.once('data', (bytes) => end(bytes.toString('latin1').slice(0, 1)))
    socket.once('end', () => end(''))
    socket.once('error', () => end(null))
  })
}

function gigabytes(bytes: number): string {
  return `${(bytes / GIGABYTE).toFixed(1)} GB`
}
