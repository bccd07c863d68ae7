import { expandSubjects } from '../access/subjects.ts'
import { type DomainRow, needDomain, type ProductRow } from '../catalog/products.ts'
import { planBootstrap, planUndoBootstrap } from '../plan/bootstrap.ts'
import type { Plan } from '../plan/step.ts'
import type { BootstrapWorld } from '../plan/world.ts'
import { enqueueRun } from '../run/enqueue.ts'
import { readSteps } from '../run/journal.ts'
import { readInventory } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'
import type { LifecycleDeps } from './deps.ts'

export type ProductPayload = { domain: string; name: string; title?: string; purpose?: string; owner?: string; template?: string }

/** The lane and environment of work that belongs to no single environment. */
const EVERYWHERE = '*'

/** What a request would build, before anything is stored: the same plan that will run, but for the product's id. */
export async function planProduct(
  deps: LifecycleDeps,
  queries: Queries,
  payload: ProductPayload,
  product: Pick<ProductRow, 'id' | 'title' | 'owner'>,
): Promise<Plan> {
  const domain = await needDomain(queries, payload.domain)
  const world: BootstrapWorld = {
    product: { id: product.id, domain: payload.domain, name: payload.name, title: product.title },
    domain: await withPeople(queries, domain, product.owner),
    environments: defaultEnvironments(deps),
    purpose: payload.purpose ?? '',
    template: payload.template ?? 'standard',
    inventory: await readInventory(queries, product.id, payload.domain),
  }
  return planBootstrap(world)
}

/** The owners of a product: its own and those of its domain, as people. */
export async function withPeople(queries: Queries, domain: DomainRow, owner: string): Promise<DomainRow> {
  return { ...domain, owners: await expandSubjects(queries, [...domain.owners, owner]) }
}

/** A scaffold has `prod` alone: the last environment of the mesh. */
function defaultEnvironments(deps: LifecycleDeps): string[] {
  return Object.keys(deps.mesh().environments).slice(-1)
}

export async function startBootstrap(
  deps: LifecycleDeps,
  queries: Queries,
  product: ProductRow,
  payload: ProductPayload,
  by: string,
  request: number,
): Promise<{ id: string; number: number }> {
  const plan = await planProduct(deps, queries, payload, product)
  return enqueueRun(queries, {
    kind: 'bootstrap',
    product: product.id,
    environment: EVERYWHERE,
    lane: 'control',
    plan,
    by,
    because: `request ${request}`,
    commit: null,
    detail: { request },
  })
}

/** Takes back what a failed bootstrap finished. */
export async function startUndo(
  queries: Queries,
  product: ProductRow,
  bootstrap: string,
  by: string,
  request: number,
): Promise<{ id: string; number: number }> {
  const finished = (await readSteps(queries, bootstrap)).filter((step) => step.state !== 'pending')
  const plan = planUndoBootstrap({
    product: { id: product.id, domain: product.domain, name: product.name, title: product.title },
    finished,
  })
  return enqueueRun(queries, {
    kind: 'undo',
    product: product.id,
    environment: EVERYWHERE,
    lane: 'control',
    plan,
    by,
    because: `undo of request ${request}`,
    commit: null,
    detail: { request },
  })
}
