import type { z } from 'zod'
import type { AgreementRow } from '../../access/agreements.ts'
import type { Entry } from '../../catalog/entries.ts'
import type { DomainRow, ProductRow } from '../../catalog/products.ts'
import { type LevelRow, shownState, worstState } from '../../observe/levels.ts'
import type { Warehouse } from '../../platform/warehouse.ts'
import type { RunListRow, StateRun } from '../../run/read-runs.ts'
import type { ReleaseRow } from '../../run/releases.ts'
import { physicalType } from '../../spec/physical-type.ts'
import type { ProductSpec } from '../../spec/types.ts'
import type * as shapes from '../schemas.ts'
import { runSummary } from './runs.ts'

type ProductSummary = z.infer<typeof shapes.ProductSummary>
type Product = z.infer<typeof shapes.Product>

/** What the state of a product is computed from: never stored. */
export type ProductFacts = Omit<SummaryFacts, 'runs' | 'releases'> & {
  runs: RunListRow[]
  releases: Record<string, ReleaseRow>
}

/** The least of it, as many products at once are read. */
export type SummaryFacts = {
  product: ProductRow
  /** newest first, every kind but access */
  runs: StateRun[]
  releases: Record<string, Pick<ReleaseRow, 'number' | 'label' | 'at'>>
  /** per environment: when the data that is served now was published first */
  servedSince: Record<string, Date>
  levels: LevelRow[]
  /** the head of main that was looked at last; null before the first push */
  handled: string | null
}

export function productSummary(facts: SummaryFacts, now: Date): ProductSummary {
  const { product, releases, servedSince } = facts
  const served = Object.values(releases).sort((a, b) => b.at.getTime() - a.at.getTime())[0]
  const published = Object.values(servedSince).sort((a, b) => b.getTime() - a.getTime())[0]
  const { state, since, reason } = productState(facts)
  return {
    address: `${product.domain}/${product.name}`,
    title: product.title,
    domain: product.domain,
    owner: product.owner,
    state,
    since: since.toISOString(),
    reason,
    release: served ? `r${served.number} · ${served.label}` : null,
    slo: worstState(facts.levels.map((level) => (served ? shownState(level, now) : 'no-data'))),
    freshness: published ? Math.round((now.getTime() - published.getTime()) / 1000) : null,
  }
}

const MOVING: Partial<Record<RunListRow['kind'], string>> = {
  bootstrap: 'provisioning',
  restore: 'provisioning',
  retire: 'retiring',
}

/** A deploy that failed is over once a later head of main was looked at and nothing had to be deployed: what is served is what main says. */
function isTakenBack(run: StateRun, handled: string | null): boolean {
  const isFirst = (run.detail.environments as string[] | undefined)?.[0] === run.environment
  return run.kind === 'deploy' && run.state === 'failed' && isFirst && handled !== null && handled !== run.commit_id
}

function productState({ product, runs, releases, handled }: SummaryFacts): {
  state: string
  since: Date
  reason: string | null
} {
  const last = runs.find((run) => !isTakenBack(run, handled))
  const hasRelease = Object.keys(releases).length > 0
  const moving = runs.find((run) => run.state === 'running' || run.state === 'queued')
  if (product.state === 'retired' && !moving) {
    const unfinished = last?.state === 'failed' ? `run ${last.number}: ${last.problem?.message ?? 'failed'}` : null
    return { state: 'retired', since: last?.ended_at ?? product.created_at, reason: unfinished }
  }
  if (moving) {
    const state = MOVING[moving.kind] ?? 'deploying'
    return {
      state,
      since: moving.started_at ?? moving.created_at,
      reason: `run ${moving.number}${moving.step ? `, ${moving.step}` : ''}`,
    }
  }
  if (last?.state === 'failed')
    return {
      state: hasRelease ? 'degraded' : 'failed',
      since: last.ended_at ?? last.created_at,
      reason: `run ${last.number}: ${last.problem?.message ?? 'failed'}`,
    }
  if (last?.state === 'waiting' && !hasRelease)
    return {
      state: 'waiting',
      since: last.created_at,
      reason: `run ${last.number} waits for approval by ${last.approvers.join(' or ')}`,
    }
  if (hasRelease) return { state: 'active', since: Object.values(releases)[0]!.at, reason: null }
  return { state: 'draft', since: product.created_at, reason: 'no release yet' }
}

