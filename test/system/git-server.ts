import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGitHttp, type GitHttpDeps } from '../../src/adapters/git/http.ts'
import { parseGitPath } from '../../src/adapters/git/path.ts'
import { createGitRepository, type GitRepository } from '../../src/adapters/git/repository.ts'
import { newId } from '../../src/core/id.ts'
import type { Push } from '../../src/platform/repository.ts'

/** A control plane reduced to git: one product, `fleet/planes`, and the token `good`. Also run as a process of its own, to be killed or measured. */
export type GitServer = {
  data: string
  product: string
  url: string
  repository: GitRepository
  hooksDir: string
  /** pushes that moved something, in the order of their post-receive hooks */
  moved: Push[]
  logged: string[]
  server: Server
  stop(): Promise<void>
}

export type GitServerOptions = Partial<Pick<GitHttpDeps, 'onPreReceive' | 'onPostReceive' | 'limits' | 'maxConcurrent'>> & {
  maxPackBytes?: number
}

export const SPEC = 'spec.yml'

export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const data = await mkdtemp(join(tmpdir(), 'heddle-git-'))
  const root = join(data, 'repos')
  const hooksDir = join(data, 'hooks')
  const product = newId()
  const moved: Push[] = []
  const logged: string[] = []
  const log = (line: string) => void logged.push(line)
  const repository = createGitRepository({
    root,
    hooksDir,
    log,
    ...(options.maxPackBytes && { maxPackBytes: options.maxPackBytes }),
  })
  await repository.ensure({
    product,
    files: { [SPEC]: 'kind: good\n', 'dbt/models/planes.sql': 'select 1\n' },
    author: { name: 'Heddle', email: 'heddle@localhost' },
    message: 'Scaffold',
  })
  const git = createGitHttp({
    repositoryRoot: root,
    hooksDir,
    maxConcurrent: options.maxConcurrent ?? 8,
    log,
    ...(options.limits && { limits: options.limits }),
    async authorize({ authorization, domain, product: name }) {
      const [user, token] = Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64')
        .toString()
        .split(':')
      if (!user || !token) return { ok: false, status: 401, message: 'Give your token as the password.' }
      if (token === 'readonly') return { ok: false, status: 403, message: 'This token may not do that.' }
      if (token !== 'good') return { ok: false, status: 401, message: 'This token is not valid.' }
      if (domain !== 'fleet' || name !== 'planes')
        return { ok: false, status: 404, message: `There is no product ${domain}/${name}.` }
      return { ok: true, productId: product, subject: user }
    },
    onPreReceive:
      options.onPreReceive ??
      (async ({ refs, quarantine }) => {
        for (const { new: commit } of refs) {
          if (!commit) continue
          const spec = await repository.read(product, commit, SPEC, quarantine.objectDirectory)
          if (spec?.includes('bad')) {
            return {
              accept: false,
              lines: ["spec.yml:1:7 error SPEC_KIND_UNKNOWN: unknown kind 'bad'", '    did you mean good?'],
            }
          }
        }
        return { accept: true, lines: ['heddle: spec.yml is valid'] }
      }),
    onPostReceive:
      options.onPostReceive ??
      (async (push) => {
        moved.push(push)
        return { lines: ['heddle: run 1 started', '    heddle show run 1'] }
      }),
  })
  const server = createServer((req, res) => {
    const path = parseGitPath(req.url ?? '')
    if (path) void git.handle(req, res, path)
    else res.writeHead(404).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    data,
    product,
    url: `http://alice:good@127.0.0.1:${port}/git/fleet/planes.git`,
    repository,
    hooksDir,
    moved,
    logged,
    server,
    async stop() {
      await git.close()
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
      await rm(data, { recursive: true, force: true })
    },
  }
}

if (import.meta.main) {
  const hangs = process.argv.includes('hang')
  const server = await startGitServer({
    ...(hangs && {
      onPreReceive: () => {
        process.stdout.write('asked\n')
        return new Promise<never>(() => {})
      },
    }),
  })
  const { data, product, url } = server
  process.stdout.write(`${JSON.stringify({ data, product, url })}\n`)
  process.once('SIGTERM', () => void server.stop())
}
