import { spawn } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'

const CREDENTIAL_FILE = 'heddle-credential'
/** Reads the clone's own credential file, wherever the clone was moved to. Only for our server: the configuration key names its address. */
const HELPER = `!f() { test "$1" = get && cat "$(git rev-parse --absolute-git-dir)/${CREDENTIAL_FILE}"; }; f`
/** During the clone there is no such file yet, so the token comes through the environment of that one git process. */
const FIRST_HELPER = `!f() { test "$1" = get && printf 'username=git\\npassword=%s\\n' "$HEDDLE_GIT_TOKEN"; }; f`

/** A real `git clone` whose git token stands in the clone's own configuration, never in a command line or URL. */
export async function cloneProduct(context: Context): Promise<number> {
  const address = await context.product(context.args[0])
  const client = await context.client()
  const { repository } = await client.product(address)
  const directory = resolve(context.dir, context.args[1] ?? address.split('/')[1]!)
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, product: address, cloneUrl: repository.cloneUrl, directory }, () => [
      `Would clone ${repository.cloneUrl} into ${directory}`,
    ])
    return EXIT.ok
  }
  const { token, expiresAt } = await client.createToken(address, 'git')
  if (/[\0\r\n]/.test(token)) throw fail('CLIENT_ANSWER_INVALID', { what: 'The git token holds a line end' })
  const scope = `credential.${new URL(repository.cloneUrl).origin}.helper`
  const settings = [
    [scope, ''],
    [scope, FIRST_HELPER],
  ] as const
  await git(
    context,
    ['clone', ...(context.flags.quiet || context.flags.json ? ['--quiet'] : []), '--', repository.cloneUrl, directory],
    {
      HEDDLE_GIT_TOKEN: token,
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], at) => [
          [`GIT_CONFIG_KEY_${at}`, key],
          [`GIT_CONFIG_VALUE_${at}`, value],
        ]),
      ),
    },
  )

  const file = join(directory, '.git', CREDENTIAL_FILE)
  await writeFile(file, `username=git\npassword=${token}\n`, { mode: 0o600 })
  await chmod(file, 0o600)
  const configure = (key: string, value: string) => git(context, ['-C', directory, 'config', '--local', '--add', key, value])
  // The empty one forgets the helpers of the user's own configuration: they would offer or keep another token.
  await configure(scope, '')
  await configure(scope, HELPER)
  const { data } = await context.server()
  if (data !== null) await configure('heddle.data', data)

  context.print({ type: 'result', product: address, directory, cloneUrl: repository.cloneUrl, tokenExpiresAt: expiresAt }, () => [
    `Cloned ${address} into ${directory}`,
    `  Next  cd ${directory}   |   heddle plan   |   git push`,
  ])
  return EXIT.ok
}

/** @throws CLI_CLONE_FAILED; what git says goes to stderr as it comes */
async function git({ io }: Context, args: readonly string[], more: Record<string, string> = {}): Promise<void> {
  const child = spawn('git', args, {
    cwd: io.cwd,
    env: { ...io.env, GIT_TERMINAL_PROMPT: '0', ...more },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr.on('data', (chunk: Buffer) => io.stderr.write(chunk))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(fail('CLI_CLONE_FAILED', { what: 'git could not be started', why: cause.message, cause })),
    )
    child.on('close', resolve)
  })
  if (code !== 0) throw fail('CLI_CLONE_FAILED', { what: `git ${args[0] === '-C' ? args[2] : args[0]} ended with ${code}` })
}
