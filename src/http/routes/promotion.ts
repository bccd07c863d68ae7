import { z } from 'zod'
import { needDomain, needLiving } from '../../catalog/products.ts'
import type { StartedDeploy } from '../../lifecycle/deploy.ts'
import { startPromotion, startUnpin } from '../../lifecycle/promote.ts'
import { explainPlan } from '../../plan/explain.ts'
import { needRunRow } from '../../run/read-runs.ts'
import type { HttpDeps } from '../deps.ts'
import { needOwner } from '../permissions.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'
import { planView } from '../views/plans.ts'
import { runSummary } from '../views/runs.ts'

const At = z.object({ domain: z.string(), product: z.string() })

/** A release goes on by hand, and what a roll back pinned is let go. */
export function promotionRoutes(app: App, deps: HttpDeps): void {
  const { lifecycle } = deps
  const { db } = lifecycle.control

  app.post(
    '/products/:domain/:product/promote',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: At,
        body: z.object({ from: z.string().optional(), to: z.string().optional() }).default({}),
        response: { 200: shapes.RunSummary },
      },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      needOwner(request.caller!, product, await needDomain(db, product.domain))
      const { from = null, to = null } = request.body
      const by = request.caller!.subject.name
      const { number } = await db
        .transaction()
        .execute((queries) => startPromotion(lifecycle, queries, { product, from, to, by }))
      return runSummary(await needRunRow(db, number))
    },
  )

  app.post(
    '/products/:domain/:product/unpin',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: At,
        body: z.object({ environment: z.string().optional() }).default({}),
        response: { 200: z.union([shapes.RunSummary, shapes.Plan]) },
      },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      needOwner(request.caller!, product, await needDomain(db, product.domain))
      const environment = request.body.environment ?? Object.keys(lifecycle.mesh().environments).at(-1)!
      const by = request.caller!.subject.name
      const started: StartedDeploy = await db
        .transaction()
        .execute((queries) => startUnpin(lifecycle, queries, { product, environment, by }))
      if (started.started) return runSummary(await needRunRow(db, started.number))
      const empty = { steps: [], affected: [], worldHash: '' }
      const asOf = deps.clock.now()
      const summary = explainPlan(empty, asOf)
      return planView(empty, { run: null, kind: 'deploy', product, environment, asOf, diagnostics: [], summary })
    },
  )
}
