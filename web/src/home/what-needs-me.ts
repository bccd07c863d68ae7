import type { Incident, ProductSummary, Request, Run, RunSummary } from '../api/types.ts'
import { counted } from '../text/time.ts'

/** The newest run of each product, environment and kind, when it failed: a failure that a later run has repaired needs nobody. */
export function brokenRuns(runs: readonly RunSummary[]): RunSummary[] {
  const seen = new Set<string>()
  const broken: RunSummary[] = []
  for (const run of [...runs].sort((a, b) => b.number - a.number)) {
    if (run.state === 'superseded' || run.state === 'cancelled' || run.state === 'queued') continue
    const lane = `${run.product} ${run.environment} ${run.kind}`
    if (seen.has(lane)) continue
    seen.add(lane)
    if (run.state === 'failed') broken.push(run)
  }
  return broken
}

/** The page's title is the verdict. */
export function verdict({
  requests,
  waiting,
  broken,
  incidents,
  products,
}: {
  requests: Request[]
  waiting: Run[]
  broken: RunSummary[]
  incidents: Incident[]
  products: ProductSummary[]
}): string {
  const mine = requests.length + waiting.length
  const degraded = products.filter((product) => product.state === 'degraded' || product.state === 'failed').length
  const parts = [
    mine ? `${counted(mine, 'item needs', 'items need')} you` : null,
    broken.length ? counted(broken.length, 'run failed', 'runs failed') : null,
    incidents.length ? counted(incidents.length, 'promise fails', 'promises fail') : null,
    degraded && !broken.length ? counted(degraded, 'product is degraded', 'products are degraded') : null,
  ].filter(Boolean)
  return parts.length ? parts.join(', ') : 'Nothing needs you'
}
