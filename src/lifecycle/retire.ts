import { openAgreements } from '../access/agreements.ts'
import type { RequestRow } from '../access/requests.ts'
import { lockProductWhole, needDomain, needLiving, needProduct, type ProductRow } from '../catalog/products.ts'
import { type ProductAddress, parseProductAddress } from '../core/address.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { fail, type HeddleError } from '../core/fail.ts'
import { levelsOf } from '../observe/levels.ts'
import { planRestore } from '../plan/restore.ts'
import { planRetire } from '../plan/retire.ts'
import type { Plan } from '../plan/step.ts'
import { enqueueRun } from '../run/enqueue.ts'
import { lastResult } from '../run/read-runs.ts'
import { currentRelease, nextRevision } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'
import { withPeople } from './bootstrap.ts'
import type { LifecycleDeps } from './deps.ts'
import { describeUsage } from './describe-usage.ts'
import { usageOf } from './usage.ts'

export type RetirePayload = { product: string; because?: string }
export type RestorePayload = { product: string }
export type PlannedRetirement = { product: ProductRow; plan: Plan; approvers: string[]; diagnostics: Diagnostic[] }

const EVERYWHERE = '*'

/** What a retirement would do. Who still reads it is in `affected`, and a diagnostic says what must end first. */
export async function planRetirement(deps: LifecycleDeps, queries: Queries, payload: RetirePayload): Promise<PlannedRetirement> {
  const product = await needLiving(queries, parseProductAddress(payload.product))
  const place = { id: product.id, domain: product.domain, product: product.name }
  const monitors = await levelsOf(queries, [product.id])
  const environments = []
  for (const name of Object.keys(deps.mesh().environments)) {
    // Unreadable is not absent: an environment that does not answer stops the plan.
    const warehouse = deps.warehouse(name)
    const standing = await warehouse.standing(place)
    const release = await currentRelease(queries, product.id, name)
    if (standing.schemas.length + standing.roles.length + standing.registry.length === 0 && !release) continue
    const served = (await warehouse.served(place)).map((port) => port.revision)
    environments.push({
      name,
      standing,
      revisions: [...new Set([...served, ...(release ? [release.revision] : [])])].sort((a, b) => a - b),
      release: release && { number: release.number, label: release.label },
      monitors: monitors.filter((monitor) => monitor.environment === name).length,
    })
  }
  const agreements = await openAgreements(queries, product.id)
  const consumers = [...new Set(agreements.map((agreement) => agreement.subject))].sort()
  const usage = describeUsage(await usageOf(deps, queries, product))
  const plan = planRetire({
    product: { id: product.id, domain: product.domain, name: product.name, title: product.title },
    because: payload.because ?? 'retirement asked for',
    environments,
    usage: usage.sentence,
    consumers,
    kept: [`budget of ${product.domain}`, `monitor namespace of ${product.domain}`, `catalog community of ${product.domain}`],
  })
  const readers = environments.flatMap(({ name, standing }) => standing.dependents.map((view) => `${view} in ${name}`))
  const found: HeddleError[] = []
  if (agreements.length > 0)
    found.push(
      fail('RETIRE_CONSUMERS_ACTIVE', {
        what: `${payload.product} is read by ${consumers.join(', ')}`,
        fix: `End their agreements first: ${agreements.map((agreement) => `heddle access revoke ${agreement.number}`).join(', ')}`,
      }),
    )
  if (readers.length > 0)
    found.push(fail('RETIRE_PRODUCTS_READ', { what: `${payload.product} is read by ${readers.slice(0, 5).join(', ')}` }))
  const refusals = found.map(({ code, message, fix }): Diagnostic => ({ severity: 'error', code, what: message, fix }))
  return {
    product,
    plan,
    approvers: await approversOf(queries, product),
    diagnostics: [...refusals, ...usage.warnings],
  }
}

/** Everything about a request to retire that can be wrong, before anybody decides it. @throws RETIRE_CONSUMERS_ACTIVE, RETIRE_PRODUCTS_READ */
export async function checkRetirement(deps: LifecycleDeps, queries: Queries, payload: RetirePayload): Promise<PlannedRetirement> {
  const planned = await planRetirement(deps, queries, payload)
  const [first] = planned.diagnostics.filter(({ severity }) => severity === 'error')
  if (first) throw fail(first.code, { what: first.what, ...(first.fix && { fix: first.fix }), details: planned.diagnostics })
  return planned
}

