import { lockProduct, type ProductRow } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import { currentRelease, listReleases, type ReleaseRow } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'
import { readSource, type StartedDeploy, startDeploy, validateSource } from './deploy.ts'
import type { LifecycleDeps } from './deps.ts'

export type PromotionRequest = { product: ProductRow; from: string | null; to: string | null; by: string }

/**
 * The release of one environment goes to the next one of its deploy file: the same commit, under the rule that holds there. By hand it goes one environment
 * on, not further.
 * @throws RELEASE_NOTHING_NEWER, RELEASE_UNKNOWN, ENVIRONMENT_UNKNOWN
 */
export async function startPromotion(
  deps: LifecycleDeps,
  queries: Queries,
  { product, from, to, by }: PromotionRequest,
): Promise<Extract<StartedDeploy, { started: true }>> {
  await lockProduct(queries, product.id)
  const path = await readPath(deps, queries, product, from)
  const address = `${product.domain}/${product.name}`
  const step = chooseStep(product, path, { from, to })
  const source = path.releases[step.from]
  if (!source) throw fail('RELEASE_UNKNOWN', { what: `${address} has no release in ${step.from} to promote` })
  await refuseOlder(queries, product, source, step)
  const started = await startDeploy(deps, queries, {
    product,
    commit: source.commit_id,
    environment: step.to,
    by,
    because: `promoted from r${source.number} · ${source.label} of ${step.from}`,
    kind: 'promote',
  })
  if (started.started) return started
  throw nothingNewer(address, step, `${step.to} serves the same as r${started.release.number} · ${started.release.label}`)
}

/**
 * Ends what a roll back began: the environment gets what it would have now without it, the head of main or, behind another environment, the release of that one.
 * @throws RELEASE_NOT_PINNED
 */
export async function startUnpin(
  deps: LifecycleDeps,
  queries: Queries,
  { product, environment, by }: { product: ProductRow; environment: string; by: string },
): Promise<StartedDeploy> {
  await lockProduct(queries, product.id)
  const address = `${product.domain}/${product.name}`
  const release = await currentRelease(queries, product.id, environment)
  if (!release?.pinned_at) {
    throw fail('RELEASE_NOT_PINNED', {
      what: release
        ? `r${release.number} · ${release.label} of ${address} is not pinned in ${environment}`
        : `${address} has no release in ${environment}`,
    })
  }
  const head = await deps.repository.head(product.id, 'main')
  const { order, releases } = await readPath(deps, queries, product, null)
  const before = order[order.indexOf(environment) - 1]
  const commit = before === undefined ? head : releases[before]?.commit_id
  if (!commit)
    throw fail('DEPLOY_NOTHING_THERE', {
      what: `There is nothing newer than r${release.number} of ${address} for ${environment}`,
    })
  return startDeploy(deps, queries, {
    product,
    commit,
    environment,
    by,
    because: `unpinned from r${release.number} · ${release.label}`,
  })
}

/** Environments in promotion order, as the deploy file of the release (or of the newest there is) says, with what each serves. */
type Path = { order: string[]; releases: Record<string, ReleaseRow> }
type Hop = { from: string; to: string }

async function readPath(deps: LifecycleDeps, queries: Queries, product: ProductRow, from: string | null): Promise<Path> {
  const releases: Record<string, ReleaseRow> = {}
  for (const environment of Object.keys(deps.mesh().environments)) {
    const release = await currentRelease(queries, product.id, environment)
    if (release) releases[environment] = release
  }
  const newest = Object.values(releases).sort((a, b) => b.at.getTime() - a.at.getTime())[0]
  const source = from === null ? newest : releases[from]
  if (!source) {
    const address = `${product.domain}/${product.name}`
    throw fail('RELEASE_UNKNOWN', {
      what: `${address} has no release${from === null ? '' : ` in ${from}`} to promote`,
      fix: `heddle deploy ${address}`,
    })
  }
  const { texts } = await readSource(deps, product.id, source.commit_id)
  const { deploy } = await validateSource(deps, product, texts, null)
  return { order: deploy?.environments.map(({ name }) => name) ?? Object.keys(releases), releases }
}

/** What was not said: the first environment whose successor serves another commit. */
function chooseStep(
  product: ProductRow,
  { order, releases }: Path,
  { from, to }: { from: string | null; to: string | null },
): Hop {
  const hops = order.slice(0, -1).map((name, i): Hop => ({ from: name, to: order[i + 1]! }))
  const address = `${product.domain}/${product.name}`
  const fits = hops.filter((hop) => (from === null || hop.from === from) && (to === null || hop.to === to))
  if (fits.length === 0) {
    throw fail('ENVIRONMENT_UNKNOWN', {
      what: `The deploy file of ${address} has no step from ${from ?? 'any environment'} to ${to ?? 'another'}`,
      fix:
        hops.length > 0
          ? `It has: ${hops.map((hop) => `--from ${hop.from} --to ${hop.to}`).join('; ')}.`
          : `It names one environment: ${order.join(', ')}.`,
    })
  }
  const waiting = fits.find((hop) => releases[hop.from] && releases[hop.from]!.commit_id !== releases[hop.to]?.commit_id)
  return waiting ?? fits[0]!
}

async function refuseOlder(queries: Queries, product: ProductRow, source: ReleaseRow, step: Hop): Promise<void> {
  const address = `${product.domain}/${product.name}`
  const there = await listReleases(queries, product.id, step.to)
  const current = there.find((release) => release.current)
  if (!current) return
  if (current.commit_id === source.commit_id)
    throw nothingNewer(address, step, `${step.to} serves that commit as r${current.number} · ${current.label}`)
  const older = there.find((release) => release.commit_id === source.commit_id && release.number < current.number)
  if (!older) return
  throw fail('RELEASE_NOTHING_NEWER', {
    what: `r${source.number} · ${source.label} of ${step.from} is older than what ${step.to} serves`,
    fix: `To go back: heddle rollback ${address} --env ${step.to} --to r${older.number}`,
  })
}

function nothingNewer(address: string, { from, to }: Hop, why: string) {
  return fail('RELEASE_NOTHING_NEWER', { what: `${from} has nothing newer of ${address} for ${to}`, why })
}
