import { execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** git's own HTTP server program behind nothing but a pipe: the floor that a push to the platform is held against. */
export async function servePlainGit(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const program = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend')
  execFileSync('git', ['init', '--quiet', '--bare', '-b', 'main', join(folder, 'plain.git')])
  execFileSync('git', ['-C', join(folder, 'plain.git'), 'config', 'http.receivepack', 'true'])
  const server = createServer((req, res) => {
    const [path = '', query = ''] = (req.url ?? '').split('?')
    const child = spawn(program, [], {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        GIT_PROJECT_ROOT: folder,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: req.method,
        REMOTE_USER: 'bench',
        CONTENT_TYPE: req.headers['content-type'],
        CONTENT_LENGTH: req.headers['content-length'],
        HTTP_CONTENT_ENCODING: req.headers['content-encoding'],
        GIT_PROTOCOL: req.headers['git-protocol'] as string | undefined,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    req.pipe(child.stdin)
    let head: Buffer | null = Buffer.alloc(0)
    child.stdout.on('data', (chunk: Buffer) => {
      if (head === null) return void res.write(chunk)
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      const lines = head.toString('latin1', 0, end).split('\r\n')
      for (const line of lines) {
        const colon = line.indexOf(':')
        const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()]
        if (name.toLowerCase() === 'status') res.statusCode = Number(value.slice(0, 3))
        else res.setHeader(name, value)
      }
      res.write(head.subarray(end + 4))
      head = null
    })
    child.on('close', () => res.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/plain.git`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
