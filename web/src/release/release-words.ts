import type { PastRelease, Product } from '../api/types.ts'

/** "r12 · 1.5.0" */
export function releaseName({ number, label }: Pick<PastRelease, 'number' | 'label'>): string {
  return `r${number} · ${label}`
}

/** What a roll back would go to when nothing is named: the newest release before the current one whose data is kept. */
export function rollbackTarget(releases: readonly PastRelease[], environment: string): PastRelease | null {
  const here = releases.filter((release) => release.environment === environment)
  const current = here.find((release) => release.current)
  if (!current) return null
  return here.find((release) => !release.current && release.kept && release.number < current.number) ?? null
}

/** When consumers began to read what is served now in an environment: its last publication. */
export function servedSince(product: Product, environment: string): string | null {
  const times = product.served.filter((served) => served.environment === environment).map((served) => served.publishedAt)
  return times.toSorted().at(-1) ?? null
}

/** Where a roll back from the product's page acts: the last environment, in promotion order, that has a way back. */
export function rollbackPlace(
  product: Product,
  releases: readonly PastRelease[],
): { environment: string; to: PastRelease } | null {
  for (const { name } of product.environments.toReversed()) {
    const to = rollbackTarget(releases, name)
    if (to) return { environment: name, to }
  }
  return null
}
