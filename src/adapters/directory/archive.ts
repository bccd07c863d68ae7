import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fail, HeddleError } from '../../core/fail.ts'
import type { Archive, ArchiveDraft, ArchivedProduct, ArchiveFile, ArchiveManifest } from '../../platform/archive.ts'
import { readTable } from './parquet/read-table.ts'
import { writeTable } from './parquet/write-table.ts'

type Manifest = ArchiveManifest<ArchivedProduct>

const MANIFEST = 'manifest.json'
/** The manifest holds what a restore follows, so it has a checksum too. */
const SEAL = 'manifest.sha256'
/** A name or path of ours: plain parts, none of them hidden or climbing. */
const SAFE = /^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/i
const UNFINISHED = '.unfinished'

/** Archives as folders below `root`: an unfinished one carries a suffix that no name has, and loses it by one rename when it is whole. */
export function createDirectoryArchive(deps: { root: string }): Archive {
  const folderOf = (name: string) => join(resolve(deps.root), safe(name))

  async function find(name: string): Promise<Manifest | null> {
    const text = await readFile(join(folderOf(name), MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (isAbsent(error)) return null
      throw damaged(name, MANIFEST, `it cannot be read (${error.code})`)
    })
    if (text !== null) return parseManifest(name, text, await readFile(join(folderOf(name), SEAL), 'utf8').catch(() => ''))
    const isThere = await stat(folderOf(name)).then(
      () => true,
      (error: NodeJS.ErrnoException) => !isAbsent(error),
    )
    if (isThere) throw damaged(name, MANIFEST, 'it is missing')
    return null
  }

  async function fileOf(name: string, path: string): Promise<ArchiveFile> {
    const file = (await need(name)).files.find((each) => each.path === path)
    if (!file) throw damaged(name, path, 'the manifest does not name it')
    return file
  }

  async function need(name: string): Promise<Manifest> {
    const manifest = await find(name)
    if (manifest) return manifest
    throw fail('ARCHIVE_MISSING', { what: `There is no archive ${name}`, why: `${folderOf(name)} is not there.` })
  }

  return {
    find,
    async begin(name) {
      if (await find(name)) throw fail('ARCHIVE_EXISTS', { what: `The archive ${name} is complete` })
      const draft = `${folderOf(name)}${UNFINISHED}`
      await writing(name, async () => {
        await rm(draft, { recursive: true, force: true })
        await mkdir(draft, { recursive: true, mode: 0o700 })
      })
      return createDraft(name, draft, folderOf(name))
    },
    async verify(name, signal) {
      const manifest = await need(name)
      for (const file of manifest.files) await verifyFile(name, folderOf(name), file, signal)
      return manifest
    },
    async open(name, path) {
      return readChecked(name, folderOf(name), await fileOf(name, path))
    },
    async openTable(name, path) {
      const file = await fileOf(name, path)
      await readWhole(name, folderOf(name), file)
      return Readable.from(rowsOf(name, folderOf(name), file, { rows: 0 }), { objectMode: false })
    },
    async note(name, file, text) {
      await need(name)
      const path = join(folderOf(name), safe(file))
      await writing(name, async () => {
        await writeFile(`${path}.fresh`, text, { mode: 0o600 })
        await rename(`${path}.fresh`, path)
      })
    },
    locate: folderOf,
    async list(below) {
      const found = await readdir(folderOf(below), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
        if (isAbsent(error)) return []
        throw damaged(below, '.', `it cannot be listed (${error.code})`)
      })
      return found
        .filter((path) => path.endsWith(`/${MANIFEST}`) && !path.includes(UNFINISHED))
        .map((path) => `${below}/${dirname(path)}`)
        .sort()
    },
    async remove(name) {
      await rm(folderOf(name), { recursive: true, force: true })
    },
  }
}

