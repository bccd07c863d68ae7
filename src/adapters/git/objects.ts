import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { fail } from '../../core/fail.ts'
import { type Git, quarantineEnv } from './git.ts'

/** Objects of one repository through one `git cat-file --batch`. One question at a time: await each answer before the next. */
export type ObjectReader = {
  /** @param name an object id, or `<id>^{tree}`; never a user's text. @throws REPOSITORY_TREE_TOO_LARGE beyond `maxBytes` */
  get(name: string, maxBytes: number): Promise<{ oid: string; type: string; content: Buffer } | null>
  /** Whether an unfinished wait on it keeps our process alive. */
  hold(held: boolean): void
  isOver(): boolean
  close(): void
}

/** Readers that live on for a moment: judging one push asks many questions, and a new process costs more than all the answers. */
export type ObjectPool = {
  use<T>(repository: string, quarantine: string | undefined, act: (reader: ObjectReader) => Promise<T>): Promise<T>
  /** Ends the idle readers of a repository. */
  forget(repository: string): void
}

const IDLE_MS = 1_000
const MAX_IDLE = 8

export function createObjectPool(git: Git): ObjectPool {
  const idle: { repository: string; quarantine: string | undefined; reader: ObjectReader; timer: NodeJS.Timeout }[] = []
  const drop = (reader: ObjectReader) => {
    const at = idle.findIndex((each) => each.reader === reader)
    if (at >= 0) clearTimeout(idle.splice(at, 1)[0]!.timer)
    reader.close()
  }
  return {
    async use(repository, quarantine, act) {
      const at = idle.findIndex(
        (each) => each.repository === repository && each.quarantine === quarantine && !each.reader.isOver(),
      )
      const parked = at >= 0 ? idle.splice(at, 1)[0]! : null
      clearTimeout(parked?.timer)
      const reader = parked?.reader ?? openObjects(git, repository, quarantine)
      reader.hold(true)
      try {
        const result = await act(reader)
        reader.hold(false)
        idle.push({ repository, quarantine, reader, timer: setTimeout(() => drop(reader), IDLE_MS).unref() })
        if (idle.length > MAX_IDLE) drop(idle[0]!.reader)
        return result
      } catch (error) {
        // It may hold half an answer.
        reader.close()
        throw error
      }
    },
    forget(repository) {
      for (const { reader } of idle.filter((each) => each.repository === repository)) drop(reader)
    },
  }
}

export type TreeEntry = { mode: string; name: string; oid: string }

const TREE_BYTES = 16 * 1024 * 1024

function openObjects(git: Git, repository: string, quarantine?: string): ObjectReader {
  const child = spawn(git.program, ['--git-dir', repository, 'cat-file', '--batch'], {
    env: { ...git.env, ...quarantineEnv(repository, quarantine) },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  // Both only say that the process is gone, which the next answer reports as an early end.
  child.on('error', () => child.stdout.destroy())
  child.stdin.on('error', () => {})
  return {
    async get(name, maxBytes) {
      child.stdin.write(`${name}\n`)
      const head = await takeLine(child.stdout)
      const [oid, type, size] = head.split(' ')
      if (type === 'missing' || head.endsWith(' missing')) return null
      const bytes = Number(size)
      if (!oid || !type || !Number.isSafeInteger(bytes))
        throw fail('REPOSITORY_GIT_FAILED', { what: 'git cat-file answered nonsense' })
      if (bytes > maxBytes) {
        child.kill('SIGKILL')
        throw fail('REPOSITORY_TREE_TOO_LARGE', { what: `A file of the commit has ${bytes} bytes; ${maxBytes} are allowed` })
      }
      const content = await takeBytes(child.stdout, bytes + 1)
      return { oid, type, content: content.subarray(0, bytes) }
    },
    hold(held) {
      const verb = held ? 'ref' : 'unref'
      child[verb]()
      for (const pipe of [child.stdin, child.stdout] as unknown as Socket[]) pipe[verb]()
    },
    isOver: () => child.exitCode !== null || child.signalCode !== null || child.stdout.destroyed,
    close() {
      child.stdin.end()
      child.stdout.destroy()
    },
  }
}

/** The entry at a path of a commit, '' being its root; null when there is none. Links are not followed. @throws REPOSITORY_COMMIT_MISSING */
export async function findEntry(reader: ObjectReader, commit: string, path: string): Promise<TreeEntry | null> {
  const root = await reader.get(`${commit}^{tree}`, TREE_BYTES)
  if (!root) throw fail('REPOSITORY_COMMIT_MISSING', { what: `The repository has no commit ${commit}` })
  let entry: TreeEntry = { mode: '40000', name: '', oid: root.oid }
  let tree: Buffer | null = root.content
  for (const name of path === '' ? [] : path.split('/')) {
    if (entry.mode !== '40000') return null
    tree ??= (await reader.get(entry.oid, TREE_BYTES))?.content ?? null
    if (!tree) throw fail('REPOSITORY_GIT_FAILED', { what: `A folder of commit ${commit} is missing from the repository` })
    const next = parseTree(tree, root.oid.length / 2).find((each) => each.name === name)
    if (!next) return null
    entry = next
    tree = null
  }
  return entry
}

/** A raw tree object: `<mode> <name>\0<id>` repeated. */
export function parseTree(tree: Buffer, idBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = []
  let at = 0
  while (at < tree.length) {
    const space = tree.indexOf(0x20, at)
    const end = tree.indexOf(0, space)
    if (space < 0 || end < 0) throw fail('REPOSITORY_GIT_FAILED', { what: 'A tree object of the repository is damaged' })
    entries.push({
      mode: tree.toString('latin1', at, space),
      name: tree.toString('utf8', space + 1, end),
      oid: tree.toString('hex', end + 1, end + 1 + idBytes),
    })
    at = end + 1 + idBytes
  }
  return entries
}

async function takeLine(stream: Readable): Promise<string> {
  const parts: Buffer[] = []
  for (;;) {
    const chunk = stream.read() as Buffer | null
    if (!chunk) {
      await moreOf(stream)
      continue
    }
    const end = chunk.indexOf(0x0a)
    if (end < 0) {
      parts.push(chunk)
      continue
    }
    parts.push(chunk.subarray(0, end))
    if (end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1))
    return Buffer.concat(parts).toString('utf8')
  }
}

async function takeBytes(stream: Readable, count: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let missing = count
  while (missing > 0) {
    const chunk = stream.read() as Buffer | null
    if (!chunk) {
      await moreOf(stream)
      continue
    }
    parts.push(chunk.subarray(0, missing))
    if (chunk.length > missing) stream.unshift(chunk.subarray(missing))
    missing -= Math.min(missing, chunk.length)
  }
  return Buffer.concat(parts)
}

async function moreOf(stream: Readable): Promise<void> {
  const over = () => fail('REPOSITORY_GIT_FAILED', { what: 'git cat-file ended before it answered' })
  if (stream.readableEnded || stream.destroyed) throw over()
  const stop = new AbortController()
  const { signal } = stop
  try {
    await Promise.race([
      once(stream, 'readable', { signal }),
      once(stream, 'end', { signal }).then(() => Promise.reject(over())),
      once(stream, 'close', { signal }).then(() => Promise.reject(over())),
    ])
  } finally {
    stop.abort()
  }
}
