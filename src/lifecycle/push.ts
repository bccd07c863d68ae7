import { findHandled, markHandled } from '../catalog/handled-pushes.ts'
import { listProducts, lockProduct, type ProductRow } from '../catalog/products.ts'
import type { ErrorCode } from '../core/errors.ts'
import { asHeddleError, type HeddleError } from '../core/fail.ts'
import type { Push, PushVerdict } from '../platform/repository.ts'
import { refuseRetired } from '../run/enqueue.ts'
import { formatDiagnostics } from '../spec/format-diagnostics.ts'
import { describeStart, startDeploy, validateSource } from './deploy.ts'
import type { LifecycleDeps } from './deps.ts'
import { DEPLOY_FILE, isReleaseFile, SPEC_FILE } from './release-content.ts'

const MAIN = 'refs/heads/main'
const SYMLINK = '120000'
const SUBMODULE = '160000'

/** Before the ref moves: main must hold a valid spec, and no commit may hold links that lead out of a checkout. */
export async function checkPush(
  deps: LifecycleDeps,
  product: ProductRow,
  push: Push & { quarantine: string },
): Promise<PushVerdict> {
  const shut = await refusesRuns(deps, product)
  if (shut) return { accept: false, lines: [`${shut.code}: ${shut.message}`, `fix  ${shut.fix}`] }
  const main = push.refs.find((ref) => ref.ref === MAIN)
  if (!main) return { accept: true, lines: ['Only main is deployed; this branch is kept.'] }
  if (main.new === null) return { accept: false, lines: ['main cannot be deleted: it is what is deployed.'] }
  const head = await deps.repository.head(product.id, 'main')
  if (main.old !== head) {
    return refusal('PUSH_OVERTAKEN', `Another push to main came first; main is at ${head?.slice(0, 9) ?? 'nothing'} now`)
  }
  const files = await deps.repository.list(product.id, main.new, push.quarantine)
  const linked = files.find((file) => file.mode === SYMLINK || file.mode === SUBMODULE)
  if (linked) return refusal('REPOSITORY_LINK_REFUSED', `${linked.path}: symbolic links and submodules are not accepted`)
  const texts: Record<string, string> = {}
  for (const { path } of files.filter((file) => isReleaseFile(file.path) && !file.path.startsWith('dbt/'))) {
    texts[path] = (await deps.repository.read(product.id, main.new, path, push.quarantine))!.toString('utf8')
  }
  const missing = [SPEC_FILE, DEPLOY_FILE].filter((name) => texts[name] === undefined)
  if (missing.length > 0) {
    return refusal(
      'SPEC_FILE_MISSING',
      `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing in the root of the repository`,
    )
  }
  const { diagnostics } = await validateSource(deps, product, texts, null)
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length
  return {
    accept: errors === 0,
    lines: diagnostics.length > 0 ? formatDiagnostics(diagnostics, texts).trimEnd().split('\n') : [],
  }
}

/** A product that is being retired takes no push, not even one that deploys nothing: its repository is being archived. */
async function refusesRuns(deps: LifecycleDeps, product: ProductRow): Promise<HeddleError | null> {
  return refuseRetired(deps.control.db, { kind: 'deploy', product: product.id, retried: null }).then(() => null, asHeddleError)
}

function refusal(code: ErrorCode, what: string): PushVerdict {
  return { accept: false, lines: formatDiagnostics([{ severity: 'error', code, what }], {}).split('\n') }
}

/** After the ref moved: the run exists before the pusher has the terminal back. */
export async function acceptPush(deps: LifecycleDeps, product: ProductRow, push: Push): Promise<{ lines: string[] }> {
  const main = push.refs.find((ref) => ref.ref === MAIN)
  if (!main?.new) return { lines: [] }
  try {
    return { lines: await deployHead(deps, product, main.new, push.subject, 'push to main') }
  } catch (thrown) {
    const error = asHeddleError(thrown)
    deps.log(`push to ${product.domain}/${product.name}: ${error.message}`)
    return { lines: [`${error.code}: ${error.message}`, `fix  ${error.fix}`] }
  }
}

async function deployHead(
  deps: LifecycleDeps,
  product: ProductRow,
  commit: string,
  by: string,
  because: string,
): Promise<string[]> {
  const started = await deps.control.db.transaction().execute(async (transaction) => {
    await lockProduct(transaction, product.id)
    // Answers to two pushes may cross: the older one must not deploy over the newer.
    const head = await deps.repository.head(product.id, 'main')
    if (head !== commit) return null
    const made = await startDeploy(deps, transaction, { product, commit, by, because })
    await markHandled(transaction, product.id, commit)
    return made
  })
  if (!started) return ['main has moved on: the newer commit is deployed instead']
  return describeStart(deps, product, started)
}

/** A crash may fall between the ref update and our answer: every head that no push was handled for is deployed now. */
export async function catchUpPushes(deps: LifecycleDeps): Promise<string[]> {
  const did: string[] = []
  for (const product of await listProducts(deps.control.db)) {
    if (product.state === 'retired' || !(await deps.repository.exists(product.id))) continue
    const head = await deps.repository.head(product.id, 'main')
    const handled = await findHandled(deps.control.db, product.id)
    // A scaffold is not a push; its first deploy is started by the bootstrap's end.
    if (head === null || handled === null || handled === head) continue
    try {
      const lines = await deployHead(deps, product, head, product.owner, 'push to main, found after a restart')
      did.push(`${product.domain}/${product.name}: ${lines[0]}`)
    } catch (thrown) {
      deps.log(`${product.domain}/${product.name}: ${asHeddleError(thrown).message}`)
    }
  }
  return did
}
