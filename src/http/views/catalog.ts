import type { z } from 'zod'
import type { LineageGraph } from '../../catalog/lineage.ts'
import type { IndexedSubject } from '../../catalog/make-searchable.ts'
import { bestMatch, normaliseQuery, searchTerms, snippet } from '../../catalog/search-terms.ts'
import { shownState, worstState } from '../../observe/levels.ts'
import type * as shapes from '../schemas.ts'
import { productSummary, type SummaryFacts } from './products.ts'

type SearchHit = z.infer<typeof shapes.SearchHit>
type Lineage = z.infer<typeof shapes.Lineage>

export function searchHit(
  q: string,
  { facts, entry, consumers, now }: { facts: SummaryFacts; entry: IndexedSubject; consumers: number; now: Date },
): SearchHit {
  const query = normaliseQuery(q)
  const terms = searchTerms(entry)
  const { term } = query === '' ? { term: terms[0]! } : bestMatch(query, terms)
  return {
    product: productSummary(facts, now),
    match: { field: term.field, address: term.address, text: snippet(query, term.shown) },
    community: entry.community,
    consumers,
  }
}

/** Nodes with the states of what they belong to, as they are at this moment. */
export function lineageView(
  graph: LineageGraph,
  { environment, facts, now }: { environment: string; facts: ReadonlyMap<string, SummaryFacts>; now: Date },
): Lineage {
  return {
    focus: graph.focus,
    level: graph.level,
    environment,
    nodes: graph.nodes.map((node) => {
      const own = node.kind === 'source' || node.product === null ? undefined : facts.get(node.product)
      return {
        address: node.address,
        kind: node.kind,
        name: node.name,
        product: own ? `${own.product.domain}/${own.product.name}` : null,
        state: own ? productSummary(own, now).state : node.state,
        slo: own ? sloOf(own, node, environment, now) : null,
        up: node.up,
        down: node.down,
      }
    }),
    edges: graph.edges,
    missing: graph.missing,
  }
}

/** A product's is the worst of its levels, an object's and its columns' that of the object; a model promises nothing. */
function sloOf(
  { product, levels }: SummaryFacts,
  { kind, address }: LineageGraph['nodes'][number],
  environment: string,
  now: Date,
): Lineage['nodes'][number]['slo'] {
  if (kind === 'model') return null
  const own = levels.filter((level) => level.environment === environment)
  const at = `${product.domain}/${product.name}`
  const meant = kind === 'product' ? own : own.filter(({ port, object }) => isWithin(address, `${at}/${port}.${object}`))
  return worstState(meant.map((level) => shownState(level, now)))
}

function isWithin(address: string, object: string): boolean {
  return address === object || address.startsWith(`${object}.`)
}
