import { z } from 'zod'
import { isPlatform } from '../../access/subjects.ts'
import { listDomains, listProducts, needDomain, needProduct } from '../../catalog/products.ts'
import { proposalOf, usageOf } from '../../lifecycle/usage.ts'
import type { HttpDeps } from '../deps.ts'
import { mayOwn } from '../permissions.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'

export function usageRoutes(app: App, deps: HttpDeps): void {
  const { lifecycle } = deps
  const { db } = lifecycle.control

  app.get(
    '/products/:domain/:product/usage',
    {
      config: { rule: 'signed-in' },
      schema: { params: z.object({ domain: z.string(), product: z.string() }), response: { 200: shapes.Usage } },
    },
    async (request) => {
      const caller = request.caller!
      const product = await needProduct(db, request.params)
      const seesNames = isPlatform(caller.subject) || mayOwn(caller, product, await needDomain(db, product.domain))
      const { asOf, coverage, ports, proposal } = await usageOf(lifecycle, db, product)
      return {
        product: `${product.domain}/${product.name}`,
        asOf: asOf?.toISOString() ?? null,
        coverage,
        ports: ports.map((port) => ({
          ...port,
          readers: port.readers
            .filter(({ subject }) => seesNames || subject === caller.subject.name)
            .map(({ lastReadAt, ...reader }) => ({ ...reader, lastReadAt: lastReadAt.toISOString() })),
          lastReadAt: port.lastReadAt?.toISOString() ?? null,
        })),
        proposal: proposal && { ...proposal, since: proposal.since.toISOString() },
      }
    },
  )

  app.get(
    '/proposals',
    { config: { rule: 'signed-in' }, schema: { response: { 200: shapes.List(shapes.RetirementProposal) } } },
    async (request) => {
      const caller = request.caller!
      const domains = new Map((await listDomains(db)).map((domain) => [domain.name, domain]))
      const items = []
      for (const product of await listProducts(db)) {
        if (!isPlatform(caller.subject) && !mayOwn(caller, product, domains.get(product.domain)!)) continue
        const proposal = await proposalOf(lifecycle, db, product)
        if (proposal)
          items.push({ product: `${product.domain}/${product.name}`, ...proposal, since: proposal.since.toISOString() })
      }
      return { items, next: null }
    },
  )
}
