import { z } from 'zod'
import { isPlatform } from '../../access/subjects.ts'
import { needDomain, needProduct, productById } from '../../catalog/products.ts'
import { parseProductAddress } from '../../core/address.ts'
import { acknowledgeIncident, type IncidentRow, listIncidents, needIncident, openIncidents } from '../../observe/incidents.ts'
import { levelsOf } from '../../observe/levels.ts'
import { notificationsOf } from '../../observe/notifications.ts'
import { audit } from '../../store/audit.ts'
import type { Caller } from '../authenticate.ts'
import type { HttpDeps } from '../deps.ts'
import { mayOwn, needOwner, needPlatform } from '../permissions.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'
import { incidentView, serviceLevelView } from '../views/service-levels.ts'

const Numbered = z.object({ number: z.coerce.number().int().positive() })
const PAGE = 50

export function serviceLevelRoutes(app: App, deps: HttpDeps): void {
  const { db } = deps.lifecycle.control

  async function viewOf(row: IncidentRow, caller: Caller) {
    const product = row.product === null ? null : await productById(db, row.product)
    const mayAcknowledge = product ? mayOwn(caller, product, await needDomain(db, product.domain)) : isPlatform(caller.subject)
    return incidentView(row, {
      product: product && `${product.domain}/${product.name}`,
      messages: await notificationsOf(db, [row.id]),
      mayAcknowledge,
    })
  }

  app.get(
    '/products/:domain/:product/slo',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: z.object({ domain: z.string(), product: z.string() }),
        querystring: z.object({ environment: z.string().optional() }),
        response: { 200: shapes.List(shapes.ServiceLevel) },
      },
    },
    async (request) => {
      const { environment } = request.query
      const product = await needProduct(db, request.params)
      const levels = (await levelsOf(db, [product.id])).filter(
        (row) => environment === undefined || row.environment === environment,
      )
      const incidents = new Map((await openIncidents(db, [product.id])).map((each) => [each.monitor, each.number]))
      return { items: levels.map((row) => serviceLevelView(row, incidents.get(row.id) ?? null, deps.clock.now())), next: null }
    },
  )

  app.get(
    '/incidents',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({
          product: z.string().optional(),
          open: z.stringbool().optional(),
          cursor: z.coerce.number().int().positive().optional(),
        }),
        response: { 200: shapes.List(shapes.Incident) },
      },
    },
    async (request) => {
      const { product: address, open, cursor } = request.query
      const product = address ? await needProduct(db, parseProductAddress(address)) : null
      const rows = await listIncidents(db, {
        ...(product && { product: product.id }),
        ...(open !== undefined && { open }),
        ...(cursor !== undefined && { before: cursor }),
        limit: PAGE + 1,
      })
      const page = rows.slice(0, PAGE)
      return {
        items: await Promise.all(page.map((row) => viewOf(row, request.caller!))),
        next: rows.length > PAGE ? String(page.at(-1)!.number) : null,
      }
    },
  )

  app.get(
    '/incidents/:number',
    { config: { rule: 'signed-in' }, schema: { params: Numbered, response: { 200: shapes.Incident } } },
    async (request) => viewOf(await needIncident(db, request.params.number), request.caller!),
  )

  app.post(
    '/incidents/:number/acknowledge',
    { config: { rule: 'signed-in' }, schema: { params: Numbered, response: { 200: shapes.Incident } } },
    async (request) => {
      const { number } = request.params
      const caller = request.caller!
      const { product: id } = await needIncident(db, number)
      if (id === null) needPlatform(caller)
      else {
        const product = await productById(db, id)
        needOwner(caller, product, await needDomain(db, product.domain))
      }
      const row = await db.transaction().execute(async (queries) => {
        const acknowledged = await acknowledgeIncident(queries, number, caller.subject.name, deps.clock.now())
        await audit(queries, {
          actor: caller.subject.name,
          onBehalfOf: caller.behind,
          action: 'incident.acknowledge',
          object: `incident ${number}`,
          detail: {},
        })
        return acknowledged
      })
      return viewOf(row, caller)
    },
  )
}
