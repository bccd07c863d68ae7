import { resolve } from 'node:path'
import type { Client } from '../client/client.ts'
import { isClientError } from '../client/client-error.ts'
import { parseProductAddress } from '../core/address.ts'
import { parseDuration } from '../core/duration.ts'
import { asHeddleError, type HeddleError } from '../core/fail.ts'
import type { Context, Flags } from './context.ts'
import { EXIT, exitCodeOf, isRetryable } from './exit-code.ts'
import type { CliIo } from './io.ts'
import { locateServer, type Server } from './locate-server.ts'
import { VERBS } from './verbs.ts'
import { clampWidth, type Style } from './views/human/style.ts'

/** Off a terminal nothing is cut: what reads the output decides. */
const PIPE_WIDTH = 200

/**
 * The whole command line: parse, run one verb, print, exit code. Writes only to the streams it is given and never ends the process.
 * @param argv without node and the script
 */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  // The commonest question of scripts and shells is answered without loading a parser.
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    io.stdout.write(`${io.version}\n`)
    return EXIT.ok
  }
  // A shell asks at every key press, so its question is read by hand.
  if (argv[0] === 'complete' && (argv[1] === '--' || argv[1] === '--fill')) {
    const { complete } = await import('./commands/completion.ts')
    return complete(
      createContext(io, readFlags({}, io), {
        args: argv.slice(2),
        options: { fill: argv[1] === '--fill' },
        directory: undefined,
      }),
    )
  }
  const json = argv.includes('--json')
  try {
    const { parseArguments } = await import('./parse.ts')
    const parsed = parseArguments(argv, VERBS, widthOf(io, io.isTty.stdout))
    if (parsed.kind === 'help') {
      io.stdout.write(`${parsed.lines.join('\n')}\n`)
      return EXIT.ok
    }
    const flags = readFlags(parsed.globals, io)
    const run = await parsed.verb.load()
    return await run(createContext(io, flags, { ...parsed, directory: parsed.globals.directory as string | undefined }))
  } catch (thrown) {
    const error = asHeddleError(thrown)
    await showError(error, io, json)
    return exitCodeOf(error)
  }
}

function readFlags(globals: Record<string, unknown>, { env }: CliIo): Flags {
  const text = (name: string) => globals[name] as string | undefined
  const timeout = text('timeout')
  return {
    json: globals.json === true,
    as: text('as'),
    env: text('env') ?? (env.HEDDLE_ENV || undefined),
    data: text('data'),
    yes: globals.yes === true,
    dryRun: globals.dryRun === true,
    wait: globals.wait as boolean | undefined,
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
    quiet: globals.quiet === true,
    colour: globals.color !== false && !env.NO_COLOR && env.TERM !== 'dumb',
    input: globals.input !== false,
    utc: globals.utc === true,
  }
}

type Called = { args: readonly (string | undefined)[]; options: Record<string, unknown>; directory: string | undefined }

function createContext(io: CliIo, flags: Flags, { args, options, directory }: Called): Context {
  const dir = resolve(io.cwd, directory ?? '.')
  let server: Promise<Server> | undefined
  let client: Promise<Client> | undefined
  const findServer = () =>
    (server ??= locateServer({ data: flags.data === undefined ? undefined : resolve(io.cwd, flags.data), env: io.env, dir }))
  return {
    io,
    dir,
    args,
    flags,
    option: (name) => options[name] as string | undefined,
    has: (name) => options[name] === true,
    style: () => styleOf(io, flags, io.isTty.stdout),
    progressStyle: () => styleOf(io, flags, io.isTty.stderr),
    server: findServer,
    client: () => (client ??= openClient(findServer, flags, io)),
    async product(argument) {
      if (argument !== undefined) {
        parseProductAddress(argument)
        return argument
      }
      const { readAddress, requireWorkingTree } = await import('./working-tree.ts')
      return readAddress(await requireWorkingTree(dir))
    },
    async environment() {
      if (flags.env !== undefined) return flags.env
      const { findWorkingTree, readTreeEnvironment } = await import('./working-tree.ts')
      const tree = await findWorkingTree(dir)
      return tree === null ? undefined : readTreeEnvironment(tree)
    },
    print(value, human) {
      const text = flags.json ? JSON.stringify(value) : human(styleOf(io, flags, io.isTty.stdout)).join('\n')
      if (text !== '') io.stdout.write(`${text}\n`)
    },
    stream(value) {
      if (flags.json) io.stdout.write(`${JSON.stringify(value)}\n`)
    },
    note(human) {
      if (flags.json || flags.quiet) return
      const lines = human(styleOf(io, flags, io.isTty.stderr))
      if (lines.length > 0) io.stderr.write(`${lines.join('\n')}\n`)
    },
  }
}

async function openClient(findServer: () => Promise<Server>, flags: Flags, io: CliIo): Promise<Client> {
  const [{ createClient }, { url, token }] = await Promise.all([import('../client/client.ts'), findServer()])
  return createClient({ url, token, ...(flags.as !== undefined && { as: flags.as }), ...(io.check && { check: true }) })
}

function styleOf(io: CliIo, flags: Pick<Flags, 'colour' | 'utc'>, terminal: boolean): Style {
  return {
    width: widthOf(io, terminal),
    colour: flags.colour && terminal,
    // Asking for the zone loads the calendar's tables: only what shows a time pays for it.
    get zone() {
      return flags.utc ? 'UTC' : io.env.TZ || Intl.DateTimeFormat().resolvedOptions().timeZone
    },
    now: io.now(),
  }
}

function widthOf(io: CliIo, terminal: boolean): number {
  return clampWidth(terminal ? (io.columns ?? 80) : PIPE_WIDTH)
}

/** With `--json` the error is the one object on stdout, so that a script always reads exactly one; else text on stderr. */
async function showError(error: HeddleError, io: CliIo, json: boolean): Promise<void> {
  const problem = {
    code: error.code,
    message: error.message,
    why: error.why ?? (error.code === 'INTERNAL_UNEXPECTED' && error.cause instanceof Error ? error.cause.message : undefined),
    fix: error.fix,
    docs: isClientError(error) ? error.docs : `docs/errors.md#${error.code.toLowerCase()}`,
    requestId: isClientError(error) ? error.requestId : undefined,
    at: error.at,
    details: error.details,
  }
  if (json) {
    const { errorObject } = await import('./views/json/error.ts')
    io.stdout.write(`${JSON.stringify(errorObject(problem, isRetryable(error)))}\n`)
    return
  }
  const { renderProblem } = await import('./views/human/error.ts')
  const colour = !io.env.NO_COLOR && io.env.TERM !== 'dumb'
  const style = styleOf(io, { colour, utc: false }, io.isTty.stderr)
  io.stderr.write(`${renderProblem(problem, { ...style, width: Math.min(style.width, 120) }).join('\n')}\n`)
}
