import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import type { HttpDeps } from '../deps.ts'
import type { App } from '../typed-app.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
}
const POLICY =
  "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

/** The built portal: files of `assets/` for ever, anything else is the page, which reads the address itself. */
export async function mountPortal(app: App, deps: HttpDeps): Promise<void> {
  const root = deps.portalDir
  app.get('/*', { config: { rule: 'anyone' }, schema: { hide: true } }, async (request, reply) => {
    reply
      .header('content-security-policy', POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('referrer-policy', 'same-origin')
    if (!root) return reply.type('text/plain').send('The portal is not built: npm run build:web\n')
    const asked = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname))
    const path = join(root, asked)
    if (path.startsWith(root + sep) && TYPES[extname(path)]) {
      const bytes = await readFile(path).catch(() => null)
      if (!bytes) return reply.status(404).type('text/plain').send('not found\n')
      if (asked.startsWith('/assets/')) reply.header('cache-control', 'public, max-age=31536000, immutable')
      return reply.type(TYPES[extname(path)]!).send(bytes)
    }
    return reply
      .header('cache-control', 'no-cache')
      .type(TYPES['.html']!)
      .send(await readFile(join(root, 'index.html')))
  })
}
