import { z } from 'zod'
import { decide, ruleOfRun } from '../../access/approval-rules.ts'
import { isOneOf } from '../../access/subjects.ts'
import { findProduct, needDomain, productById } from '../../catalog/products.ts'
import { parseProductAddress } from '../../core/address.ts'
import { fail } from '../../core/fail.ts'
import { cancelRun, decideRun, lockRun, retryRun } from '../../run/control.ts'
import { listEvents, listNodes, listRuns, listSteps, needRunRow, type RunListRow, usualSteps } from '../../run/read-runs.ts'
import { currentRelease } from '../../run/releases.ts'
import { audit } from '../../store/audit.ts'
import { RUN_STATES } from '../../store/schema.ts'
import type { Caller } from '../authenticate.ts'
import type { HttpDeps } from '../deps.ts'
import { mayOwn, needOwner } from '../permissions.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'
import { runNodes, runStep, runSummary } from '../views/runs.ts'

const Number_ = z.object({ number: z.coerce.number().int().positive() })
const ENDED = ['succeeded', 'failed', 'cancelled', 'superseded', 'denied']
const KEEP_ALIVE_MS = 15_000

export function runRoutes(app: App, deps: HttpDeps): void {
  const { db } = deps.lifecycle.control

  app.get(
    '/runs',
    {
      config: { rule: 'signed-in' },
      schema: {
        querystring: z.object({
          product: z.string().optional(),
          state: z.string().optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
          cursor: z.coerce.number().optional(),
        }),
        response: { 200: shapes.List(shapes.RunSummary) },
      },
    },
    async (request) => {
      const { product, state, limit, cursor } = request.query
      const row = product ? await findProduct(db, parseProductAddress(product)) : null
      if (product && !row) return { items: [], next: null }
      const states = state
        ?.split(',')
        .filter((each): each is (typeof RUN_STATES)[number] => (RUN_STATES as readonly string[]).includes(each))
      const rows = await listRuns(db, {
        limit,
        ...(row && { product: row.id }),
        ...(states && { states }),
        ...(cursor && { before: cursor }),
      })
      return { items: rows.map(runSummary), next: rows.length === limit ? String(rows.at(-1)!.number) : null }
    },
  )

  app.get(
    '/runs/:number',
    { config: { rule: 'signed-in' }, schema: { params: Number_, response: { 200: shapes.Run } } },
    async (request) => {
      const row = await needRunRow(db, request.params.number)
      const [usual, steps, nodes, release] = await Promise.all([
        usualSteps(db, row),
        listSteps(db, row.id),
        listNodes(db, row.id),
        currentRelease(db, row.product, row.environment),
      ])
      return {
        ...runSummary(row),
        steps: steps.map((step) => runStep(step, usual[step.id] ?? null)),
        nodes: runNodes(nodes),
        isolation: steps.map((step) => step.result?.isolation).find((rung) => typeof rung === 'string') ?? null,
        approvers: row.approvers,
        approvals: row.approvals,
        served: release ? `r${release.number} · ${release.label}` : null,
        actions: await actionsOf(row, request.caller!),
      }
    },
  )

  async function actionsOf(row: RunListRow, caller: Caller) {
    const product = await productById(db, row.product)
    const owns = mayOwn(caller, product, await needDomain(db, product.domain))
    const decided = row.approvals.some((approval) => approval.by === caller.subject.name)
    return {
      retry: owns && (row.state === 'failed' || row.state === 'cancelled'),
      cancel: owns && ['running', 'queued', 'waiting'].includes(row.state),
      undo: owns && row.state === 'failed' && row.kind === 'bootstrap',
      approve:
        row.state === 'waiting' &&
        isOneOf(caller.subject, row.approvers) &&
        !decided &&
        (row.detail.selfApproval === true || row.by !== caller.subject.name),
    }
  }

  app.get(
    '/runs/:number/events',
    {
      config: { rule: 'signed-in' },
      schema: { params: Number_, querystring: z.object({ after: z.coerce.number().default(0) }) },
    },
    async (request, reply) => {
      const row = await needRunRow(db, request.params.number)
      let last = Math.max(Number(request.headers['last-event-id'] ?? 0) || 0, request.query.after)
      reply.hijack()
      const { raw } = reply
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        connection: 'keep-alive',
        'x-request-id': request.id,
      })
      let sending = Promise.resolve()
      let open = true
      const send = () => {
        sending = sending.then(sendNew).catch((error: Error) => {
          deps.log(`events of run ${row.number}: ${error.message}`)
          raw.end()
        })
      }
      async function sendNew(): Promise<void> {
        for (;;) {
          if (!open) return
          const events = await listEvents(db, row.id, last)
          for (const event of events) {
            last = event.id
            raw.write(`id: ${event.id}\ndata: ${JSON.stringify({ ...event, at: event.at.toISOString() })}\n\n`)
          }
          if (events.some((event) => event.kind === 'end')) {
            const { state } = await needRunRow(db, row.number)
            if (ENDED.includes(state)) return close()
          }
          if (events.length < 1000) break
        }
        const { state } = await needRunRow(db, row.number)
        if (ENDED.includes(state)) {
          raw.write(
            `id: ${last}\ndata: ${JSON.stringify({ id: last, at: deps.clock.now().toISOString(), step: null, kind: 'end', data: { state } })}\n\n`,
          )
          close()
        }
      }
      const unlisten = deps.notices.on('heddle_event', (run) => (run === row.id || run === '') && send())
      const alive = setInterval(() => {
        raw.write(': alive\n\n')
        send()
      }, KEEP_ALIVE_MS)
      function close(): void {
        open = false
        unlisten()
        clearInterval(alive)
        raw.end()
      }
      raw.on('close', close)
      send()
    },
  )

  for (const act of ['retry', 'cancel'] as const) {
    app.post(
      `/runs/:number/${act}`,
      {
        config: { rule: 'signed-in' },
        schema: { params: Number_, body: shapes.Decision.optional(), response: { 200: shapes.RunSummary } },
      },
      async (request) => {
        const { number } = request.params as z.infer<typeof Number_>
        await db.transaction().execute(async (queries) => {
          const run = await lockRun(queries, number)
          const product = await productById(queries, run.product)
          needOwner(request.caller!, product, await needDomain(queries, product.domain))
          const by = request.caller!.subject.name
          if (act === 'retry') await retryRun(queries, run.id, by)
          else await cancelRun(queries, run, by)
          await audit(queries, {
            actor: by,
            onBehalfOf: request.caller!.behind,
            action: `run.${act}`,
            object: `run ${number}`,
            detail: {},
          })
        })
        return runSummary(await needRunRow(db, number))
      },
    )
  }

  for (const [act, decision] of [
    ['approve', 'approved'],
    ['deny', 'denied'],
  ] as const) {
    app.post(
      `/runs/:number/${act}`,
      {
        config: { rule: 'signed-in' },
        schema: { params: Number_, body: shapes.Decision.optional(), response: { 200: shapes.RunSummary } },
      },
      async (request) => {
        const { number } = request.params as z.infer<typeof Number_>
        const { subject, behind } = request.caller!
        await db.transaction().execute(async (queries) => {
          const run = await lockRun(queries, number)
          if (run.state !== 'waiting')
            throw fail('RUN_STATE_WRONG', { what: `Run ${number} is ${run.state}; it waits for no approval` })
          const { approval, met } = decide(ruleOfRun(run), run, subject, decision, request.body?.note ?? null, deps.clock.now())
          await decideRun(queries, run, approval, met)
          await audit(queries, {
            actor: subject.name,
            onBehalfOf: behind,
            action: `run.${decision}`,
            object: `run ${number}`,
            detail: { note: request.body?.note ?? null },
          })
        })
        return runSummary(await needRunRow(db, number))
      },
    )
  }
}
