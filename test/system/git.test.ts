import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { runBackend } from '../../src/adapters/git/backend.ts'
import { locateGit } from '../../src/adapters/git/git.ts'
import { findUnsafeFiles } from '../../src/adapters/git/tree.ts'
import { HeddleError } from '../../src/core/fail.ts'
import { newId } from '../../src/core/id.ts'
import { type GitServer, type GitServerOptions, SPEC, startGitServer } from './git-server.ts'

type Ran = { code: number | null; stdout: string; stderr: string }

let scratch: string
let main: GitServer
const clientEnv = () => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: scratch,
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Alice',
  GIT_AUTHOR_EMAIL: 'alice@example.org',
  GIT_COMMITTER_NAME: 'Alice',
  GIT_COMMITTER_EMAIL: 'alice@example.org',
})

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'heddle-git-client-'))
  main = await startGitServer()
})
after(async () => {
  await main.stop()
  await rm(scratch, { recursive: true, force: true })
})

function start(args: string[], options: { cwd?: string; env?: Record<string, string>; input?: string | Buffer } = {}) {
  const child = spawn('git', args, { cwd: options.cwd ?? scratch, env: { ...clientEnv(), ...options.env }, detached: true })
  const ran: Ran = { code: null, stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (ran.stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (ran.stderr += text.toString()))
  child.stdin.end(options.input)
  const done = new Promise<Ran>((resolve) => child.on('close', (code) => resolve({ ...ran, code })))
  return { child, done }
}

const git = (args: string[], options?: Parameters<typeof start>[1]) => start(args, options).done

async function must(args: string[], options?: Parameters<typeof start>[1]): Promise<string> {
  const ran = await git(args, options)
  assert.equal(ran.code, 0, `git ${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout.trim()
}

async function clone(server: GitServer = main): Promise<string> {
  const folder = await mkdtemp(join(scratch, 'work-'))
  await must(['clone', '--quiet', server.url, folder])
  return folder
}

async function commit(folder: string, files: Record<string, string | Buffer>, message = 'change'): Promise<string> {
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content)
  await must(['add', '--all'], { cwd: folder })
  await must(['commit', '--quiet', '--message', message], { cwd: folder })
  return must(['rev-parse', 'HEAD'], { cwd: folder })
}

const headOf = (server: GitServer, branch = 'main') => server.repository.head(server.product, branch)
const codeOf = (code: string) => (error: unknown) => error instanceof HeddleError && error.code === code

/** git processes that answer clients of this data directory. */
async function backendsOf(data: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    if (environ.includes(`GIT_PROJECT_ROOT=${data}/`))
      found.push(`${pid} ${await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')}`)
  }
  return found
}

async function until(what: string, met: () => Promise<boolean> | boolean, ms = 5_000): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(25)) if (await met()) return
  assert.fail(`${what}: not within ${ms} ms`)
}

async function withServer(options: GitServerOptions, act: (server: GitServer) => Promise<void>): Promise<void> {
  const server = await startGitServer(options)
  try {
    await act(server)
  } finally {
    await server.stop()
  }
}

/** The control plane as a process of its own. */
async function spawnServer(mode: string[], ids: { uid?: number; gid?: number } = {}) {
  const program = fileURLToPath(new URL('./git-server.ts', import.meta.url))
  const child = spawn(process.execPath, [program, ...mode], {
    ...ids,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: clientEnv().PATH },
  })
  let out = ''
  child.stdout.on('data', (text: Buffer) => (out += text.toString()))
  await until('the server is up', () => out.includes('\n'), 15_000)
  const told = JSON.parse(out.slice(0, out.indexOf('\n'))) as { data: string; product: string; url: string }
  const end = async (signal: NodeJS.Signals) => {
    const closed = new Promise((resolve) => child.once('close', resolve))
    child.kill(signal)
    await closed
  }
  return { ...told, child, output: () => out, end }
}

