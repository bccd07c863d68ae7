import { createHash } from 'node:crypto'
import { hashOf } from '../core/canonical.ts'
import { RENDERER_VERSION } from '../plan/world.ts'

export const SPEC_FILE = 'data_product_spec.yml'
export const DEPLOY_FILE = 'data_product_deploy.yml'

/** Does the file decide what a release is? README, editor schemas and the like do not. */
export function isReleaseFile(path: string): boolean {
  return (
    path === SPEC_FILE ||
    path === DEPLOY_FILE ||
    path.startsWith('contracts/') ||
    (path.startsWith('dbt/') && !/\.md$/i.test(path))
  )
}

/** Equal content means an empty plan. @param oids path → git blob id */
export function contentHash(oids: Readonly<Record<string, string>>): string {
  const files = Object.fromEntries(Object.entries(oids).filter(([path]) => isReleaseFile(path)))
  return hashOf({ files, renderer: RENDERER_VERSION })
}

/** git's id of a file's bytes, so that a working tree and a commit compare without writing objects. */
export function blobId(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
