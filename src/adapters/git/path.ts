import type { GitPath } from './http.ts'

const SHAPE = /^\/git\/([a-z0-9-]+)\/([a-z0-9-]+)\.git\/((?:info\/refs|git-upload-pack|git-receive-pack))$/

/**
 * Reads a raw request target, not normalised, so `..` and `%2e` match nothing.
 * @example parseGitPath('/git/fleet/planes.git/info/refs?service=git-upload-pack') // { domain: 'fleet', product: 'planes', rest: 'info/refs' }
 */
export function parseGitPath(target: string): GitPath | null {
  const [, domain, product, rest] = SHAPE.exec(target.split('?', 1)[0] ?? '') ?? []
  return domain && product && rest ? { domain, product, rest } : null
}
