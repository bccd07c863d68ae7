import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { fail } from '../../core/fail.ts'

/** Where the machine's git is, and the whole environment its processes get: nothing of ours leaks into them, nothing of a user's settings reaches them. */
export type Git = { program: string; httpBackend: string; env: Record<string, string> }

/** What one git process answered; `stdout` is whole, `stderr` is cut at 4 KiB. */
export type GitAnswer = { exit: number; stdout: Buffer; stderr: string }

/** GIT_CONFIG_GLOBAL came with 2.32. */
const OLDEST = { major: 2, minor: 32 }
const STDERR_BYTES = 4_096
const PRODUCT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const OBJECT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/

/** @throws REPOSITORY_GIT_MISSING */
export function locateGit(): Git {
  const fix = 'Install git 2.32 or newer with its http-backend (on Alpine: the package git-daemon) and start again.'
  let execPath: string
  let version: string
  try {
    execPath = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()
    version = execFileSync('git', ['--version'], { encoding: 'utf8' }).trim()
  } catch (cause) {
    throw fail('REPOSITORY_GIT_MISSING', { what: 'git was not found on the PATH', fix, cause })
  }
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw fail('REPOSITORY_GIT_MISSING', { what: `${version} is too old`, fix })
  }
  const httpBackend = join(execPath, 'git-http-backend')
  if (!existsSync(httpBackend)) throw fail('REPOSITORY_GIT_MISSING', { what: `${version} comes without git-http-backend`, fix })
  return {
    program: existsSync(join(execPath, 'git')) ? join(execPath, 'git') : 'git',
    httpBackend,
    env: {
      PATH: `${execPath}:/usr/local/bin:/usr/bin:/bin`,
      HOME: '/nonexistent',
      LC_ALL: 'C',
      TZ: 'UTC',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_LITERAL_PATHSPECS: '1',
      // A pushed refs/replace/* must not change what we read.
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_NO_LAZY_FETCH: '1',
    },
  }
}

/** The repository's folder: its name comes from the product's UUID alone. @throws REPOSITORY_ABSENT when that is no UUID */
export function repositoryFolder(root: string, product: string): string {
  if (!PRODUCT_ID.test(product)) throw fail('REPOSITORY_ABSENT', { what: 'That is not the id of a product' })
  return join(resolve(root), `${product}.git`)
}

export function isObjectId(text: string): boolean {
  return OBJECT_ID.test(text)
}

/** Makes the objects of a push that is still being judged visible. @throws REPOSITORY_ABSENT for a folder outside the repository */
export function quarantineEnv(repository: string, quarantine: string | undefined): Record<string, string> {
  if (quarantine === undefined) return {}
  const objects = join(repository, 'objects')
  const folder = resolve(quarantine)
  if (!folder.startsWith(objects + sep)) throw fail('REPOSITORY_ABSENT', { what: 'The quarantine is not inside the repository' })
  return { GIT_OBJECT_DIRECTORY: folder, GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(objects) }
}

/** One git process, to its end. The exit status is the caller's to judge. @throws REPOSITORY_GIT_FAILED when it cannot start or answers more than `maxBytes` */
export function runGit(
  git: Git,
  args: readonly string[],
  options: { env?: Record<string, string>; input?: Iterable<string | Buffer>; maxBytes?: number } = {},
): Promise<GitAnswer> {
  const maxBytes = options.maxBytes ?? 1_000_000
  return new Promise((done, refuse) => {
    const child = spawn(git.program, args, { env: { ...git.env, ...options.env }, stdio: 'pipe' })
    const chunks: Buffer[] = []
    let bytes = 0
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) child.kill('SIGKILL')
      else chunks.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < STDERR_BYTES) stderr += chunk.toString('utf8').slice(0, STDERR_BYTES)
    })
    child.on('error', (cause) => refuse(fail('REPOSITORY_GIT_FAILED', { what: `git ${verb(args)} could not start`, cause })))
    child.on('close', (code) => {
      if (bytes > maxBytes)
        refuse(fail('REPOSITORY_TREE_TOO_LARGE', { what: `git ${verb(args)} answered more than ${maxBytes} bytes` }))
      else done({ exit: code ?? -1, stdout: Buffer.concat(chunks), stderr: stderr.trim() })
    })
    // A git that stops early closes its input; its exit status says what happened.
    child.stdin.on('error', () => {})
    for (const part of options.input ?? []) child.stdin.write(part)
    child.stdin.end()
  })
}

/** As runGit, and any exit status but 0 is an error. */
export async function mustRunGit(git: Git, args: readonly string[], options: Parameters<typeof runGit>[2] = {}): Promise<Buffer> {
  const answer = await runGit(git, args, options)
  if (answer.exit !== 0) {
    throw fail('REPOSITORY_GIT_FAILED', { what: `git ${verb(args)} failed with status ${answer.exit}`, cause: answer.stderr })
  }
  return answer.stdout
}

function verb(args: readonly string[]): string {
  return args.find((arg, i) => !arg.startsWith('-') && args[i - 1] !== '-c') ?? ''
}
