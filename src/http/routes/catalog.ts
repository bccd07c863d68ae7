import { z } from 'zod'
import { countConsumers } from '../../access/agreements.ts'
import { lineage } from '../../catalog/lineage.ts'
import { readSubjects } from '../../catalog/make-searchable.ts'
import { productsById } from '../../catalog/products.ts'
import { search } from '../../catalog/search.ts'
import type { HttpDeps } from '../deps.ts'
import { summaryFacts } from '../product-facts.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'
import { lineageView, searchHit } from '../views/catalog.ts'

const PAGE = 25
const MAX_NODES = 300
const MAX_HOPS = 20
const Hops = z.coerce.number().int().min(0).max(MAX_HOPS).default(1)

/** What exists, and where it comes from. Metadata only: everybody who is signed in sees it, and no row's value is in it. */
export function catalogRoutes(app: App, deps: HttpDeps): void {
  const { lifecycle } = deps
  const { db } = lifecycle.control
  const environments = () => Object.keys(lifecycle.mesh().environments)

  app.get(
    '/search',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({
          q: z.string().max(1000).default(''),
          domain: z.string().max(100).optional(),
          state: z.enum(['draft', 'listed', 'delisted']).optional(),
          sort: z.enum(['rank', 'name', 'freshness']).default('rank'),
          cursor: z.string().max(1000).optional(),
        }),
        response: { 200: shapes.List(shapes.SearchHit) },
      },
    },
    async (request) => {
      const { items: found, next } = await search(db, { ...request.query, limit: PAGE })
      const ids = found.map(({ product }) => product)
      const [products, entries, consumers] = await Promise.all([
        productsById(db, ids),
        readSubjects(db, ids),
        countConsumers(db, ids),
      ])
      const facts = await summaryFacts(db, products, environments())
      const now = deps.clock.now()
      // An entry that went while this was read is left out.
      const items = found.flatMap(({ product }) => {
        const entry = entries.find((each) => each.product === product)
        const known = facts.get(product)
        return entry && known
          ? [searchHit(request.query.q, { facts: known, entry, consumers: consumers.get(product) ?? 0, now })]
          : []
      })
      return { items, next }
    },
  )

  app.get(
    '/lineage',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({
          of: z.string().min(1).max(1000),
          level: shapes.LineageLevel.optional(),
          up: Hops,
          down: Hops,
          environment: z.string().max(100).optional(),
        }),
        response: { 200: shapes.Lineage },
      },
    },
    async (request) => {
      const environment = request.query.environment ?? environments().at(-1)!
      lifecycle.warehouse(environment)
      const graph = await lineage(db, { ...request.query, environment, limit: MAX_NODES })
      const ids = [
        ...new Set(graph.nodes.flatMap(({ kind, product }) => (kind === 'source' || product === null ? [] : [product]))),
      ]
      const facts = await summaryFacts(db, await productsById(db, ids), environments())
      return lineageView(graph, { environment, facts, now: deps.clock.now() })
    },
  )
}
