import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '../core/fail.ts'
import { isName } from '../core/names.ts'

export const SPEC_FILE = 'data_product_spec.yml'
const LIMIT = { files: 5_000, fileBytes: 1_048_576, bytes: 6_291_456 }
export const DEPLOY_FILE = 'data_product_deploy.yml'
/** Where there is no git to ask what is ignored: what dbt writes beside its project. */
const BUILT = new Set(['target', 'dbt_packages', 'logs'])

/** The folder of the product this folder is in, or null. */
export async function findWorkingTree(dir: string): Promise<string | null> {
  for (let folder = resolve(dir); ; folder = dirname(folder)) {
    if (await stat(join(folder, SPEC_FILE)).catch(() => null)) return folder
    if (folder === dirname(folder)) return null
  }
}

/** @throws CLI_PRODUCT_MISSING */
export async function requireWorkingTree(dir: string): Promise<string> {
  const tree = await findWorkingTree(dir)
  if (tree === null) throw fail('CLI_PRODUCT_MISSING', { what: `There is no ${SPEC_FILE} in ${resolve(dir)} or above it` })
  return tree
}

/** `domain/product` as the spec says; where the spec cannot be read, as the clone's origin says. */
export async function readAddress(tree: string): Promise<string> {
  const { parse } = await import('yaml')
  const metadata = await readFile(join(tree, SPEC_FILE), 'utf8')
    .then(
      (text) => (parse(text, { logLevel: 'silent' }) as { metadata?: { name?: unknown; namespace?: unknown } } | null)?.metadata,
    )
    .catch(() => undefined)
  const { name, namespace } = metadata ?? {}
  if (typeof name === 'string' && typeof namespace === 'string' && isName(name) && isName(namespace))
    return `${namespace}/${name}`
  const origin = await readOrigin(tree)
  if (origin !== null) return origin
  throw fail('CLI_PRODUCT_MISSING', {
    what: `${SPEC_FILE} does not say in metadata which product it is`,
    fix: 'Write metadata.namespace (the domain) and metadata.name.',
  })
}

/** The product this is a clone of, as the address of its origin says; null where it is no clone of ours. */
export async function readOrigin(tree: string): Promise<string | null> {
  // Read here: starting git takes longer than the whole check.
  const config = await readFile(join(tree, '.git', 'config'), 'utf8').catch(() => '')
  const section = /^\[remote "origin"\]\s*\n((?:[ \t].*\n?)*)/m.exec(config)?.[1] ?? ''
  const found = /^\s*url\s*=\s*https?:\S+\/git\/([^/\s]+)\/([^/\s]+?)\.git\s*$/m.exec(section)
  return found && isName(found[1]!) && isName(found[2]!) ? `${found[1]}/${found[2]}` : null
}

/** Models and properties files of the dbt projects that the spec names, by path. */
export async function readModels(tree: string, spec: string): Promise<Record<string, string>> {
  const named = [...spec.matchAll(/\bprojectDir:\s*["']?([A-Za-z0-9_./-]+)/g)].map((found) => found[1]!)
  const folders = new Set(['dbt', ...named.filter((dir) => !dir.split('/').includes('..') && !dir.startsWith('/'))])
  const found = await Promise.all([...folders].map((dir) => readTexts(tree, `${dir}/models`, /\.(sql|ya?ml)$/)))
  return Object.assign({}, ...found)
}

/** What is generated beside the models and stands in the repository, by path. */
export async function readGenerated(tree: string): Promise<Record<string, string>> {
  return readTexts(tree, '.heddle/schemas', /\.json$/)
}

/** `environment` of `.heddle.yml`, where the working tree has one. */
export async function readTreeEnvironment(tree: string): Promise<string | undefined> {
  const text = await readFile(join(tree, '.heddle.yml'), 'utf8').catch(() => null)
  if (text === null) return undefined
  const { parse } = await import('yaml')
  const settings = parse(text, { logLevel: 'silent' }) as { environment?: unknown } | null
  return typeof settings?.environment === 'string' ? settings.environment : undefined
}

/**
 * The files of the working tree that a release is made of, as they are now, committed or not, by path; what git ignores stays out.
 * @throws CLI_TREE_LIMIT
 */
export async function readTree(tree: string): Promise<Record<string, string>> {
  const paths = (await listPaths(tree)).filter(isPlanned).sort()
  if (paths.length > LIMIT.files)
    throw fail('CLI_TREE_LIMIT', { what: `${paths.length} files are more than the ${LIMIT.files} a plan takes` })
  const files: Record<string, string> = {}
  let bytes = 0
  for (const path of paths) {
    const content = await readFile(join(tree, path)).catch(() => null)
    // Deleted but still known to git: the plan sees the tree without it.
    if (content === null) continue
    bytes += content.length
    if (content.length > LIMIT.fileBytes)
      throw fail('CLI_TREE_LIMIT', { what: `${path} is larger than the ${LIMIT.fileBytes} bytes a plan takes of one file` })
    if (bytes > LIMIT.bytes)
      throw fail('CLI_TREE_LIMIT', { what: `The files together are larger than the ${LIMIT.bytes} bytes a plan takes` })
    files[path] = content.toString('utf8')
  }
  return files
}

/** Hand-written contracts by path. */
export async function readContracts(tree: string): Promise<Record<string, string>> {
  return readTexts(tree, 'contracts', /./)
}

async function readTexts(tree: string, folder: string, name: RegExp): Promise<Record<string, string>> {
  const entries = await readdir(join(tree, folder), { recursive: true, withFileTypes: true }).catch(() => [])
  const paths = entries
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return Object.fromEntries(
    await Promise.all(paths.sort().map(async (path) => [path, await readFile(join(tree, path), 'utf8')] as const)),
  )
}

/** Spec, deploy file, contracts and the dbt project; the rest of the repository decides nothing. */
function isPlanned(path: string): boolean {
  return path === SPEC_FILE || path === DEPLOY_FILE || path.startsWith('contracts/') || path.startsWith('dbt/')
}

async function listPaths(tree: string): Promise<string[]> {
  const known = await git(tree, ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']).catch(
    () => null,
  )
  if (known !== null) return known.split('\0').filter((path) => path !== '')
  const found = await readdir(tree, { recursive: true, withFileTypes: true })
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(tree, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.split('/').some((part) => BUILT.has(part)))
}

async function git(tree: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-C', tree, ...args], { maxBuffer: 16_777_216 })
  return stdout
}