export function productView(
  facts: ProductFacts,
  more: {
    now: Date
    domain: DomainRow
    cloneUrl: string
    head: string | null
    environments: string[]
    protectedOnes: string[]
    served: Record<string, Awaited<ReturnType<Warehouse['served']>>>
    entry: Entry | null
    agreements: AgreementRow[]
    runNumbers: Record<string, number>
  },
): Product {
  const spec = Object.values(facts.releases)[0]?.spec ?? null
  return {
    ...productSummary(facts, more.now),
    description: spec?.description.purpose ?? ((more.entry?.document.purpose as string | undefined) || null),
    repository: { cloneUrl: more.cloneUrl, head: more.head },
    environments: more.environments.map((name) => {
      const release = facts.releases[name]
      const run = facts.runs.find((each) => each.environment === name && !isTakenBack(each, facts.handled))
      return {
        name,
        state:
          run?.state === 'running' || run?.state === 'queued'
            ? 'deploying'
            : run?.state === 'waiting'
              ? 'waiting'
              : run?.state === 'failed'
                ? release
                  ? 'degraded'
                  : 'failed'
                : release
                  ? 'active'
                  : 'draft',
        release: release
          ? {
              number: release.number,
              label: release.label,
              commit: release.commit_id,
              at: release.at.toISOString(),
              run: more.runNumbers[release.run] ?? 0,
              revision: release.revision,
            }
          : null,
        protected: more.protectedOnes.includes(name),
        pinned: release?.pinned_at ? { by: release.pinned_by ?? 'somebody', at: release.pinned_at.toISOString() } : null,
      }
    }),
    served: Object.entries(more.served).flatMap(([environment, ports]) =>
      ports.map((port) => servedView(environment, port, facts.releases[environment]?.spec ?? null)),
    ),
    roles: rolesView(facts.product, more.domain, more.agreements),
    offers: (spec?.offers ?? []).map((offer) => ({
      name: offer.name,
      ports: offer.ports,
      purposes: offer.purposes,
      defaultDays: Math.round(offer.defaultMs / 86_400_000),
      maxDays: Math.round(offer.maxMs / 86_400_000),
      terms: `${offer.terms.url} (version ${offer.terms.version})`,
      approvers: [...offer.approvers.first, ...offer.approvers.second],
    })),
    catalog: more.entry && {
      community: more.entry.community,
      state: more.entry.state,
      metadata: more.entry.metadata,
      metrics: more.entry.metrics,
    },
    monitors: facts.levels.map((level) => ({
      port: level.port,
      object: level.object,
      kind: level.kind,
      state: shownState(level, more.now),
    })),
    runs: facts.runs.slice(0, 10).map(runSummary),
  }
}

function servedView(
  environment: string,
  port: Awaited<ReturnType<Warehouse['served']>>[number],
  spec: ProductSpec | null,
): Product['served'][number] {
  const declared = spec?.outputs.find((output) => output.port === port.port && output.major === port.major)
  return {
    environment,
    port: port.port,
    major: port.major,
    version: declared?.version ?? `${port.major}`,
    schema: port.schema,
    revision: port.revision,
    publishedAt: port.publishedAt,
    objects: port.objects.map((object) => {
      const known = declared?.objects.find((each) => each.name === object.name)
      return {
        name: object.name,
        rows: object.rows,
        columns: object.columns.map((name) => {
          const column = known?.columns.find((each) => each.name === name)
          const mask = declared?.masks.find((each) => each.object === object.name && each.column === name)
          return {
            name,
            type: column ? physicalType(column) : 'unknown',
            tags: column?.tags ?? [],
            mask: mask?.method ?? null,
            meaning: column?.description ?? null,
          }
        }),
      }
    }),
  }
}

function rolesView(product: ProductRow, domain: DomainRow, agreements: readonly AgreementRow[]): Product['roles'] {
  const consumers = agreements.filter((agreement) => agreement.state === 'active').map((agreement) => agreement.subject)
  return [
    { role: 'consumer', subjects: [...new Set(consumers)].sort(), may: 'reads the output ports of its agreements' },
    {
      role: 'service',
      subjects: ['its jobs'],
      may: 'reads and writes internal data, inputs and outputs; publishes metadata and metrics',
    },
    {
      role: 'owner',
      subjects: [...new Set([...domain.owners, product.owner])].sort(),
      may: 'edits metadata, approves access, reads all data and metrics of the product',
    },
  ]
}
