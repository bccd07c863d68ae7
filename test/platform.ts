import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { type Client, createClient } from '../src/client/client.ts'
import { isConnectionLost } from '../src/store/lost-connection.ts'

const root = join(import.meta.dirname, '..')
const MAIN = join(root, 'src/main.ts')

export type Ran = { status: number; stdout: string; stderr: string; json<T = Record<string, unknown>>(): T }

type Said = { type?: string; state?: string; url: string; seconds: number; detail: string; did: string[] }

/** The whole platform in processes of its own, as a user starts it, on a fresh data directory. */
export type TestPlatform = {
  url: string
  data: string
  seconds: number
  client(as?: string): Client
  /** the command line against this platform; `cwd` for verbs on a working tree */
  cli(args: string[], options?: { cwd?: string; env?: Record<string, string>; input?: string }): Promise<Ran>
  git(args: string[], cwd: string): Promise<Ran>
  /** a clone of a product, with an author, ready to commit and push */
  clone(address: string): Promise<string>
  /** the control database */
  control(): Promise<pg.Client>
  /** an environment's database as superuser: for counting effects, never for reading what a consumer should */
  warehouse(environment: string): Promise<pg.Client>
  /** process id of the control plane */
  pid(): number
  kill(signal: NodeJS.Signals): Promise<void>
  /** starts again on the same data directory (after kill or stop) */
  start(options?: { failpoint?: string }): Promise<void>
  /** starts with a failpoint and resolves when it has killed the control plane, ready or not */
  startUntilKilled(failpoint: string): Promise<void>
  /** what the last start repaired or resumed, in words; details of its services too */
  did(): string[]
  /** resolves when the control plane has ended */
  ended(): Promise<void>
  stop(): Promise<void>
  dispose(): Promise<void>
}

export type TestPlatformOptions = {
  sample?: boolean
  replay?: boolean
  mesh?: string
  failpoint?: string
  env?: Record<string, string>
}

export async function startTestPlatform(options: TestPlatformOptions = {}): Promise<TestPlatform> {
  const base = await mkdtemp(join(tmpdir(), 'heddle-test-'))
  await chmod(base, 0o755)
  const data = join(base, 'data')
  if (options.mesh) {
    mkdirSync(data, { mode: 0o711 })
    await writeFile(join(data, 'mesh.yml'), options.mesh)
  }
  let child: ChildProcess
  let url = ''
  let seconds = 0
  let token = ''
  let did: string[] = []
  const clients: pg.Client[] = []

  function launch(failpoint: string | undefined): ChildProcess {
    const env = {
      ...process.env,
      ...options.env,
      ...(failpoint && { HEDDLE_FAILPOINT: failpoint }),
      NODE_COMPILE_CACHE: join(root, '.runtime/compile-cache'),
    }
    // The first start chooses a number, the others keep it, as a user's do.
    const listen = url === '' ? ['--listen', '0'] : []
    const launched = spawn(
      process.execPath,
      [
        MAIN,
        'start',
        '--data',
        data,
        ...listen,
        '--json',
        '--no-open',
        ...(options.sample ? [] : ['--empty']),
        ...(options.replay ? [] : ['--no-replay']),
      ],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    launched.stderr.on('data', (chunk) => appendFileSync(join(base, 'stderr.log'), chunk))
    return launched
  }

  async function start({ failpoint }: { failpoint?: string } = {}): Promise<void> {
    child = launch(failpoint)
    did = []
    const ready = new Promise<{ url: string; seconds: number }>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const message = JSON.parse(line) as Said
        if (message.type === 'service') did.push(message.detail)
        if (message.type !== 'result' || message.state !== 'ready') return
        did.push(...message.did)
        resolve(message)
      })
      let said = ''
      child.stdout!.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-3000)))
      child.once('exit', async (code, signal) => {
        const text = await readFile(join(base, 'stderr.log'), 'utf8').catch(() => '')
        reject(new Error(`start ended with ${signal ?? code}:\n${text.slice(-3000)}${said}`))
      })
    })
    ;({ url, seconds } = await ready)
    token = (await readFile(join(data, 'cli-token'), 'utf8')).trim()
  }

  async function startUntilKilled(failpoint: string): Promise<void> {
    child = launch(failpoint)
    let said = ''
    child.stdout!.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-3000)))
    const patience = setTimeout(() => child.kill('SIGTERM'), 60_000)
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
    clearTimeout(patience)
    if (signal === 'SIGKILL') return
    const log = await readFile(join(data, 'logs/heddle.log'), 'utf8').catch(() => '')
    throw new Error(`${failpoint} killed nothing; start ended with ${signal ?? code}:\n${said}${log.slice(-2000)}`)
  }

  await start(options.failpoint ? { failpoint: options.failpoint } : {})

  async function connect(database: string): Promise<pg.Client> {
    const kept = JSON.parse(await readFile(join(data, 'postgres.json'), 'utf8')) as { listen: number; password: string }
    const place = { host: '127.0.0.1', port: kept.listen, user: 'postgres', password: kept.password, database }
    for (let tries = 0; ; tries++) {
      const client = new pg.Client(place)
      client.on('error', () => {})
      try {
        await client.connect()
        clients.push(client)
        return client
      } catch (error) {
        // Killed by a test, it comes back in a moment.
        if (tries === 100 || !isConnectionLost(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }

  const platform: TestPlatform = {
    get url() {
      return url
    },
    data,
    get seconds() {
      return seconds
    },
    client: (as) => createClient({ url, token, ...(as && { as }) }),
    cli: (args, more = {}) =>
      run(process.execPath, [MAIN, ...args, '--data', data], {
        cwd: more.cwd ?? base,
        env: more.env ?? {},
        ...(more.input !== undefined && { input: more.input }),
      }),
    git: (args, cwd) => run('git', args, { cwd, env: {} }),
    async clone(address) {
      const into = await mkdtemp(join(base, 'clone-'))
      const cloned = await platform.cli(['clone', address, into])
      if (cloned.status !== 0) throw new Error(cloned.stderr)
      await platform.git(['config', 'user.name', 'Dana'], into)
      await platform.git(['config', 'user.email', 'dana@example.org'], into)
      return into
    },
    control: () => connect('heddle'),
    warehouse: (environment) => connect(environment),
    pid: () => child.pid!,
    async kill(signal) {
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
    },
    start,
    startUntilKilled,
    did: () => did,
    async ended() {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
    async stop() {
      await Promise.all(clients.splice(0).map((client) => client.end().catch(() => {})))
      if (child.exitCode === null && child.signalCode === null) await platform.kill('SIGTERM')
    },
    async dispose() {
      await platform.stop()
      // What a killed control plane left behind is ended too: the database above all.
      await run(process.execPath, [MAIN, 'stop', '--data', data], { cwd: root, env: {} })
      await rm(base, { recursive: true, force: true })
    },
  }
  return platform
}

function run(
  command: string,
  args: string[],
  options: { cwd: string; env: Record<string, string>; input?: string },
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', NO_COLOR: '1', ...options.env }
    const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (chunk) => out.push(chunk))
    child.stderr.on('data', (chunk) => err.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      const stdout = Buffer.concat(out).toString('utf8')
      resolve({ status: code ?? 1, stdout, stderr: Buffer.concat(err).toString('utf8'), json: <T>() => JSON.parse(stdout) as T })
    })
    // A command that reads nothing may have ended by now.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}