/** Folders of pushes that were not accepted. */
async function quarantinesOf(server: GitServer): Promise<string[]> {
  const names = await readdir(join(server.data, 'repos', `${server.product}.git`, 'objects'))
  return names.filter((name) => name.includes('incoming'))
}

function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
}

test('clone, push, and what the pusher and the control plane are told', async () => {
  const folder = await clone()
  assert.equal(await readFile(join(folder, SPEC), 'utf8'), 'kind: good\n')
  const old = await headOf(main)
  const pushed = await commit(folder, { 'dbt/models/more.sql': 'select 2\n' })
  const ran = await git(['push', 'origin', 'main'], { cwd: folder })
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /remote: heddle: spec\.yml is valid/)
  assert.match(ran.stderr, /remote: heddle: run 1 started\s+remote: {5}heddle show run 1/)
  assert.equal(await headOf(main), pushed)
  assert.deepEqual(main.moved.at(-1), {
    product: main.product,
    address: 'fleet/planes',
    subject: 'alice',
    refs: [{ ref: 'refs/heads/main', old, new: pushed }],
  })
})

test('a refused push: file:line:col in the terminal, nothing moved, nothing left', async () => {
  const folder = await clone()
  const old = await headOf(main)
  await commit(folder, { [SPEC]: 'kind: bad\n' })
  const count = main.moved.length
  const ran = await git(['push', '--atomic', 'origin', 'main', 'main:refs/heads/other'], { cwd: folder })
  assert.notEqual(ran.code, 0)
  assert.match(ran.stderr, /remote: spec\.yml:1:7 error SPEC_KIND_UNKNOWN: unknown kind 'bad'/)
  assert.match(ran.stderr, /remote: {5}did you mean good\?/)
  assert.match(ran.stderr, /pre-receive hook declined/)
  assert.equal(await headOf(main), old)
  assert.equal(await headOf(main, 'other'), null)
  assert.equal(main.moved.length, count)
  assert.deepEqual(await quarantinesOf(main), [])
})

test('who may: no token, wrong token 401, wrong right 403, unknown product 404', async () => {
  const to = (userinfo: string, path: string) => main.url.replace(/alice:good@/, userinfo).replace('fleet/planes', path)
  const cases: [string, RegExp][] = [
    [to('', 'fleet/planes'), /could not read Username/],
    [to('alice:wrong@', 'fleet/planes'), /Authentication failed/],
    [to('alice:readonly@', 'fleet/planes'), /This token may not do that[\s\S]*403/],
    [to('alice:good@', 'fleet/trains'), /There is no product fleet\/trains[\s\S]*not found/],
  ]
  for (const [url, told] of cases) {
    const ran = await git(['ls-remote', url])
    assert.equal(ran.code, 128)
    assert.match(ran.stderr, told)
  }
})

type Answer = { status: number; headers: Record<string, unknown>; body: Buffer }
function ask(
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: Buffer; token?: string } = {},
): Promise<Answer> {
  const { port } = main.server.address() as AddressInfo
  const authorization = `Basic ${Buffer.from(`alice:${options.token ?? 'good'}`).toString('base64')}`
  return new Promise((resolve, reject) => {
    const headers = { authorization, ...options.headers }
    const sent = request({ port, host: '127.0.0.1', path: target, method: options.method ?? 'GET', headers }, async (res) => {
      const body = Buffer.concat(await res.toArray())
      resolve({ status: res.statusCode ?? 0, headers: res.headers, body })
    })
    sent.on('error', reject)
    sent.end(options.body)
  })
}

