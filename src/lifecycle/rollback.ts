import { activeAgreements } from '../access/agreements.ts'
import { lockProduct, type ProductRow } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import { planRollback } from '../plan/rollback.ts'
import type { Plan } from '../plan/step.ts'
import { enqueueRun } from '../run/enqueue.ts'
import { listReleases } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'

export type RollbackRequest = { product: ProductRow; environment: string; to: number | null; by: string }

/** What a roll back would do: to the named release, or to the one before the current. */
export async function planRollbackTo(queries: Queries, { product, environment, to }: Omit<RollbackRequest, 'by'>): Promise<Plan> {
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
  const consumers = [
    ...new Set((await activeAgreements(queries, product.id, environment)).map((agreement) => agreement.subject)),
  ].sort()
  const { id, domain, name, title } = product
  return planRollback({ product: { id, domain, name, title }, environment, target, current, consumers })
}

export async function startRollback(queries: Queries, request: RollbackRequest): Promise<{ number: number }> {
  const { product, environment, by } = request
  await lockProduct(queries, product.id)
  const plan = await planRollbackTo(queries, request)
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
