import { z } from 'zod'
import { type AgreementRow, listAgreements, listEvidence, needAgreement } from '../../access/agreements.ts'
import { requestNumber } from '../../access/requests.ts'
import { isOneOf, isPlatform } from '../../access/subjects.ts'
import { needProduct } from '../../catalog/products.ts'
import { parseProductAddress } from '../../core/address.ts'
import { partiesOf, revokeAgreement } from '../../lifecycle/access.ts'
import { needRunRow } from '../../run/read-runs.ts'
import { actorOf, type Caller } from '../authenticate.ts'
import type { HttpDeps } from '../deps.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'
import { agreementView } from '../views/requests.ts'
import { runSummary } from '../views/runs.ts'

const Number_ = z.object({ number: z.coerce.number().int().positive() })

export function accessRoutes(app: App, deps: HttpDeps): void {
  const { db } = deps.lifecycle.control

  async function viewOf(row: AgreementRow, caller: Caller) {
    const { product, owners } = await partiesOf(db, row)
    const party =
      row.subject === caller.subject.name || isOneOf(caller.subject, [...owners, 'governance']) || isPlatform(caller.subject)
    const evidence = party ? (await listEvidence(db, row.id)).map((each) => ({ ...each, at: each.at.toISOString() })) : []
    return agreementView(row, {
      product: `${product.domain}/${product.name}`,
      request: await requestNumber(db, row.request),
      evidence,
    })
  }

  app.get(
    '/agreements',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({
          product: z.string().optional(),
          mine: z.stringbool().optional(),
          subject: z.string().optional(),
        }),
        response: { 200: shapes.List(shapes.Agreement) },
      },
    },
    async (request) => {
      const product = request.query.product ? await needProduct(db, parseProductAddress(request.query.product)) : null
      const rows = await listAgreements(db, {
        ...(product && { product: product.id }),
        ...(request.query.subject && { subject: request.query.subject }),
        ...(request.query.mine && { subject: request.caller!.subject.name }),
      })
      return { items: await Promise.all(rows.map((row) => viewOf(row, request.caller!))), next: null }
    },
  )

  app.get(
    '/products/:domain/:product/access',
    {
      config: { rule: 'signed-in' },
      schema: { params: z.object({ domain: z.string(), product: z.string() }), response: { 200: shapes.List(shapes.Agreement) } },
    },
    async (request) => {
      const product = await needProduct(db, request.params)
      const rows = await listAgreements(db, { product: product.id })
      return { items: await Promise.all(rows.map((row) => viewOf(row, request.caller!))), next: null }
    },
  )

  app.get(
    '/agreements/:number',
    { config: { rule: 'signed-in' }, schema: { params: Number_, response: { 200: shapes.Agreement } } },
    async (request) => viewOf(await needAgreement(db, { number: request.params.number }), request.caller!),
  )

  app.post(
    '/agreements/:number/revoke',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: Number_,
        body: z.object({ reason: z.string().max(500).default('asked for') }).default({ reason: 'asked for' }),
        response: { 200: shapes.RunSummary },
      },
    },
    async (request) => {
      const { number } = await revokeAgreement(
        deps.lifecycle,
        request.params.number,
        actorOf(request.caller!),
        request.body.reason,
      )
      return runSummary(await needRunRow(db, number))
    },
  )
}
