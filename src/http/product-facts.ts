import { handledOf } from '../catalog/handled-pushes.ts'
import type { ProductRow } from '../catalog/products.ts'
import { levelsOf } from '../observe/levels.ts'
import { readServedSinceOf } from '../observe/updates.ts'
import { latestRuns } from '../run/read-runs.ts'
import { currentReleasesOf } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'
import type { SummaryFacts } from './views/products.ts'

const PRODUCT_KINDS = ['bootstrap', 'deploy', 'refresh', 'rollback', 'retire', 'restore', 'undo']

/** What the summaries of many products need: six questions, however many products. `environments` in the order of the mesh. */
export async function summaryFacts(
  queries: Queries,
  products: readonly ProductRow[],
  environments: readonly string[],
): Promise<Map<string, SummaryFacts>> {
  const ids = products.map(({ id }) => id)
  if (ids.length === 0) return new Map()
  const [runs, publications, levels, releases, handled] = await Promise.all([
    latestRuns(queries, ids, PRODUCT_KINDS),
    readServedSinceOf(queries, ids),
    levelsOf(queries, ids),
    currentReleasesOf(queries, ids),
    handledOf(queries, ids),
  ])
  const of = <T extends { product: string }>(rows: readonly T[]) => Map.groupBy(rows, (row) => row.product)
  const [runsOf, publicationsOf, levelsIn, releasesOf] = [of(runs), of(publications), of(levels), of(releases)]
  return new Map(
    products.map((product) => {
      const current = releasesOf.get(product.id) ?? []
      const named = environments.toReversed().flatMap((name) => current.filter(({ environment }) => environment === name))
      return [
        product.id,
        {
          product,
          runs: runsOf.get(product.id) ?? [],
          releases: Object.fromEntries(named.map((release) => [release.environment, release])),
          servedSince: Object.fromEntries((publicationsOf.get(product.id) ?? []).map(({ environment, at }) => [environment, at])),
          levels: levelsIn.get(product.id) ?? [],
          handled: handled.get(product.id) ?? null,
        },
      ]
    }),
  )
}