export async function startRetirement(
  deps: LifecycleDeps,
  queries: Queries,
  request: RequestRow,
): Promise<{ id: string; number: number }> {
  const payload = request.payload as RetirePayload
  const { id } = await needLiving(queries, parseProductAddress(payload.product))
  // From here on nobody stores a run for it, or has done so and is seen below.
  await lockProductWhole(queries, id)
  const { plan } = await checkRetirement(deps, queries, payload)
  return enqueueRun(queries, {
    kind: 'retire',
    product: id,
    environment: EVERYWHERE,
    lane: 'control',
    plan,
    by: request.by,
    because: `request ${request.number}`,
    commit: null,
    detail: { request: request.number, because: payload.because ?? '' },
  })
}

export async function planRestoration(
  deps: LifecycleDeps,
  queries: Queries,
  payload: RestorePayload,
): Promise<{ product: ProductRow; approvers: string[]; plan: Plan; revisions: Record<string, number> }> {
  const product = await needProduct(queries, parseProductAddress(payload.product))
  if (product.state !== 'retired')
    throw fail('RETIRE_STATE_WRONG', { what: `${payload.product} is not retired`, fix: `heddle show ${payload.product}` })
  const archive = await archiveOf(queries, product)
  const manifest = await deps.archive.find(archive)
  if (!manifest)
    throw fail('ARCHIVE_MISSING', { what: `The archive of ${payload.product} is not there`, why: deps.archive.locate(archive) })
  const domain = await needDomain(queries, product.domain)
  const revisions: Record<string, number> = {}
  for (const { name } of manifest.about.environments) revisions[name] = await nextRevision(queries, product.id, name)
  const plan = planRestore({
    product: { id: product.id, domain: product.domain, name: product.name, title: product.title },
    domain: await withPeople(queries, domain, product.owner),
    archive,
    about: manifest.about,
    revisions,
  })
  return { product, approvers: await approversOf(queries, product), plan, revisions }
}

export async function startRestoration(
  deps: LifecycleDeps,
  queries: Queries,
  request: RequestRow,
): Promise<{ id: string; number: number }> {
  const payload = request.payload as RestorePayload
  const { id } = await needProduct(queries, parseProductAddress(payload.product))
  await lockProductWhole(queries, id)
  const { plan, revisions } = await planRestoration(deps, queries, payload)
  return enqueueRun(queries, {
    kind: 'restore',
    product: id,
    environment: EVERYWHERE,
    lane: 'control',
    plan,
    by: request.by,
    because: `request ${request.number}`,
    commit: null,
    detail: { request: request.number, revisions },
  })
}

/** What the last finished retirement certified. @throws RETIRE_STATE_WRONG when there is none */
export async function readCertificate(
  queries: Queries,
  address: ProductAddress,
): Promise<{ certificate: Record<string, unknown>; text: string }> {
  const product = await needProduct(queries, address)
  const found = await lastResult(queries, { product: product.id, kind: 'retire', step: 'certificate' })
  if (!found)
    throw fail('RETIRE_STATE_WRONG', {
      what: `${product.domain}/${product.name} was not retired`,
      fix: `heddle show ${product.domain}/${product.name}`,
    })
  return found as { certificate: Record<string, unknown>; text: string }
}

/** Only a finished retirement is taken back: one that failed half way is retried first. */
async function archiveOf(queries: Queries, product: ProductRow): Promise<string> {
  const found = await lastResult(queries, { product: product.id, kind: 'retire', step: 'archive' })
  if (found) return found.archive as string
  throw fail('RETIRE_STATE_WRONG', {
    what: `The retirement of ${product.domain}/${product.name} has not finished`,
    fix: `heddle runs ${product.domain}/${product.name}, then heddle retry the failed one`,
  })
}

/** Whoever owns it decides that it ends, and that it comes back. */
async function approversOf(queries: Queries, product: ProductRow): Promise<string[]> {
  const { owners } = await needDomain(queries, product.domain)
  return [...new Set([...owners, product.owner])]
}
