import { spawn } from 'node:child_process'
import { createReadStream, openSync, readFileSync, renameSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { getCompileCacheDir } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { asHeddleError, fail } from '../core/fail.ts'
import { createBoundedLog } from './bounded-log.ts'
import type { Context } from './context.ts'
import { openDataDirectory } from './data-directory.ts'
import { endLeftovers } from './end-leftovers.ts'
import type { StartedPlatform } from './io.ts'
import { locateData } from './locate-server.ts'
import { openBrowser } from './open-browser.ts'
import { markProcess, type ProcessMark } from './process-mark.ts'
import { findRunning, type RunFile, removeRunFile, writeRunFile } from './run-file.ts'
import { lockDataDirectory, waitForOther } from './start-lock.ts'
import { trimCompileCache } from './trim-compile-cache.ts'

const FIRST_CHOICE = 4000

/** Starts the platform in the foreground, or behind with `--detach`; on a directory where it runs already, says where. */
export async function start(context: Context): Promise<number> {
  const began = performance.now()
  const chosen = await locateData({ data: context.flags.data, env: context.io.env, dir: context.dir })
  // Before anything is made: a mistyped flag must leave no folder behind.
  const listen = askedListen(context)
  for (;;) {
    const attached = await waitForOther(chosen, {
      say: ({ pid }) => context.note(() => [`..  process ${pid} is starting or stopping on ${chosen}; waiting for it`]),
      done: () => findRunning(chosen),
    })
    if (attached) return sayRunning(context, chosen, attached, listen)
    if (context.has('detach')) return startBehind(context, chosen)
    try {
      return await startHere(context, { chosen, began, listen })
    } catch (thrown) {
      // Somebody who waited as well was quicker.
      if (asHeddleError(thrown).code !== 'SERVER_START_BUSY') throw thrown
    }
  }
}

function sayRunning(context: Context, data: string, running: RunFile, listen: number | null): number {
  if (listen !== null && listen !== 0 && listen !== running.listen) {
    throw fail('SERVER_LISTEN_FIXED', {
      what: `Heddle runs on ${data} already and listens on ${running.listen}, not on ${listen}`,
      fix: `heddle stop, then  heddle start --listen ${listen}`,
    })
  }
  context.print({ type: 'result', state: 'ready', url: running.url, data, pid: running.pid, attached: true }, () => [
    `Running since ${running.startedAt.slice(0, 19)}Z at ${running.url} (process ${running.pid}).`,
    'Next: heddle status   heddle open   stop: heddle stop',
  ])
  return 0
}

type Chosen = { chosen: string; began: number; listen: number | null }

async function startHere(context: Context, { chosen, began, listen: asked }: Chosen): Promise<number> {
  const { io } = context
  const data = await openDataDirectory(chosen)
  const unlock = await lockDataDirectory(data.path)
  const append = createBoundedLog(join(data.logs, 'heddle.log'))
  const log = (line: string) => append(`${io.now().toISOString()} ${line}`)
  const line = (text: string) => context.note(() => [text])
  try {
    line(`heddle ${io.version}   data ${data.path}   local only, no account, no telemetry`)
    const repaired = [...data.did, ...(await endLeftovers(data.path, { database: false }))]
    const listen = asked ?? (await chooseListen(context, data.path))
    const empty = context.has('empty')
    // Heard from now on: who interrupts a start must not be left with half of one.
    const stop = listenForStop(context)
    let isReady = false
    const platform = await io.startPlatform!({
      data,
      listen,
      sample: !empty,
      up(part, ms, detail) {
        line(`ok  ${part.padEnd(14)} ${(ms / 1000).toFixed(1).padStart(5)} s  ${detail}`)
        // the last object of the stream is the result
        if (!isReady) context.stream({ type: 'service', name: part, ms: Math.round(ms), detail })
      },
      log,
    })
    repaired.push(...platform.did)
    await writeFile(join(data.path, 'listen'), `${platform.listen}\n`, { mode: 0o600 })
    const self = (await markProcess(process.pid))!
    const run = {
      ...self,
      startedAt: io.now().toISOString(),
      version: io.version,
      listen: platform.listen,
      url: platform.url,
      postgres: platform.postgres,
    }
    await writeRunFile(data.path, { ...run, children: [] })
    const recorded = recordChildren(data.path, run, platform).catch((thrown: unknown) => {
      const { code, message, fix } = asHeddleError(thrown)
      if (!stop.isAsked()) for (const text of [`FAIL dbt            ${code}: ${message}`, `    fix  ${fix}`]) line(text)
    })
    for (const what of repaired) line(`    ${what}`)
    if (!empty && !stop.isAsked()) await Promise.race([seed(context, platform, stop.isAsked), stop.whenAsked])
    isReady = true
    if (!stop.isAsked()) await sayReady(context, { platform, data: data.path, began, repaired })
    const cache = getCompileCacheDir()
    if (cache) trimCompileCache(cache).catch((error: Error) => log(`compile cache: ${error.message}`))
    const replayed = new AbortController()
    // commander gives --no-replay as replay = false
    const isReplaying = !empty && context.has('replay') && !stop.isAsked()
    const replay = isReplaying ? replayBehind(context, platform, log, replayed.signal) : null
    await stop.whenAsked
    line('stopping …')
    replayed.abort()
    await replay
    await platform.stop()
    await recorded
    await removeRunFile(data.path)
    line('stopped; the data stays in the data directory')
    return 0
  } finally {
    await unlock()
  }
}

/** What has to be ended after a crash is known when it stands. */
async function recordChildren(data: string, run: Omit<RunFile, 'children'>, { children }: StartedPlatform): Promise<void> {
  const marks = await Promise.all((await children).map(markProcess))
  await writeRunFile(data, { ...run, children: marks.filter((mark): mark is ProcessMark => mark !== null) })
}

type Ready = { platform: StartedPlatform; data: string; began: number; repaired: string[] }

async function sayReady(context: Context, { platform, data, began, repaired }: Ready): Promise<void> {
  const line = (text: string) => context.note(() => [text])
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const url = await platform.onceUrl()
  context.stream({
    type: 'result',
    state: 'ready',
    url: platform.url,
    once: url,
    data,
    seconds: Number(seconds),
    did: repaired,
  })
  line(`Ready in ${seconds} s   ${url}`)
  line(`use it:  export PATH="${join(data, 'bin')}:$PATH"`)
  line(
    context.has('empty')
      ? 'then:    heddle new NAME --domain DOMAIN   stop: heddle stop'
      : 'then:    heddle status   heddle show fleet/planes   heddle new   stop: heddle stop',
  )
  // commander gives --no-open as open = false
  if (context.has('open') && !context.flags.json) openBrowser(context.io, url)
}

function listenForStop({ io }: Context): { isAsked(): boolean; whenAsked: Promise<void> } {
  let isAsked = false
  const whenAsked = new Promise<void>((resolve) => {
    const ask = () => {
      isAsked = true
      resolve()
    }
    io.onInterrupt(ask)
    process.once('SIGTERM', ask)
    process.once('SIGHUP', ask)
  })
  return { isAsked: () => isAsked, whenAsked }
}

/** The platform is of use without its sample, so a sample that fails is said and left to be repaired. */
async function seed(context: Context, platform: StartedPlatform, isStopping: () => boolean): Promise<void> {
  try {
    await platform.seed((text) => context.note(() => [text]))
  } catch (thrown) {
    if (isStopping()) return
    const { code, message, fix } = asHeddleError(thrown)
    context.note(() => [`FAIL sample         ${code}: ${message}`, `    fix  ${fix}`])
  }
}

/** The past of the sample arrives while people are at work already: what goes wrong with it is said and stops nothing. */
async function replayBehind(
  context: Context,
  platform: StartedPlatform,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const say = (text: string) => {
    log(`sample: ${text}`)
    context.note(() => [`    sample: ${text}`])
  }
  await platform.replay(say, signal).catch((thrown: unknown) => {
    const { code, message } = asHeddleError(thrown)
    say(`the replay has stopped: ${code} ${message}`)
  })
}

/** What `--listen` says; null when it was not given. @throws CLI_USAGE_INVALID */
function askedListen(context: Context): number | null {
  const asked = context.option('listen')
  if (asked === undefined) return null
  const number = /^\d{1,5}$/.test(asked) ? Number(asked) : Number.NaN
  if (number >= 0 && number <= 65_535) return number
  throw fail('CLI_USAGE_INVALID', {
    what: `--listen ${asked} is no TCP number`,
    fix: 'Use 1024 to 65535, or 0 for any free one.',
  })
}

/** The number that was chosen once and is kept; another one when a stranger has it, and the user is told. */
async function chooseListen(context: Context, data: string): Promise<number> {
  const kept = Number(await readFile(join(data, 'listen'), 'utf8').catch(() => ''))
  const wanted = kept > 0 ? kept : FIRST_CHOICE
  if (await isFree(wanted)) return wanted
  if (kept > 0) context.note(() => [`    listen number ${kept} is taken by another process; choosing a free one`])
  return 0
}

function isFree(number: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ host: '127.0.0.1', port: number }, () => probe.close(() => resolve(true)))
  })
}

