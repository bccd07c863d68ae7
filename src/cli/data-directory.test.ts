import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { HeddleError } from '../core/fail.ts'
import { openDataDirectory } from './data-directory.ts'
import { isOurProcess, markProcess } from './process-mark.ts'
import { findRunning, type RunFile, readRunFile, removeRunFile, writeRunFile } from './run-file.ts'

let home = ''

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'heddle-data-'))
  await chmod(home, 0o755)
})

after(() => rm(home, { recursive: true }))

const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)

test('makes what is missing, keeps what is there', async () => {
  const path = join(home, "it's data")
  const first = await openDataDirectory(path)
  assert.deepEqual((await readdir(path)).sort(), ['archive', 'bin', 'cli-token', 'logs', 'repos', 'secrets.key', 'work'])
  assert.equal(await mode(path), process.getuid?.() === 0 ? '711' : '700')
  assert.deepEqual(await Promise.all(['secrets.key', 'cli-token', 'repos'].map((name) => mode(join(path, name)))), [
    '600',
    '600',
    '700',
  ])
  await chmod(join(path, 'secrets.key'), 0o644)
  await rm(join(path, 'work'), { recursive: true })
  const again = await openDataDirectory(path)
  assert.deepEqual(again, first)
  assert.equal(await mode(join(path, 'secrets.key')), '600')
})

test('two at once get the same key', async () => {
  const [one, two] = await Promise.all([openDataDirectory(join(home, 'race')), openDataDirectory(join(home, 'race'))])
  assert.deepEqual(one, two)
})

test('refuses a folder of somebody else and a damaged key', async () => {
  const foreign = join(home, 'foreign')
  await mkdir(foreign)
  await writeFile(join(foreign, 'thesis.txt'), 'text')
  await assert.rejects(openDataDirectory(foreign), { code: 'SERVER_DATA_FOREIGN' })
  assert.deepEqual(await readdir(foreign), ['thesis.txt'])
  await openDataDirectory(join(home, 'damaged'))
  await writeFile(join(home, 'damaged/secrets.key'), 'short')
  await assert.rejects(openDataDirectory(join(home, 'damaged')), { code: 'SERVER_KEY_INVALID' })
  await rm(join(home, 'damaged/secrets.key'))
  await mkdir(join(home, 'damaged/postgres'))
  await assert.rejects(openDataDirectory(join(home, 'damaged')), { code: 'SERVER_KEY_INVALID' })
})

test('follows a link, as the one that root gets for a closed folder', async () => {
  const { path } = await openDataDirectory(join(home, 'real'))
  await symlink(path, join(home, 'link'))
  assert.equal((await openDataDirectory(join(home, 'link'))).path, path)
})

test('bin/heddle names the launcher and the data directory, quoted', async () => {
  const { path } = await openDataDirectory(join(home, "it's data"))
  const text = await readFile(join(path, 'bin/heddle'), 'utf8')
  assert.equal(text.split('\n').length, 4)
  const shown = execFileSync('sh', ['-c', text.replace(/^exec .*$/m, 'printf %s "$HEDDLE_DATA"')])
  assert.equal(shown.toString(), path)
})

test('run.json tells the running control plane from a later process with its number', async () => {
  const mark = (await markProcess(process.pid))!
  const run: RunFile = {
    ...mark,
    startedAt: '2026-01-01T00:00:00.000Z',
    version: '0.1.0',
    listen: 4000,
    url: 'http://127.0.0.1:4000',
    postgres: { port: 5433, pid: 2 },
    children: [mark],
  }
  await writeRunFile(home, run)
  assert.deepEqual(await findRunning(home), run)
  assert.equal(await isOurProcess(mark.pid, `${mark.startTicks}0`), false)
  await writeRunFile(home, { ...run, startTicks: '1' })
  assert.equal(await findRunning(home), null)
  await writeFile(join(home, 'run.json'), '{"pid":')
  assert.equal(await readRunFile(home), null)
  await removeRunFile(home)
  await removeRunFile(home)
})

test('a place where nothing can be made is refused, not waited for', { timeout: 5_000 }, async () => {
  for (const path of ['/proc/heddle', '/proc/heddle/deep/er'])
    await assert.rejects(openDataDirectory(path), (error: HeddleError) => error.code === 'SERVER_DATA_UNREACHABLE')
})