test('only the three addresses of the smart protocol exist', async () => {
  const base = '/git/fleet/planes.git'
  const nothing = [
    `${base}/HEAD`,
    `${base}/config`,
    `${base}/info/refs`,
    `${base}/info/refs?service=git-upload-archive`,
    `${base}/git-upload-pack`,
    `${base}/info/refs?service=git-upload-pack&service=git-receive-pack`,
    `${base}/objects/info/packs`,
    `${base}/../planes.git/info/refs?service=git-upload-pack`,
    `/git/fleet/../fleet/planes.git/info/refs?service=git-upload-pack`,
    `/git/fleet/%2e%2e%2fplanes.git/info/refs?service=git-upload-pack`,
    `/git/..%2f..%2fetc/planes.git/info/refs?service=git-upload-pack`,
    `/git/fleet/planes.git.git/info/refs?service=git-upload-pack`,
    `/git/fleet/planes/info/refs?service=git-upload-pack`,
    `/git/fleet/-x.git/info/refs?service=git-upload-pack`,
    `/git/fleet/${main.product}.git/info/refs?service=git-upload-pack`,
  ]
  for (const target of nothing) assert.equal((await ask(target)).status, 404, target)
  assert.equal((await ask(`${base}/info/refs?service=git-upload-pack`, { method: 'PUT' })).status, 404)
  const shut = await ask(`${base}/git-receive-pack`, { method: 'POST', token: 'wrong', body: randomBytes(300_000) })
  assert.equal(shut.status, 401)
  assert.match(String(shut.headers['www-authenticate']), /^Basic realm=/)
  assert.equal((await ask(`${base}/info/refs?service=git-upload-pack`)).status, 200)
})

test('a gzipped request, protocol 2', async () => {
  const body = gzipSync('0014command=ls-refs\n00010000')
  const told = await ask('/git/fleet/planes.git/git-upload-pack', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-git-upload-pack-request', 'content-encoding': 'gzip', 'git-protocol': 'version=2' },
  })
  assert.equal(told.status, 200)
  assert.match(told.body.toString(), /refs\/heads\/main/)
})

test('a chunked push, and a partial clone', async () => {
  const folder = await clone()
  await must(['config', 'http.postBuffer', '1000'], { cwd: folder })
  await commit(folder, { 'seed.bin': randomBytes(200_000) })
  await must(['push', '--quiet', 'origin', 'HEAD:refs/heads/chunked'], { cwd: folder })
  const partial = join(scratch, 'partial')
  await must(['clone', '--quiet', '--no-checkout', '--filter=blob:none', '--branch', 'chunked', main.url, partial])
  const missing = await must(['rev-list', '--objects', '--all', '--missing=print'], { cwd: partial })
  assert.match(missing, /^\?/m)
  await must(['checkout', '--quiet', 'chunked'], { cwd: partial })
  assert.equal((await readFile(join(partial, 'seed.bin'))).length, 200_000)
})

test('main only moves forward and stays; odd refs are refused; other branches are free', async () => {
  const folder = await clone()
  const old = await headOf(main)
  const push = (...refs: string[]) => git(['push', ...refs], { cwd: folder })
  await must(['commit', '--quiet', '--amend', '--message', 'rewritten'], { cwd: folder })
  const forced = await push('--force', 'origin', 'HEAD:main')
  assert.notEqual(forced.code, 0)
  assert.match(forced.stderr, /remote: heddle: refused: main cannot be rewritten[\s\S]*git pull --rebase origin main/)
  const gone = await push('origin', ':main')
  assert.notEqual(gone.code, 0)
  assert.match(gone.stderr, /remote: heddle: refused: main cannot be deleted/)
  for (const ref of ['refs/replace/x', 'refs/heddle/x', 'refs/heads/MAIN']) {
    const odd = await push('origin', `HEAD:${ref}`)
    assert.notEqual(odd.code, 0)
    assert.match(odd.stderr, /remote: heddle: refused:/, ref)
  }
  assert.equal(await headOf(main), old)
  assert.equal((await push('origin', 'HEAD:side')).code, 0)
  await must(['commit', '--quiet', '--amend', '--message', 'again'], { cwd: folder })
  assert.equal((await push('--force', 'origin', 'HEAD:side')).code, 0)
  const last = await headOf(main, 'side')
  assert.equal((await push('origin', ':side')).code, 0)
  assert.deepEqual(main.moved.at(-1)?.refs, [{ ref: 'refs/heads/side', old: last, new: null }])
})