/** The same command again, on its own; what it says is passed on until it is ready or has failed. */
async function startBehind(context: Context, chosen: string): Promise<number> {
  const data = await openDataDirectory(chosen)
  // Its own until it is ready: another start at the same time writes another one.
  const path = join(data.logs, `start.log.${process.pid}`)
  const out = openSync(path, 'w', 0o600)
  const args = process.argv.slice(1).filter((arg) => arg !== '--detach')
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    stdio: ['ignore', out, out],
    cwd: context.dir,
  })
  let ended: number | null = null
  child.once('exit', (code) => {
    ended = code ?? 1
  })
  let shown = 0
  for (;;) {
    // Read after it: what a process wrote before it ended is there then.
    const code = ended
    const text = readFileSync(path, 'utf8')
    const complete = text.slice(shown, text.lastIndexOf('\n') + 1)
    if (complete) (context.flags.json ? context.io.stdout : context.io.stderr).write(complete)
    shown += complete.length
    if (/^Ready in |"state":"ready"/m.test(text)) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      createReadStream(path, { start: Buffer.byteLength(text.slice(0, shown)) }).pipe(context.io.stderr, { end: false })
      renameSync(path, join(data.logs, 'start.log'))
      child.unref()
      return 0
    }
    // It may have found another one running and said so.
    if (code !== null) {
      renameSync(path, join(data.logs, 'start.log'))
      return code
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
