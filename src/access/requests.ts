import { sql } from 'kysely'
import { fail } from '../core/fail.ts'
import { newId } from '../core/id.ts'
import { json, type Queries } from '../store/control.ts'
import type { Approval, RequestKind, RequestState } from '../store/schema.ts'

export type RequestRow = {
  id: string
  number: number
  kind: RequestKind
  payload: Record<string, unknown>
  by: string
  state: RequestState
  approvers: string[]
  approvals: Approval[]
  run: string | null
  created_at: Date
  updated_at: Date
}

/** Which states may follow which; anything else is REQUEST_STATE_WRONG. */
const NEXT: Record<RequestState, readonly RequestState[]> = {
  draft: ['submitted', 'withdrawn'],
  submitted: ['approved', 'denied', 'withdrawn'],
  approved: ['done', 'failed', 'withdrawn'],
  failed: ['approved', 'withdrawn', 'done'],
  denied: [],
  withdrawn: [],
  done: [],
}

export async function insertRequest(
  queries: Queries,
  request: { kind: RequestKind; payload: Record<string, unknown>; by: string; approvers: string[] },
): Promise<RequestRow> {
  return queries
    .insertInto('request')
    .values({
      id: newId(),
      kind: request.kind,
      payload: json(request.payload),
      by: request.by,
      state: 'submitted',
      approvers: request.approvers,
      approvals: json([]),
      run: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function needRequest(queries: Queries, number: number): Promise<RequestRow> {
  const row = await queries.selectFrom('request').selectAll().where('number', '=', number).executeTakeFirst()
  if (!row) throw fail('REQUEST_UNKNOWN', { what: `There is no request ${number}`, fix: 'heddle request ls' })
  return row
}

/** Locks the request for a decision, so two people cannot decide at once. */
export async function lockRequest(queries: Queries, number: number): Promise<RequestRow> {
  const row = await queries.selectFrom('request').selectAll().where('number', '=', number).forUpdate().executeTakeFirst()
  if (!row) throw fail('REQUEST_UNKNOWN', { what: `There is no request ${number}`, fix: 'heddle request ls' })
  return row
}

export async function moveRequest(
  queries: Queries,
  request: RequestRow,
  to: RequestState,
  change: { approval?: Approval; run?: string; payload?: Record<string, unknown> } = {},
): Promise<RequestRow> {
  if (!NEXT[request.state].includes(to)) {
    throw fail('REQUEST_STATE_WRONG', {
      what: `Request ${request.number} is ${request.state}, so it cannot become ${to}`,
      fix: `heddle request show ${request.number}`,
    })
  }
  return queries
    .updateTable('request')
    .set({
      state: to,
      updated_at: new Date(),
      ...(change.approval && { approvals: json([...request.approvals, change.approval]) }),
      ...(change.run && { run: change.run }),
      ...(change.payload && { payload: json(change.payload) }),
    })
    .where('id', '=', request.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function setRequestPayload(
  queries: Queries,
  request: RequestRow,
  change: Pick<RequestRow, 'payload' | 'approvers' | 'approvals'>,
): Promise<RequestRow> {
  return queries
    .updateTable('request')
    .set({
      payload: json(change.payload),
      approvers: change.approvers,
      approvals: json(change.approvals),
      updated_at: new Date(),
    })
    .where('id', '=', request.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** One of several needed approvals: recorded, the state stays. */
export async function setApprovals(queries: Queries, request: RequestRow, approvals: Approval[]): Promise<RequestRow> {
  return queries
    .updateTable('request')
    .set({ approvals: json(approvals), updated_at: new Date() })
    .where('id', '=', request.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Requests for access to a product, or of a product as a consumer, that nobody has decided. */
export async function openAccessRequests(queries: Queries, of: { product: string; subject: string }): Promise<RequestRow[]> {
  return queries
    .selectFrom('request')
    .selectAll()
    .where('kind', '=', 'access')
    .where('state', '=', 'submitted')
    .where(sql<boolean>`(payload ->> 'product' = ${of.product} or payload ->> 'subject' = ${of.subject})`)
    .forUpdate()
    .execute()
}

export async function requestNumber(queries: Queries, id: string): Promise<number> {
  return (await queries.selectFrom('request').select('number').where('id', '=', id).executeTakeFirstOrThrow()).number
}

export async function requestOfRun(queries: Queries, run: string): Promise<RequestRow | null> {
  return (await queries.selectFrom('request').selectAll().where('run', '=', run).executeTakeFirst()) ?? null
}

export async function listRequests(
  queries: Queries,
  filter: { by?: string; open?: boolean; limit: number; before?: number },
): Promise<RequestRow[]> {
  let rows = queries.selectFrom('request').selectAll().orderBy('number', 'desc').limit(filter.limit)
  if (filter.by) rows = rows.where('by', '=', filter.by)
  if (filter.open) rows = rows.where('state', 'in', ['submitted', 'approved', 'failed'])
  if (filter.before) rows = rows.where('number', '<', filter.before)
  return rows.execute()
}