test('links and submodules: the push may be judged, checkout refuses and writes nothing', async () => {
  const folder = await clone()
  await symlink('/etc/passwd', join(folder, 'link'))
  const linked = await commit(folder, { a: 'a' })
  await must(['update-index', '--add', '--cacheinfo', `160000,${linked},module`], { cwd: folder })
  await must(['commit', '--quiet', '--message', 'module'], { cwd: folder })
  const both = await must(['rev-parse', 'HEAD'], { cwd: folder })
  await must(['push', '--quiet', 'origin', 'HEAD:refs/heads/links'], { cwd: folder })
  const found = findUnsafeFiles(await main.repository.list(main.product, both))
  assert.deepEqual(
    found.map(({ code, at }) => [code, at?.file]),
    [
      ['REPOSITORY_LINK_REFUSED', 'link'],
      ['REPOSITORY_LINK_REFUSED', 'module'],
    ],
  )
  const into = join(scratch, 'links')
  await assert.rejects(main.repository.checkout(main.product, both, into), codeOf('REPOSITORY_LINK_REFUSED'))
  await assert.rejects(readdir(into), { code: 'ENOENT' })
  assert.equal(await main.repository.read(main.product, both, 'link'), null)
})

test('hostile trees: git refuses them in a push, checkout refuses them in a store', async (t) => {
  const server = await startGitServer()
  t.after(() => server.stop())
  const folder = await clone(server)
  const { repository, product } = server
  const bare = join(server.data, 'repos', `${product}.git`)
  const blob = await must(['hash-object', '-w', '--stdin'], { cwd: folder, input: 'x' })
  const entry = (name: string, mode = '100644', oid = blob) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
  const treeIn = (at: string, ...entries: Buffer[]) =>
    must([...(at === bare ? ['--git-dir', bare] : []), 'hash-object', '-w', '-t', 'tree', '--literally', '--stdin'], {
      cwd: at === bare ? scratch : folder,
      input: Buffer.concat(entries),
    })
  await must(['--git-dir', bare, 'hash-object', '-w', '--stdin'], { input: 'x' })
  const inner = await treeIn(bare, entry('x'))
  const evil: [string, Buffer[]][] = [
    ['up', [entry('..', '40000', inner)]],
    ['dot', [entry('.', '40000', inner)]],
    ['git', [entry('.GIT', '40000', inner)]],
    ['slash', [entry('../../escape')]],
    ['backslash', [entry('..\\escape')]],
    ['newline', [entry('a\nb')]],
    ['case', [entry('A'), entry('a')]],
    ['case folder', [entry('Models', '40000', inner), entry('models')]],
    ['twice', [entry('a'), entry('a')]],
  ]
  for (const [what, entries] of evil) {
    const tree = await treeIn(bare, ...entries)
    const made = await must(['--git-dir', bare, 'commit-tree', tree, '-m', what])
    const into = join(scratch, 'evil')
    await assert.rejects(repository.checkout(product, made, into), codeOf('REPOSITORY_PATH_UNSAFE'), what)
    await assert.rejects(readdir(into), { code: 'ENOENT' })
  }
  await treeIn(folder, entry('x'))
  const tree = await treeIn(folder, entry('..', '40000', inner))
  const made = await must(['commit-tree', tree, '-m', 'up'], { cwd: folder })
  const ran = await git(['push', 'origin', `${made}:refs/heads/evil`], { cwd: folder })
  assert.notEqual(ran.code, 0)
  assert.match(ran.stderr, /hasDotdot/)
})

