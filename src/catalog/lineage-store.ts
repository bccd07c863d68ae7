import { sql } from 'kysely'
import { hashOf } from '../core/canonical.ts'
import { productInputs } from '../plan/inputs.ts'
import type { ProjectLineage } from '../platform/transformation.ts'
import type { ProductSpec } from '../spec/types.ts'
import { json, type Queries } from '../store/control.ts'
import { type GraphUpstream, productGraph } from './lineage-graph.ts'
import { findProduct, type ProductRow } from './products.ts'

/** What a transformation said of its commit; a later run of the same commit says it anew. */
export async function keepLineage(
  queries: Queries,
  at: { product: string; environment: string; commit: string; component: string; run: string },
  document: ProjectLineage,
): Promise<void> {
  const { product, environment, commit, component, run } = at
  await queries
    .insertInto('lineage_document')
    .values({ product, environment, commit_id: commit, component, run, document: json(document) })
    .onConflict((conflict) =>
      conflict
        .columns(['product', 'environment', 'commit_id', 'component'])
        .doUpdateSet({ document: json(document), run, at: new Date() }),
    )
    .execute()
}

/** How an input port of a release is found among the products. */
export type ResolveUpstream = (
  input: ReturnType<typeof productInputs>[number],
  upstream: ProductRow,
) => Promise<{ port: string; objects: string[] } | null>

/**
 * Makes the product's part of the graph be that of the release served now; the parts of others stay. One transaction with what makes the release
 * current. @returns hash of what the transformations said, null when they said nothing
 */
export async function serveLineage(
  queries: Queries,
  at: { product: Pick<ProductRow, 'id' | 'domain' | 'name'>; environment: string; commit: string; spec: ProductSpec },
  resolve: ResolveUpstream,
): Promise<string | null> {
  const { product, environment, spec } = at
  const rows = await queries
    .selectFrom('lineage_document')
    .select('document')
    .where('product', '=', product.id)
    .where('environment', '=', environment)
    .where('commit_id', '=', at.commit)
    .orderBy('component')
    .execute()
  const documents = rows.map((row) => row.document)
  const upstreams: GraphUpstream[] = []
  for (const input of productInputs(spec)) {
    const upstream = await findProduct(queries, input)
    const found = upstream && (await resolve(input, upstream))
    if (upstream && found)
      upstreams.push({ input: input.name, id: upstream.id, domain: upstream.domain, product: upstream.name, ...found })
  }
  const { nodes, edges, gaps } = productGraph({
    product: { domain: product.domain, product: product.name },
    spec,
    upstreams,
    documents,
  })
  for (const table of ['lineage_node', 'lineage_edge', 'lineage_gap'] as const)
    await queries.deleteFrom(table).where('product', '=', product.id).where('environment', '=', environment).execute()
  // As one array a column: a wide product has more values than a statement has places for.
  const list = (values: (string | null)[]) => sql`${values}::text[]`
  await sql`
    insert into lineage_node (product, environment, level, address, kind, name, parent)
    select ${product.id}::uuid, ${environment}, * from unnest(${list(nodes.map((node) => node.level))}, ${list(nodes.map((node) => node.address))},
      ${list(nodes.map((node) => node.kind))}, ${list(nodes.map((node) => node.name))}, ${list(nodes.map((node) => node.parent))})
    on conflict do nothing`.execute(queries)
  await sql`
    insert into lineage_edge (product, environment, level, from_address, to_address, kind, upstream)
    select ${product.id}::uuid, ${environment}, level, f, t, kind, u::uuid from unnest(${list(edges.map((edge) => edge.level))},
      ${list(edges.map((edge) => edge.from))}, ${list(edges.map((edge) => edge.to))}, ${list(edges.map((edge) => edge.kind))},
      ${list(edges.map((edge) => edge.upstream))}) as e (level, f, t, kind, u)
    on conflict do nothing`.execute(queries)
  await sql`
    insert into lineage_gap (product, environment, what) select ${product.id}::uuid, ${environment}, * from unnest(${list(gaps)})
    on conflict do nothing`.execute(queries)
  return documents.length === 0 ? null : hashOf(documents)
}
