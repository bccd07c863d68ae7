import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fail } from '../../core/fail.ts'
import { type Git, mustRunGit, runGit } from './git.ts'

type Ref = { ref: string; commit: string }
const STDERR_BYTES = 4_096
const REFS_BYTES = 32 * 1024 * 1024

/** Everything of a repository in one stream, as git itself writes and checks it. */
export async function writeBundle(git: Git, folder: string, sink: (stream: Readable) => Promise<void>): Promise<void> {
  const child = spawn(git.program, ['--git-dir', folder, 'bundle', 'create', '--quiet', '-', '--all'], {
    env: git.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    if (stderr.length < STDERR_BYTES) stderr += chunk.toString('utf8').slice(0, STDERR_BYTES)
  })
  const ended = once(child, 'close') as Promise<[number | null]>
  ended.catch(() => undefined)
  // Read from the first moment: what nobody reads when a child ends, Node throws away without a word.
  const bundle = new PassThrough()
  pipeline(child.stdout, bundle).catch(() => undefined)
  try {
    await sink(bundle)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  const [exit] = await ended.catch((cause: unknown) => {
    throw fail('REPOSITORY_GIT_FAILED', { what: 'git bundle could not start', cause })
  })
  if (exit !== 0) throw fail('REPOSITORY_GIT_FAILED', { what: `git bundle failed with status ${exit}`, cause: stderr })
}

/** Fills an empty repository from a bundle; afterwards it has exactly the refs that were archived, every object of theirs checked. */
export async function readBundle(git: Git, folder: string, refs: readonly Ref[], open: () => Promise<Readable>): Promise<void> {
  const file = join(folder, 'restored.bundle')
  await pipeline(await open(), createWriteStream(file, { mode: 0o600 }))
  const fetched = await runGit(git, [
    '--git-dir',
    folder,
    '-c',
    'fetch.fsckObjects=true',
    'fetch',
    '--quiet',
    '--no-tags',
    file,
    '+refs/*:refs/*',
  ])
  if (fetched.exit !== 0)
    throw fail('REPOSITORY_DAMAGED', {
      what: 'git does not take the archived bundle',
      why: `git fetch ended with ${fetched.exit}.`,
    })
  await rm(file)
  const listed = await mustRunGit(git, ['--git-dir', folder, 'for-each-ref', '--format=%(objectname) %(refname)'], {
    maxBytes: REFS_BYTES,
  })
  const wanted = refs.map(({ ref, commit }) => `${commit} ${ref}`).sort()
  const found = listed.toString('utf8').split('\n').filter(Boolean).sort()
  if (found.join('\n') !== wanted.join('\n'))
    throw fail('REPOSITORY_DAMAGED', { what: 'The archived bundle holds other branches than its manifest' })
}
