import type { z } from 'zod'
import type { AgreementRow } from '../../access/agreements.ts'
import type { RequestRow } from '../../access/requests.ts'
import { isOneOf, isPlatform, type SubjectRow } from '../../access/subjects.ts'
import type * as shapes from '../schemas.ts'
import { iso } from './runs.ts'

type Request = z.infer<typeof shapes.Request>

export function requestView(row: RequestRow, caller: SubjectRow, more: { run: number | null; plan: Request['plan'] }): Request {
  const { levels: _levels, ...payload } = row.payload
  const mine = row.by === caller.name
  const approver = isOneOf(caller, row.approvers)
  const decided = row.approvals.some((approval) => approval.by === caller.name)
  const repairs = row.state === 'failed' && (mine || approver || isPlatform(caller))
  return {
    number: row.number,
    kind: row.kind,
    state: row.state,
    by: row.by,
    title: titleOf(row),
    payload,
    approvers: row.approvers,
    approvals: row.approvals,
    run: more.run,
    plan: more.plan,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    next: nextOf(row, more.run),
    actions: {
      approve: row.state === 'submitted' && approver && !decided && !(mine && row.kind === 'access'),
      deny: row.state === 'submitted' && approver && !decided,
      withdraw: row.state === 'submitted' && (mine || isPlatform(caller)),
      edit: mine && (row.state === 'submitted' || row.state === 'failed'),
      retry: repairs,
      undo: repairs && row.kind === 'product',
    },
  }
}

function titleOf({ kind, payload }: RequestRow): string {
  switch (kind) {
    case 'product':
      return `New product ${payload.domain}/${payload.name}`
    case 'domain':
      return `New domain ${payload.name}`
    case 'access':
      return `Access to ${payload.product}/${payload.port} for ${payload.purpose}`
    case 'retire':
      return `Retire ${payload.product}`
    case 'restore':
      return `Restore ${payload.product}`
    default:
      return kind satisfies never
  }
}

function nextOf(row: RequestRow, run: number | null): string {
  switch (row.state) {
    case 'draft':
      return `${row.by} submits it`
    case 'submitted':
      return `${row.approvers.join(' or ')} decides: heddle approve request ${row.number}`
    case 'approved':
      return run ? `run ${run} does it: heddle logs ${run} -f` : 'being done'
    case 'failed':
      return `heddle retry request ${row.number} goes on from the failed step${row.kind === 'product' ? `; heddle undo ${row.number} takes it back` : ''}`
    case 'done':
      return 'nothing: it is done'
    case 'denied':
      return 'nothing: it was denied'
    case 'withdrawn':
      return 'nothing: it was taken back'
    default:
      return row.state satisfies never
  }
}

export function agreementView(
  row: AgreementRow,
  more: { product: string; request: number; evidence: z.infer<typeof shapes.Agreement>['evidence'] },
): z.infer<typeof shapes.Agreement> {
  return {
    number: row.number,
    request: more.request,
    product: more.product,
    environment: row.environment,
    port: row.port,
    major: row.major,
    subject: row.subject,
    purpose: row.purpose,
    offer: row.offer,
    state: row.state,
    startsAt: iso(row.starts_at),
    endsAt: row.ends_at.toISOString(),
    endedBecause: row.ended_because,
    evidence: more.evidence,
  }
}
