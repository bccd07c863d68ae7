import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { HeddleError } from '../../core/fail.ts'
import type { ArchivedProduct } from '../../platform/archive.ts'
import { createDirectoryArchive } from './archive.ts'

let root: string
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'heddle-archive-'))
})
after(() => rm(root, { recursive: true, force: true }))

const ABOUT = { product: { id: 'x' } } as unknown as ArchivedProduct
const COLUMNS = [
  { name: 'id', type: 'integer', required: true },
  { name: 'note', type: 'text', required: false },
]
const ROWS = '1,"a\n""b"\n2,\n'
const { signal } = new AbortController()
const refused = (code: string) => (error: unknown) => error instanceof HeddleError && error.code === code

async function make(name: string): Promise<ReturnType<typeof createDirectoryArchive>> {
  const archive = createDirectoryArchive({ root })
  const draft = await archive.begin(name)
  await draft.putTable('data/t.parquet', { columns: COLUMNS, csv: Readable.from([Buffer.from(ROWS)]) })
  await draft.put('records/runs.json', '[]\n')
  await draft.close(ABOUT, { 'data/t.parquet': 2 }, signal)
  return archive
}

test('an archive is there when it is whole, and reads back', async () => {
  const archive = createDirectoryArchive({ root })
  const draft = await archive.begin('d/p/run-1')
  await draft.put('a.txt', 'unfinished')
  assert.equal(await archive.find('d/p/run-1'), null)
  assert.deepEqual(await archive.list('d'), [])
  await make('d/p/run-1')
  assert.deepEqual(await archive.list('d'), ['d/p/run-1'])
  assert.equal((await archive.verify('d/p/run-1', signal)).files.length, 2)
  assert.equal((await buffer(await archive.open('d/p/run-1', 'records/runs.json'))).toString(), '[]\n')
  assert.equal((await buffer(await archive.openTable('d/p/run-1', 'data/t.parquet'))).toString(), '"1","a\n""b"\n"2",\n')
  await assert.rejects(archive.begin('d/p/run-1'), refused('ARCHIVE_EXISTS'))
  await archive.remove('d/p/run-1')
  await archive.remove('d/p/run-1')
  assert.equal(await archive.find('d/p/run-1'), null)
})

test('a wrong number of records, a flipped byte, a lost file or manifest: damaged, never absent', async () => {
  const archive = await make('d/p/run-2')
  const folder = archive.locate('d/p/run-2')
  const draft = await archive.begin('d/p/run-3')
  await draft.putTable('t.parquet', { columns: COLUMNS, csv: Readable.from([Buffer.from(ROWS)]) })
  await assert.rejects(draft.close(ABOUT, { 't.parquet': 3 }, signal), refused('ARCHIVE_DAMAGED'))
  assert.equal(await archive.find('d/p/run-3'), null)
  for (const file of ['data/t.parquet', 'records/runs.json', 'manifest.json']) {
    const bytes = await readFile(join(folder, file))
    const flipped = Buffer.from(bytes)
    flipped[bytes.length - 2]! ^= 1
    for (const broken of [flipped, bytes.subarray(0, -1), null]) {
      if (broken) await writeFile(join(folder, file), broken)
      else await rm(join(folder, file))
      await assert.rejects(archive.verify('d/p/run-2', signal), refused('ARCHIVE_DAMAGED'), file)
    }
    await writeFile(join(folder, file), bytes)
  }
  await archive.verify('d/p/run-2', signal)
})

test('a name never leads out of the folder', async () => {
  const archive = createDirectoryArchive({ root })
  for (const name of ['../x', 'a/../b', '/etc', '', 'a//b', '.hidden', 'run.unfinished/../x'])
    await assert.rejects(archive.begin(name), refused('ARCHIVE_DAMAGED'), name)
})

test('a disk that takes no more leaves no archive', async () => {
  // The kernel refuses what a file may not grow to, as a full disk does: in a process of its own, with a limit of 64 kB.
  const script = `
    import { createDirectoryArchive } from ${JSON.stringify(join(import.meta.dirname, 'archive.ts'))}
    const draft = await createDirectoryArchive({ root: ${JSON.stringify(root)} }).begin('d/p/run-4')
    await draft.put('big.bin', 'x'.repeat(1_000_000)).then(() => console.log('written'), (error) => console.log(error.code, error.why))`
  const ran = spawnSync(
    'sh',
    [
      '-c',
      'ulimit -f 128; exec "$0" --input-type=module --disable-warning=ExperimentalWarning -e "$1"',
      process.execPath,
      script,
    ],
    {
      encoding: 'utf8',
    },
  )
  assert.match(ran.stdout, /^ARCHIVE_WRITE_FAILED write: E/, ran.stdout + ran.stderr)
  assert.equal(await createDirectoryArchive({ root }).find('d/p/run-4'), null)
  assert.ok(!(await readdir(join(root, 'd/p'))).includes('run-4'))
})