test('checkout, read, oid and list of a pinned commit; tidy changes none of them', async () => {
  const folder = await clone()
  await mkdir(join(folder, 'dir'))
  await writeFile(join(folder, '.gitattributes'), 'dir export-ignore\nsubst export-subst\n')
  const pinned = await commit(folder, { 'dir/ä "q" b': 'umlaut', subst: '$Format:%H$', crlf: 'a\r\n' })
  await must(['push', '--quiet', 'origin', 'HEAD:refs/heads/pinned'], { cwd: folder })
  const { repository, product } = main
  const into = join(scratch, 'pinned')
  for (const round of ['fresh', 'tidied']) {
    await rm(into, { recursive: true, force: true })
    await repository.checkout(product, pinned, into)
    assert.equal(await readFile(join(into, 'dir/ä "q" b'), 'utf8'), 'umlaut', round)
    assert.equal(await readFile(join(into, 'subst'), 'utf8'), '$Format:%H$')
    assert.equal((await repository.read(product, pinned, 'crlf'))?.toString(), 'a\r\n')
    assert.equal(await repository.oid(product, pinned, 'dir'), await must(['rev-parse', 'HEAD:dir'], { cwd: folder }))
    assert.equal(await repository.oid(product, pinned, ''), await must(['rev-parse', 'HEAD^{tree}'], { cwd: folder }))
    await repository.tidy(product)
  }
  await assert.rejects(repository.checkout(product, pinned, into), codeOf('REPOSITORY_FOLDER_NOT_EMPTY'))
  for (const path of ['nothing', 'dir', 'crlf/x', '../x', 'dir/', '/crlf'])
    assert.equal(await repository.read(product, pinned, path), null, path)
  for (const wrong of ['f'.repeat(40), 'main', '--all', ''])
    await assert.rejects(repository.read(product, wrong, SPEC), codeOf('REPOSITORY_COMMIT_MISSING'))
  await assert.rejects(repository.list(product, 'f'.repeat(40)), codeOf('REPOSITORY_COMMIT_MISSING'))
  await assert.rejects(repository.head('../../etc', 'main'), codeOf('REPOSITORY_ABSENT'))
  await assert.rejects(repository.head(newId(), 'main'), codeOf('REPOSITORY_ABSENT'))
})

test('ensure and remove converge from anywhere', async () => {
  const { repository } = main
  const product = newId()
  const folder = join(main.data, 'repos', `${product}.git`)
  const request = { product, files: { 'a/b': '1\n', c: '' }, author: { name: 'A <x>\n', email: 'a@b' }, message: 'First' }
  // a start that was cut in the middle
  await mkdir(`${folder.slice(0, -4)}.new/objects`, { recursive: true })
  const both = await Promise.all([repository.ensure(request), repository.ensure(request)])
  assert.deepEqual(
    both.map(({ created }) => created),
    [true, false],
  )
  assert.equal(both[0].head, both[1].head)
  assert.deepEqual(
    (await repository.list(product, both[0].head)).map(({ path }) => path),
    ['a/b', 'c'],
  )
  // made, but the scaffold's commit was not; and settings someone changed
  await must(['--git-dir', folder, 'update-ref', '-d', 'refs/heads/main'])
  await must(['--git-dir', folder, 'config', 'core.hooksPath', '/nowhere'])
  assert.equal((await repository.ensure(request)).created, true)
  assert.equal(await must(['--git-dir', folder, 'config', 'core.hooksPath']), main.hooksDir)
  await must(['--git-dir', folder, 'fsck', '--strict'])
  await assert.rejects(
    repository.ensure({ ...request, product: newId(), files: { '../x': '' } }),
    codeOf('REPOSITORY_PATH_UNSAFE'),
  )
  await repository.remove(product)
  await repository.remove(product)
  assert.equal(await repository.exists(product), false)
  await mkdir(join(folder, 'objects'), { recursive: true })
  await assert.rejects(repository.ensure(request), codeOf('REPOSITORY_DAMAGED'))
})