function createDraft(name: string, draft: string, final: string): ArchiveDraft {
  const files: ArchiveFile[] = []
  const store = async (path: string, content: Readable | string) => {
    const place = join(draft, safe(path))
    return writing(name, async () => {
      await mkdir(dirname(place), { recursive: true, mode: 0o700 })
      return writeWhole(place, content)
    })
  }
  const kept = (file: ArchiveFile) => {
    files.push(file)
    return file
  }
  return {
    put: async (path, content) => kept({ path, rows: null, ...(await store(path, content)) }),
    async putTable(path, table) {
      const told = { rows: 0 }
      const stored = await store(path, Readable.from(writeTable(table, told)))
      return kept({ path, rows: told.rows, ...stored })
    },
    async close(about, rows, signal) {
      const counted = files.map((file) => ({ ...file, rows: rows[file.path] ?? null }))
      const manifest: Manifest = { format: 2, name, files: counted, about }
      for (const file of counted) await verifyFile(name, draft, file, signal)
      await writing(name, async () => {
        const text = `${JSON.stringify(manifest, null, 1)}\n`
        await writeWhole(join(draft, MANIFEST), text)
        await writeWhole(join(draft, SEAL), sha256(text))
      })
      parseManifest(name, await readFile(join(draft, MANIFEST), 'utf8'), await readFile(join(draft, SEAL), 'utf8'))
      await writing(name, async () => {
        await syncFolder(draft)
        await rename(draft, final)
        await syncFolder(dirname(final))
      })
      return manifest
    },
  }
}

async function writeWhole(path: string, content: Readable | string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  const handle = await open(path, 'w', 0o600)
  try {
    for await (const part of typeof content === 'string' ? [content] : content) {
      const chunk = Buffer.from(part as Buffer | string)
      hash.update(chunk)
      bytes += chunk.length
      for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { bytes, sha256: hash.digest('hex') }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The file's bytes; fails at the end when they are others than the manifest's. */
function readChecked(name: string, folder: string, file: ArchiveFile): Readable {
  const hash = createHash('sha256')
  let bytes = 0
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      bytes += chunk.length
      done(null, chunk)
    },
    flush(done) {
      const differs = bytes !== file.bytes ? `it has ${bytes} bytes instead of ${file.bytes}` : 'its checksum differs'
      done(bytes === file.bytes && hash.digest('hex') === file.sha256 ? null : damaged(name, file.path, differs))
    },
  })
  const source = createReadStream(join(folder, safe(file.path)))
  source.on('error', (error: NodeJS.ErrnoException) =>
    check.destroy(damaged(name, file.path, `it cannot be read (${error.code})`)),
  )
  check.on('close', () => source.destroy())
  return source.pipe(check)
}

async function verifyFile(name: string, folder: string, file: ArchiveFile, signal: AbortSignal): Promise<void> {
  await readWhole(name, folder, file, signal)
  if (file.rows === null) return
  const told = { rows: 0 }
  for await (const _ of rowsOf(name, folder, file, told)) signal.throwIfAborted()
  if (told.rows !== file.rows) throw damaged(name, file.path, `it holds ${told.rows} rows instead of ${file.rows}`)
}

/** @throws ARCHIVE_DAMAGED when the bytes are not those of the manifest */
async function readWhole(name: string, folder: string, file: ArchiveFile, signal?: AbortSignal): Promise<void> {
  const sink = async (source: AsyncIterable<Buffer>) => {
    for await (const _ of source);
  }
  await pipeline(readChecked(name, folder, file), sink, { ...(signal && { signal }) })
}

async function* rowsOf(name: string, folder: string, file: ArchiveFile, told: { rows: number }): AsyncGenerator<string> {
  const handle = await open(join(folder, safe(file.path)), 'r')
  try {
    yield* readTable(handle, told)
  } catch (error) {
    throw damaged(name, file.path, `it cannot be unpacked (${(error as Error).name})`)
  } finally {
    await handle.close()
  }
}

function parseManifest(name: string, text: string, seal: string): Manifest {
  if (sha256(text) !== seal.trim()) throw damaged(name, MANIFEST, 'its checksum differs')
  try {
    const manifest = JSON.parse(text) as Manifest
    if (manifest.format === 2 && manifest.name === name && Array.isArray(manifest.files)) return manifest
  } catch {
    // said below
  }
  throw damaged(name, MANIFEST, 'it is not the manifest of this archive')
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A full disk, a missing right, a file where a folder should be: one error, with the system's own code. */
async function writing<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (error instanceof HeddleError || !code || !syscall) throw error
    throw fail('ARCHIVE_WRITE_FAILED', { what: `The archive ${name} could not be written`, why: `${syscall}: ${code}` })
  }
}

/** Surely not there; anything else (a missing right, a broken disk) is no answer. */
function isAbsent({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function damaged(name: string, path: string, why: string) {
  return fail('ARCHIVE_DAMAGED', { what: `${path} of the archive ${name} is damaged: ${why}` })
}

function safe(path: string): string {
  if (!SAFE.test(path)) throw fail('ARCHIVE_DAMAGED', { what: `"${path.slice(0, 80)}" is no place in an archive` })
  return path
}
