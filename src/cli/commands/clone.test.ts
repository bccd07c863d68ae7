import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { sampleProduct } from '../../client/sample-answers.ts'
import { withBench } from '../try-cli.ts'

const TOKEN = 'hdt_secret1'

/** A real repository behind a listener that wants the token, by git's plain-file protocol. */
async function serveRepository(folder: string): Promise<{ server: Server; origin: string; asked: string[] }> {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args])
  git('init', '-q', '-b', 'main', 'source')
  writeFileSync(join(folder, 'source/README.md'), 'planes')
  git('-C', 'source', 'add', '.')
  git('-C', 'source', 'commit', '-qm', 'first')
  git('clone', '-q', '--bare', 'source', 'planes.git')
  git('-C', 'planes.git', 'update-server-info')
  const asked: string[] = []
  const server = createServer((request, response) => {
    const authorization = request.headers.authorization ?? ''
    asked.push(authorization)
    if (authorization !== `Basic ${Buffer.from(`git:${TOKEN}`).toString('base64')}`)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="heddle"' }).end()
    try {
      response.end(readFileSync(join(folder, request.url!.replace('/git/fleet/', '').split('?')[0]!)))
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const env = { PATH: '/usr/local/bin:/usr/bin:/bin', GIT_TERMINAL_PROMPT: '0' }

function credentialFor(clone: string, host: string): string {
  return execFileSync('git', ['-C', clone, '-c', 'core.askPass=true', 'credential', 'fill'], {
    input: `protocol=http\nhost=${host}\n\n`,
    env,
  }).toString()
}

test('a clone has the token in its own git folder, for our server alone, and fetches with it wherever it is moved', () =>
  withBench({}, async ({ heddle, double, folder }) => {
    const { server, origin } = await serveRepository(folder)
    try {
      const cloneUrl = `${origin}/git/fleet/planes.git`
      double.routes['GET /products/fleet/planes'] = () => ({ ...sampleProduct, repository: { cloneUrl, head: null } })
      double.routes['POST /products/fleet/planes/tokens'] = () => ({
        token: TOKEN,
        kind: 'git',
        expiresAt: '2026-05-30T13:05:00.000Z',
      })
      const { code, out, err, json } = await heddle(['clone', 'fleet/planes', '--json'])
      assert.equal(code, 0, err)
      assert.equal(`${out}${err}`.includes(TOKEN), false)
      assert.deepEqual(double.heard.at(-1)!.body, { kind: 'git' })
      const directory = join(folder, 'planes')
      assert.deepEqual(json(), [
        { type: 'result', product: 'fleet/planes', directory, cloneUrl, tokenExpiresAt: '2026-05-30T13:05:00.000Z' },
      ])
      assert.equal(readFileSync(join(directory, 'README.md'), 'utf8'), 'planes')
      assert.equal(statSync(join(directory, '.git/heddle-credential')).mode & 0o777, 0o600)
      const config = readFileSync(join(directory, '.git/config'), 'utf8')
      assert.equal(config.includes(TOKEN), false)
      assert.ok(config.includes(`[credential "${origin}"]`) && config.includes(join(folder, 'heddle-data')), config)

      const moved = join(folder, 'elsewhere')
      renameSync(directory, moved)
      // Not execFileSync: the server that answers lives in this process.
      await promisify(execFile)('git', ['-C', moved, 'fetch', '-q'], { env })
      assert.equal(credentialFor(moved, origin.replace('http://', '')).includes(TOKEN), true)
      assert.equal(credentialFor(moved, 'other.example').includes(TOKEN), false)

      const taken = await heddle(['clone', 'fleet/planes', 'elsewhere'])
      assert.deepEqual([taken.code, taken.err.includes('CLI_CLONE_FAILED')], [1, true])
    } finally {
      server.close()
      server.closeAllConnections()
    }
  }))