test('a push that does not come through the control plane is refused', async () => {
  const folder = await clone()
  await commit(folder, { local: 'x' })
  const bare = join(main.data, 'repos', `${main.product}.git`)
  const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' }
  for (const told of ['', '3']) {
    const ran = await git(['push', bare, 'HEAD:refs/heads/local'], { cwd: folder, env: { ...env, HEDDLE_PUSH: told } })
    assert.notEqual(ran.code, 0)
    assert.match(ran.stderr, /heddle: refused: this push did not come through the control plane/)
  }
  assert.equal(await headOf(main, 'local'), null)
})

test('hooks that git would skip: pushes are refused, not waved through', () =>
  withServer({}, async (server) => {
    const folder = await clone(server)
    await commit(folder, { a: '1' })
    await rm(join(server.hooksDir, 'pre-receive'))
    const ran = await git(['push', 'origin', 'main'], { cwd: folder })
    assert.notEqual(ran.code, 0)
    assert.match(ran.stderr, /heddle cannot check pushes now[\s\S]*503/)
    assert.equal(server.moved.length, 0)
  }))

test('a pack over the limit is refused, and says so', () =>
  withServer({ maxPackBytes: 1_000_000 }, async (server) => {
    const folder = await clone(server)
    await commit(folder, { big: randomBytes(3_000_000) })
    const old = await headOf(server)
    const ran = await git(['push', 'origin', 'main'], { cwd: folder })
    assert.notEqual(ran.code, 0)
    assert.match(ran.stderr, /pack exceeds maximum allowed size/)
    assert.equal(await headOf(server), old)
  }))

test('what a killed git left behind goes before the next push', () =>
  withServer({}, async (server) => {
    const folder = await clone(server)
    const bare = join(server.data, 'repos', `${server.product}.git`)
    await mkdir(join(bare, 'objects/tmp_objdir-incoming-left/0f'), { recursive: true })
    const lock = join(bare, 'refs/heads/small.lock')
    await writeFile(lock, '')
    await utimes(lock, 1, 1)
    await must(['push', '--quiet', 'origin', 'HEAD:refs/heads/small'], { cwd: folder })
    assert.deepEqual(await quarantinesOf(server), [])
  }))

test('a judge that fails or is too slow refuses; a failing post-receive keeps the push', async () => {
  const folder = await clone()
  await commit(folder, { z: '1' })
  const broken = () => Promise.reject(new RangeError('secret detail'))
  const slow = () => new Promise<never>(() => {})
  for (const onPreReceive of [broken, slow]) {
    await withServer({ onPreReceive, limits: { decisionMs: 300 } }, async (server) => {
      const ran = await git(['push', '--force', server.url, 'HEAD:refs/heads/x'], { cwd: folder })
      assert.notEqual(ran.code, 0)
      assert.match(ran.stderr, /the push could not be checked\. Nothing was changed/)
      assert.doesNotMatch(ran.stderr, /secret/)
      assert.equal(await headOf(server, 'x'), null)
    })
  }
  await withServer({ onPostReceive: broken }, async (server) => {
    const ran = await git(['push', server.url, 'HEAD:refs/heads/x'], { cwd: folder })
    assert.equal(ran.code, 0)
    assert.match(ran.stderr, /the push is stored, but its run was not started/)
    assert.notEqual(await headOf(server, 'x'), null)
  })
})

