import { listAgreements } from '../access/agreements.ts'
import { isOneOf, type SubjectRow } from '../access/subjects.ts'
import { findProduct, needDomain, type ProductRow } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import { isName } from '../core/names.ts'
import type { PortShape } from '../platform/port-read.ts'
import type { PortPlace } from '../platform/warehouse.ts'
import { currentRelease } from '../run/releases.ts'
import type { LifecycleDeps } from './deps.ts'

/** As an address names it: nothing of it is believed. */
export type PortAddress = { domain: string; product: string; port: string; major: number; environment: string }
export type ReadablePort = { product: ProductRow; environment: string; at: PortPlace; isOwner: boolean }

/**
 * Who may read a port over HTTP: the owners of the product, and whoever has an agreement on this port in this environment that is active now. Everybody else
 * is told the same, whether product, port or environment exist or not.
 * @throws ACCESS_NOT_GRANTED
 */
export async function findReadable(deps: LifecycleDeps, subject: SubjectRow, address: PortAddress): Promise<ReadablePort> {
  const { db } = deps.control
  const { domain, port, major, environment } = address
  const named = [domain, address.product, port].every(isName) && Object.hasOwn(deps.mesh().environments, environment)
  const product = named ? await findProduct(db, address) : null
  if (product) {
    const { owners } = await needDomain(db, product.domain)
    const isOwner = isOneOf(subject, [product.owner, ...owners])
    const now = deps.clock.now()
    const isHeld = async () =>
      (await listAgreements(db, { product: product.id, subject: subject.name })).some(
        (each) =>
          each.state === 'active' &&
          each.ends_at > now &&
          each.environment === environment &&
          each.port === port &&
          each.major === major,
      )
    const place = { id: product.id, domain: product.domain, product: product.name }
    if (isOwner || (await isHeld())) return { product, environment, at: { place, port, major }, isOwner }
  }
  throw notReadable(subject)
}

export function notReadable(subject: Pick<SubjectRow, 'name'>) {
  return fail('ACCESS_NOT_GRANTED', {
    what: `${subject.name} has no active agreement on that port`,
    why: 'A port is read by the owners of its product and by whoever has an active agreement on it in that environment.',
    fix: 'heddle access request DOMAIN/PRODUCT --port PORT --purpose PURPOSE',
  })
}

/** Columns that tell the object's rows apart, when the contract names some and the reader sees them as they are; else none. */
export async function keyOf(
  deps: LifecycleDeps,
  { product, environment, at }: ReadablePort,
  shape: PortShape['objects'][number],
): Promise<string[]> {
  const release = await currentRelease(deps.control.db, product.id, environment)
  const port = release?.spec.outputs.find((each) => each.port === at.port && each.major === at.major)
  const declared = port?.objects.find((each) => each.name === shape.name)?.columns.filter((column) => column.primaryKey) ?? []
  const shown = new Set(shape.columns.filter(({ masked }) => !masked).map(({ name }) => name))
  return declared.every(({ name }) => shown.has(name)) ? declared.map(({ name }) => name) : []
}
