import { z } from 'zod'
import { listRequests, needRequest, type RequestRow } from '../../access/requests.ts'
import { fail } from '../../core/fail.ts'
import {
  decideRequest,
  editRequest,
  type NewRequest,
  previewRequest,
  retryRequest,
  submitRequest,
  undoRequest,
  withdrawRequest,
} from '../../lifecycle/request.ts'
import { runNumber } from '../../run/read-runs.ts'
import { actorOf, type Caller } from '../authenticate.ts'
import type { HttpDeps } from '../deps.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'
import { planView } from '../views/plans.ts'
import { requestView } from '../views/requests.ts'

const Number_ = z.object({ number: z.coerce.number().int().positive() })

export function requestRoutes(app: App, deps: HttpDeps): void {
  const { lifecycle } = deps
  const { db } = lifecycle.control

  async function viewOf(row: RequestRow & { repeated?: boolean }, caller: Caller) {
    const view = requestView(row, caller.subject, { run: await runNumber(db, row.run), plan: null })
    return { ...view, ...(row.repeated && { repeated: true }) }
  }

  app.get(
    '/requests',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({
          mine: z.stringbool().optional(),
          open: z.stringbool().optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z.coerce.number().optional(),
        }),
        response: { 200: shapes.List(shapes.Request) },
      },
    },
    async (request) => {
      const { mine, open, limit, cursor } = request.query
      const rows = await listRequests(db, {
        limit,
        ...(mine && { by: request.caller!.subject.name }),
        ...(open && { open }),
        ...(cursor && { before: cursor }),
      })
      return {
        items: await Promise.all(rows.map((row) => viewOf(row, request.caller!))),
        next: rows.length === limit ? String(rows.at(-1)!.number) : null,
      }
    },
  )

  app.post(
    '/requests',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({ 'dry-run': z.stringbool().optional() }),
        body: shapes.NewRequest,
        response: { 200: shapes.Request },
      },
    },
    async (request) => {
      const asked = request.body as NewRequest
      if (!request.query['dry-run'])
        return viewOf(await submitRequest(lifecycle, asked, actorOf(request.caller!)), request.caller!)
      const now = deps.clock.now()
      const { plan, approvers, diagnostics } = await previewRequest(lifecycle, asked, request.caller!.subject)
      const payload = asked.payload as Record<string, unknown>
      const row: RequestRow = {
        id: '',
        number: 0,
        kind: asked.kind,
        payload,
        by: request.caller!.subject.name,
        state: 'draft',
        approvers,
        approvals: [],
        run: null,
        created_at: now,
        updated_at: now,
      }
      const [domain = '', name = ''] = String(payload.product ?? `${payload.domain ?? ''}/${payload.name ?? ''}`).split('/')
      const kind = asked.kind === 'retire' || asked.kind === 'restore' ? asked.kind : 'bootstrap'
      return requestView(row, request.caller!.subject, {
        run: null,
        plan: planView(plan, { run: null, kind, product: { domain, name }, environment: '*', asOf: now, diagnostics }),
      })
    },
  )

  app.get(
    '/requests/:number',
    { config: { rule: 'signed-in' }, schema: { params: Number_, response: { 200: shapes.Request } } },
    async (request) => viewOf(await needRequest(db, request.params.number), request.caller!),
  )

  app.patch(
    '/requests/:number',
    {
      config: { rule: 'signed-in' },
      schema: { params: Number_, body: z.record(z.string(), z.json()), response: { 200: shapes.Request } },
    },
    async (request) => {
      const { number } = request.params
      const { kind, payload } = await needRequest(db, number)
      const edited = shapes.NewRequest.safeParse({ kind, payload: { ...payload, ...request.body } })
      if (!edited.success) {
        const [issue] = edited.error.issues
        throw fail('HTTP_INPUT_INVALID', { what: `${issue!.path.slice(1).join('.')}: ${issue!.message}` })
      }
      return viewOf(await editRequest(lifecycle, number, actorOf(request.caller!), edited.data as NewRequest), request.caller!)
    },
  )

  const acts = {
    approve: (number: number, caller: Caller, note: string | null) =>
      decideRequest(lifecycle, number, actorOf(caller), 'approved', note),
    deny: (number: number, caller: Caller, note: string | null) =>
      decideRequest(lifecycle, number, actorOf(caller), 'denied', note),
    withdraw: (number: number, caller: Caller) => withdrawRequest(lifecycle, number, actorOf(caller)),
    retry: (number: number, caller: Caller) => retryRequest(lifecycle, number, actorOf(caller)),
    undo: (number: number, caller: Caller) => undoRequest(lifecycle, number, actorOf(caller)),
  }
  for (const [act, perform] of Object.entries(acts)) {
    app.post(
      `/requests/:number/${act}`,
      {
        config: { rule: 'signed-in' },
        schema: { params: Number_, body: shapes.Decision.optional(), response: { 200: shapes.Request } },
      },
      async (request) => {
        const { number } = request.params as z.infer<typeof Number_>
        return viewOf(await perform(number, request.caller!, request.body?.note ?? null), request.caller!)
      },
    )
  }
}