test('20 pushes at once: one branch has one winner, 20 branches all win', async () => {
  const folder = await clone()
  const commits: string[] = []
  const tree = await must(['rev-parse', 'HEAD^{tree}'], { cwd: folder })
  for (let n = 0; n < 20; n++) commits.push(await must(['commit-tree', tree, '-p', 'HEAD', '-m', `c${n}`], { cwd: folder }))
  const count = main.moved.length
  const race = await Promise.all(commits.map((each) => git(['push', 'origin', `${each}:main`], { cwd: folder })))
  assert.equal(race.filter(({ code }) => code === 0).length, 1)
  assert.equal(await headOf(main), commits[race.findIndex(({ code }) => code === 0)])
  const wide = await Promise.all(
    commits.map((each, n) => git(['push', 'origin', `${each}:refs/heads/wide-${n}`], { cwd: folder })),
  )
  assert.deepEqual(
    wide.filter(({ code }) => code !== 0),
    [],
  )
  assert.equal(main.moved.length, count + 21)
  const refs = await main.repository.refs(main.product)
  assert.equal(refs.filter(({ ref }) => ref.startsWith('refs/heads/wide-')).length, 20)
  await must(['--git-dir', join(main.data, 'repos', `${main.product}.git`), 'fsck', '--strict'])
})

const needsProc = process.platform === 'linux' ? false : 'reads /proc, which this system has not'

test('a client that goes away leaves no process: while it sends, and while it is judged', { skip: needsProc }, async () => {
  let asked = false
  const onPreReceive = () => {
    asked = true
    return new Promise<never>(() => {})
  }
  await withServer({ onPreReceive }, async (server) => {
    const { port } = server.server.address() as AddressInfo
    const sent = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/git/fleet/planes.git/git-receive-pack',
      headers: { authorization: `Basic ${btoa('alice:good')}`, 'content-type': 'application/x-git-receive-pack-request' },
    })
    sent.on('error', () => {})
    sent.write(`00770000000000000000000000000000000000000000 ${'1'.repeat(40)} refs/heads/cut\0`)
    await until('git runs', async () => (await backendsOf(server.data)).length > 0)
    sent.destroy()
    await until('git has ended', async () => (await backendsOf(server.data)).length === 0)

    const folder = await clone(server)
    await commit(folder, { a: '1' })
    const push = start(['push', 'origin', 'main'], { cwd: folder })
    await until('the judge was asked', () => asked)
    killGroup(push.child)
    await until('git has ended', async () => (await backendsOf(server.data)).length === 0)
    await until('what it sent is gone', async () => (await quarantinesOf(server)).length === 0)
  })
})

test('an idle client is cut off and its slot given to the next', () =>
  withServer({ maxConcurrent: 1, limits: { idleMs: 300 } }, async (server) => {
    const { port } = server.server.address() as AddressInfo
    const headers = { authorization: `Basic ${btoa('alice:good')}`, 'content-type': 'application/x-git-upload-pack-request' }
    const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/git/fleet/planes.git/git-upload-pack', headers })
    sent.on('error', () => {})
    sent.write('0014')
    await sleep(50)
    await must(['ls-remote', server.url])
    sent.destroy()
  }))

test('the control plane is killed while it judges: the push is refused at once, nothing hangs', { skip: needsProc }, async () => {
  const server = await spawnServer(['hang'])
  try {
    const folder = join(scratch, 'killed')
    await must(['clone', '--quiet', server.url, folder])
    await commit(folder, { a: '1' })
    const bare = join(server.data, 'repos', `${server.product}.git`)
    const old = await must(['--git-dir', bare, 'rev-parse', 'main'])
    const push = start(['push', 'origin', 'main'], { cwd: folder })
    await until('the judge was asked', () => server.output().includes('asked'))
    assert.notEqual((await backendsOf(server.data)).length, 0)
    await server.end('SIGKILL')
    assert.notEqual((await push.done).code, 0)
    await until('git has ended', async () => (await backendsOf(server.data)).length === 0, 3_000)
    assert.equal(await must(['--git-dir', bare, 'rev-parse', 'main']), old)
  } finally {
    await rm(server.data, { recursive: true, force: true })
  }
})

