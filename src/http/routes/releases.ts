import { z } from 'zod'
import { needProduct } from '../../catalog/products.ts'
import { pastReleases } from '../../run/releases.ts'
import type { HttpDeps } from '../deps.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'

/** What was released where, and what of it can be served again without a rebuild. */
export function releaseRoutes(app: App, deps: HttpDeps): void {
  const { lifecycle } = deps
  const { db } = lifecycle.control

  app.get(
    '/products/:domain/:product/releases',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: z.object({ domain: z.string(), product: z.string() }),
        response: { 200: shapes.List(shapes.PastRelease) },
      },
    },
    async (request) => {
      const product = await needProduct(db, request.params)
      const rows = await pastReleases(db, product.id)
      const known = lifecycle.mesh().environments
      const place = { id: product.id, domain: product.domain, product: product.name }
      const kept = new Set<string>()
      // Unreadable is not gone: an environment that does not answer fails the call. One that left the mesh keeps nothing.
      for (const environment of new Set(rows.map((row) => row.environment)))
        if (known[environment])
          for (const revision of await lifecycle.warehouse(environment).sealed(place)) kept.add(`${environment} ${revision.n}`)
      return {
        items: rows.map(({ commit_id, run_number, at, ...row }) => ({
          number: row.number,
          label: row.label,
          commit: commit_id,
          at: at.toISOString(),
          run: run_number,
          revision: row.revision,
          environment: row.environment,
          current: row.current,
          kept: kept.has(`${row.environment} ${row.revision}`),
          by: row.by,
        })),
        next: null,
      }
    },
  )
}
