import type { ProductSummary } from '../api/types.ts'

export type Domain = { name: string; products: ProductSummary[]; worst: ProductSummary }

const STATES = ['failed', 'degraded', 'waiting', 'retiring', 'deploying', 'provisioning', 'active', 'draft', 'retired']
const LEVELS = ['breached', 'not-evaluated', 'at-risk', 'no-data', 'gathering', 'paused', 'met']

/** Products by domain, worst domain first and in each the worst product: first by state, then by its levels. */
export function byDomain(products: readonly ProductSummary[]): Domain[] {
  const domains = Map.groupBy(products, (product) => product.domain)
  return [...domains]
    .map(([name, own]) => {
      const sorted = own.toSorted(compare)
      return { name, products: sorted, worst: sorted[0]! }
    })
    .toSorted((a, b) => compare(a.worst, b.worst) || a.name.localeCompare(b.name))
}

function compare(a: ProductSummary, b: ProductSummary): number {
  return trouble(a) - trouble(b) || a.address.localeCompare(b.address)
}

/** A breached level of an active product comes before a product that merely deploys. */
function trouble({ state, slo }: ProductSummary): number {
  const at = STATES.indexOf(state)
  const level = slo === null ? LEVELS.length : LEVELS.indexOf(slo)
  return Math.min(at < 0 ? STATES.length : at, level <= 2 ? 2.5 : STATES.length) * 10 + Math.max(0, level)
}