test('as an ordinary user, and a 30 MB push in bounded memory', { skip: needsProc }, async (t) => {
  const isRoot = process.getuid?.() === 0
  t.diagnostic(isRoot ? 'server runs as uid 65534' : 'server runs as the user of this test')
  const server = await spawnServer([], isRoot ? { uid: 65_534, gid: 65_534 } : {})
  try {
    const folder = join(scratch, 'big')
    await must(['clone', '--quiet', server.url, folder])
    const bad = join(scratch, 'bad')
    await must(['clone', '--quiet', server.url, bad])
    await commit(bad, { [SPEC]: 'kind: bad\n' })
    const refused = await git(['push', 'origin', 'main'], { cwd: bad })
    assert.match(refused.stderr, /remote: spec\.yml:1:7 error/)
    await commit(folder, { 'big.bin': randomBytes(30 * 1024 * 1024) })
    const ran = await git(['push', 'origin', 'main'], { cwd: folder })
    assert.equal(ran.code, 0, ran.stderr)
    const peak = Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) / 1024
    t.diagnostic(`peak memory of the server process ${peak.toFixed(0)} MB`)
    assert.ok(peak < 180, `peak ${peak} MB`)
  } finally {
    await server.end('SIGTERM')
    await rm(server.data, { recursive: true, force: true })
  }
})

test('what the hooks cost: a small push against the same git without hooks', async (t) => {
  const program = locateGit()
  await withServer(
    { onPreReceive: async () => ({ accept: true, lines: [] }), onPostReceive: async () => ({ lines: [] }) },
    async (server) => {
      const limits = { idleMs: 10_000, totalMs: 10_000 }
      const plain = createServer((req, res) => {
        const [path = '', query = ''] = (req.url ?? '').split('?')
        const env = {
          ...program.env,
          GIT_PROJECT_ROOT: join(server.data, 'repos'),
          GIT_HTTP_EXPORT_ALL: '1',
          PATH_INFO: path,
          QUERY_STRING: query,
          REQUEST_METHOD: req.method ?? '',
          CONTENT_TYPE: req.headers['content-type'] ?? '',
          ...(req.headers['content-length'] && { CONTENT_LENGTH: req.headers['content-length'] }),
          REMOTE_USER: 'alice',
          GIT_CONFIG_COUNT: '1',
          GIT_CONFIG_KEY_0: 'core.hooksPath',
          GIT_CONFIG_VALUE_0: '/nonexistent',
        }
        runBackend({ program: program.httpBackend, env, limits, isAccepted: () => true, isDeciding: () => false }, req, res)
      })
      await new Promise<void>((listening) => plain.listen(0, '127.0.0.1', listening))
      const bareUrl = `http://127.0.0.1:${(plain.address() as AddressInfo).port}/${server.product}.git`
      const folder = await clone(server)
      const tree = await must(['rev-parse', 'HEAD^{tree}'], { cwd: folder })
      let tip = 'HEAD'
      const timed = async (url: string) => {
        tip = await must(['commit-tree', tree, '-p', tip, '-m', 'next'], { cwd: folder })
        const began = performance.now()
        await must(['push', '--quiet', url, `${tip}:main`], { cwd: folder })
        return performance.now() - began
      }
      const took: { hooks: number[]; bare: number[] } = { hooks: [], bare: [] }
      await timed(server.url)
      await timed(bareUrl)
      for (let n = 0; n < 10; n++) {
        took.bare.push(await timed(bareUrl))
        took.hooks.push(await timed(server.url))
      }
      plain.closeAllConnections()
      plain.close()
      const median = (times: number[]) => times.toSorted((a, b) => a - b)[5]!
      const [bare, hooks] = [median(took.bare), median(took.hooks)]
      t.diagnostic(
        `median of 10: bare ${bare.toFixed(1)} ms, with hooks ${hooks.toFixed(1)} ms, added ${(hooks - bare).toFixed(1)} ms`,
      )
      // The aim is 30 ms; four times that means something is being started that should not be.
      assert.ok(hooks - bare < 120)
    },
  )
})
