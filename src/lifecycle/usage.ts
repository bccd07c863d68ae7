import { activeAgreements } from '../access/agreements.ts'
import type { ProductRow } from '../catalog/products.ts'
import { readDuration } from '../core/duration.ts'
import { explainCoverage } from '../observe/explain-coverage.ts'
import { type Proposal, proposeRetirement } from '../observe/propose-retirement.ts'
import {
  KEEP_DAYS,
  lastReadOf,
  type PortReads,
  pruneUsage,
  readCountedPorts,
  readCoverage,
  readPortUsage,
  saveUsage,
  usageAsOf,
} from '../observe/usage.ts'
import type { Warehouse } from '../platform/warehouse.ts'
import type { Queries } from '../store/control.ts'
import type { LifecycleDeps } from './deps.ts'

type UsageDeps = Pick<LifecycleDeps, 'control' | 'clock' | 'mesh'>
export type ProductUsage = { asOf: Date | null; coverage: string; ports: PortReads[]; proposal: Proposal | null }

/** How far back days and readers are shown. */
const SHOWN_DAYS = 90

/** One look at what an environment's readers have read since the last. */
export async function takeUsage(
  { control, clock }: Pick<LifecycleDeps, 'control' | 'clock'>,
  warehouse: Pick<Warehouse, 'environment' | 'readUsage'>,
): Promise<void> {
  const { environment } = warehouse
  const reading = await warehouse.readUsage({ since: await usageAsOf(control.db, environment), keepDays: KEEP_DAYS })
  await control.db.transaction().execute(async (queries) => {
    await saveUsage(queries, environment, reading)
    await pruneUsage(queries, clock.now())
  })
}

export async function usageOf(deps: UsageDeps, queries: Queries, product: ProductRow): Promise<ProductUsage> {
  const now = deps.clock.now()
  const [ports, counted, coverage] = [
    await readPortUsage(queries, product.id, { days: SHOWN_DAYS, now }),
    await readCountedPorts(queries, product.id),
    await readCoverage(queries),
  ]
  const used = coverage.filter(({ environment }) => counted.some((port) => port.environment === environment))
  return {
    asOf: used.reduce<Date | null>((oldest, { asOf }) => (oldest === null || asOf < oldest ? asOf : oldest), null),
    coverage: explainCoverage(counted, coverage),
    ports,
    proposal: await proposalOf(deps, queries, product),
  }
}

/** Whether the product's owners should be asked if it is still needed. */
export async function proposalOf(deps: UsageDeps, queries: Queries, product: ProductRow): Promise<Proposal | null> {
  if (product.state !== 'active') return null
  const ports = await readCountedPorts(queries, product.id)
  const held = []
  for (const environment of new Set(ports.map((port) => port.environment)))
    held.push(...(await activeAgreements(queries, product.id, environment)))
  const facts = {
    createdAt: product.created_at,
    lastReadAt: await lastReadOf(queries, product.id),
    ports,
    coverage: await readCoverage(queries),
    consumers: [...new Set(held.map(({ subject }) => subject))].sort(),
  }
  return proposeRetirement(facts, { afterMs: readDuration(deps.mesh().retirement.proposeAfter)!, now: deps.clock.now() })
}
