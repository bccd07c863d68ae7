import { activeAgreements } from '../access/agreements.ts'
import { lockProduct, type ProductRow } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import { planRollback } from '../plan/rollback.ts'
import type { Plan } from '../plan/step.ts'
import { enqueueRun } from '../run/enqueue.ts'
import { listReleases, type ReleaseRow } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'
import type { LifecycleDeps } from './deps.ts'

export type RollbackRequest = { product: ProductRow; environment: string; to: number | null; by: string }

/** What a roll back would do: to the named release, or to the one before the current. */
export async function planRollbackTo(
  deps: LifecycleDeps,
  queries: Queries,
  { product, environment, to }: Omit<RollbackRequest, 'by'>,
): Promise<Plan> {
  const releases = await listReleases(queries, product.id, environment)
  const current = releases.find((release) => release.current)
  const target =
    to === null
      ? releases.find((release) => current && release.number < current.number)
      : releases.find((release) => release.number === to)
  const address = `${product.domain}/${product.name}`
  if (!current || !target) {
    throw fail('RELEASE_UNKNOWN', {
      what:
        to === null
          ? `${address} has no release before the current one in ${environment}`
          : `${address} has no release r${to} in ${environment}`,
      ...(releases.length > 0 && { fix: `Releases: ${releases.map((release) => `r${release.number}`).join(', ')}.` }),
    })
  }
  if (target.number === current.number)
    throw fail('RELEASE_UNKNOWN', { what: `r${target.number} is the current release of ${address}` })
  await needRevision(deps, product, environment, target, releases)
  const consumers = [
    ...new Set((await activeAgreements(queries, product.id, environment)).map((agreement) => agreement.subject)),
  ].sort()
  const { id, domain, name, title } = product
  return planRollback({ product: { id, domain, name, title }, environment, target, current, consumers })
}

/** Refused before there is a run, with what can be reached instead. @throws RELEASE_REVISION_GONE */
async function needRevision(
  deps: LifecycleDeps,
  product: ProductRow,
  environment: string,
  target: ReleaseRow,
  releases: readonly (ReleaseRow & { current: boolean })[],
): Promise<void> {
  const place = { id: product.id, domain: product.domain, product: product.name }
  const kept = new Set((await deps.warehouse(environment).sealed(place)).map((revision) => revision.n))
  if (kept.has(target.revision)) return
  const reachable = releases
    .filter((release) => !release.current && kept.has(release.revision))
    .map((release) => `r${release.number}`)
  throw fail('RELEASE_REVISION_GONE', {
    what: `The data of r${target.number} of ${product.domain}/${product.name} is not kept in ${environment} any more`,
    fix: `${reachable.length > 0 ? `Kept: ${reachable.join(', ')}. ` : ''}Or build it again: heddle deploy ${product.domain}/${product.name} --commit ${target.commit_id}`,
  })
}

export async function startRollback(
  deps: LifecycleDeps,
  queries: Queries,
  request: RollbackRequest,
): Promise<{ number: number }> {
  const { product, environment, by } = request
  await lockProduct(queries, product.id)
  const plan = await planRollbackTo(deps, queries, request)
  return enqueueRun(queries, {
    kind: 'rollback',
    product: product.id,
    environment,
    lane: 'control',
    plan,
    by,
    because: plan.steps[0]!.because,
    commit: null,
    detail: {},
  })
}
