import { decide } from '../access/approval-rules.ts'
import { insertRequest, lockRequest, moveRequest, type RequestRow, setApprovals, setRequestPayload } from '../access/requests.ts'
import { type Actor, expandSubjects, isOneOf, isPlatform, needSubject, type SubjectRow } from '../access/subjects.ts'
import {
  findProduct,
  insertDomain,
  insertProduct,
  listDomains,
  namedApprovers,
  nameKept,
  needDomain,
  type ProductRow,
  setProductTitle,
} from '../catalog/products.ts'
import { parseProductAddress, readServiceSubject } from '../core/address.ts'
import { hashOf } from '../core/canonical.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { fail } from '../core/fail.ts'
import { newId } from '../core/id.ts'
import { checkName } from '../core/names.ts'
import type { Plan } from '../plan/step.ts'
import { retryRun } from '../run/control.ts'
import { endHeld } from '../run/held-runs.ts'
import { DEFAULT_BUDGET } from '../spec/mesh.ts'
import { type AuditEvent, audit } from '../store/audit.ts'
import type { Queries } from '../store/control.ts'
import { type AccessPayload, checkAccess, startGrant } from './access.ts'
import { type ProductPayload, planProduct, startBootstrap, startUndo } from './bootstrap.ts'
import { refuseTakenNames } from './check-names.ts'
import type { LifecycleDeps } from './deps.ts'
import {
  checkRetirement,
  planRestoration,
  planRetirement,
  type RestorePayload,
  type RetirePayload,
  startRestoration,
  startRetirement,
} from './retire.ts'
import { findSameRequest } from './same-request.ts'

export type NewRequest =
  | { kind: 'product'; payload: ProductPayload }
  | { kind: 'domain'; payload: DomainPayload }
  | { kind: 'access'; payload: AccessPayload }
  | { kind: 'retire'; payload: RetirePayload }
  | { kind: 'restore'; payload: RestorePayload }
export type DomainPayload = { name: string; title: string; owners: string[] }

/** Looks at a request without storing it: the plan it would run, what stands in its way and who would decide, or the error it would meet. */
export async function previewRequest(
  deps: LifecycleDeps,
  request: NewRequest,
  by: SubjectRow,
): Promise<{ plan: Plan; approvers: string[]; diagnostics: Diagnostic[] }> {
  const { db } = deps.control
  if (request.kind === 'retire') return planRetirement(deps, db, request.payload)
  if (request.kind === 'restore') return { ...(await planRestoration(deps, db, request.payload)), diagnostics: [] }
  const { levels } = await ruleFor(deps, db, request, by)
  const approvers = [...new Set(levels.flat())]
  const diagnostics: Diagnostic[] = []
  if (request.kind !== 'product') return { plan: { steps: [], affected: [], worldHash: '' }, approvers, diagnostics }
  const { payload } = request
  const plan = await planProduct(deps, db, payload, { id: newId(), title: titleOf(payload), owner: payload.owner ?? by.name })
  return { plan, approvers, diagnostics }
}

/** Stores a request; whoever may decide it alone has decided it by asking. Access that is asked for already is not asked for again: `repeated`. */
export async function submitRequest(
  deps: LifecycleDeps,
  request: NewRequest,
  by: Actor,
): Promise<RequestRow & { repeated?: boolean }> {
  return deps.control.db.transaction().execute(async (queries) => {
    if (request.kind === 'access') {
      const last = Object.keys(deps.mesh().environments).at(-1)!
      const same = await findSameRequest(queries, request.payload, by.name, last)
      if (same) return { ...same, repeated: true }
    }
    return fileRequest(deps, queries, request, by)
  })
}

/** The same as a part of the caller's transaction. */
export async function fileRequest(deps: LifecycleDeps, queries: Queries, request: NewRequest, by: Actor): Promise<RequestRow> {
  const rule = await ruleFor(deps, queries, request, by)
  const approvers = [...new Set(rule.levels.flat())]
  const row = await insertRequest(queries, {
    kind: request.kind,
    payload: { ...request.payload, levels: rule.levels },
    by: by.name,
    approvers,
  })
  const filed: AuditEvent = {
    actor: by.name,
    onBehalfOf: by.behind ?? null,
    action: `request.${request.kind}`,
    object: `request ${row.number}`,
    detail: { payload: request.payload },
  }
  const alone = rule.selfApproval ? approvers : (await insideOwners(queries, row)).filter((name) => approvers.includes(name))
  if (isOneOf(by, alone)) return approve(deps, queries, row, by, 'owner of the domain', [filed])
  await audit(queries, filed)
  return row
}

async function ruleFor(
  deps: LifecycleDeps,
  queries: Queries,
  request: NewRequest,
  by: SubjectRow,
): Promise<{ levels: string[][]; selfApproval: boolean }> {
  switch (request.kind) {
    case 'product': {
      await checkNewProduct(deps, queries, request.payload)
      const domain = await needDomain(queries, request.payload.domain)
      return { levels: [domain.owners], selfApproval: true }
    }
    case 'domain':
      await checkNewDomain(queries, request.payload)
      return { levels: [deps.mesh().approvals.domain.by], selfApproval: true }
    case 'access': {
      const { offer, product } = await checkAccess(deps, queries, request.payload, by)
      const domain = await needDomain(queries, product.domain)
      const levels = [offer.approvers.first, offer.approvers.second].map((level) => namedApprovers(level, product, domain))
      return { levels: levels.filter((level) => level.length > 0), selfApproval: false }
    }
    case 'retire':
      return { levels: [(await checkRetirement(deps, queries, request.payload)).approvers], selfApproval: true }
    case 'restore':
      return { levels: [(await planRestoration(deps, queries, request.payload)).approvers], selfApproval: true }
    default:
      return request satisfies never
  }
}

async function checkNewDomain(queries: Queries, payload: DomainPayload): Promise<void> {
  checkName(payload.name, 'Domain')
  for (const owner of payload.owners) await needSubject(queries, owner)
  const taken = (await listDomains(queries)).find((domain) => domain.name === payload.name)
  if (taken) {
    throw fail('DOMAIN_NAME_TAKEN', {
      what: `Domain ${payload.name} exists, owned by ${taken.owners.join(', ')}`,
      fix: `Choose another name, or ask ${taken.owners.join(' or ')} for a product in it.`,
    })
  }
}

async function checkNewProduct(deps: LifecycleDeps, queries: Queries, payload: ProductPayload): Promise<void> {
  checkName(payload.name, 'Product')
  await needDomain(queries, payload.domain)
  if (payload.owner) await needSubject(queries, payload.owner)
  const templates = ['standard', ...Object.keys(deps.mesh().templates)]
  if (payload.template && !templates.includes(payload.template)) {
    throw fail('TEMPLATE_UNKNOWN', {
      what: `There is no template "${payload.template}"`,
      fix: `Templates: ${templates.join(', ')}.`,
    })
  }
  const taken = await findProduct(queries, { domain: payload.domain, product: payload.name })
  if (taken?.state === 'retired') throw nameKept(taken)
  if (taken) {
    throw fail('PRODUCT_NAME_TAKEN', {
      what: `${payload.domain}/${payload.name} exists, owned by ${taken.owner}`,
      fix: `Choose another name, or look at it: heddle show ${payload.domain}/${payload.name}`,
    })
  }
  await refuseTakenNames(queries, { domain: payload.domain, product: payload.name })
}

function titleOf(payload: ProductPayload): string {
  return payload.title ?? payload.name.replaceAll('-', ' ').replace(/^./, (first) => first.toUpperCase())
}

export async function decideRequest(
  deps: LifecycleDeps,
  number: number,
  by: Actor,
  decision: 'approved' | 'denied',
  note: string | null,
): Promise<RequestRow> {
  return deps.control.db.transaction().execute(async (queries) => {
    const request = await lockRequest(queries, number)
    if (request.state !== 'submitted')
      throw fail('REQUEST_STATE_WRONG', { what: `Request ${number} is ${request.state}`, fix: `heddle request show ${number}` })
    if (decision === 'approved') return approve(deps, queries, request, by, note)
    const { approval } = decide({ levels: levelsOf(request), selfApproval: true }, request, by, 'denied', note, deps.clock.now())
    const denied = await moveRequest(queries, request, 'denied', { approval })
    await endHeld(queries, number, 'denied')
    await audit(queries, {
      actor: by.name,
      onBehalfOf: by.behind ?? null,
      action: 'request.denied',
      object: `request ${number}`,
      detail: { note },
    })
    return denied
  })
}

/** `earlier`: what is still to be recorded of this transaction. The audit's lock comes after every other one, or two transactions wait for each other. */
async function approve(
  deps: LifecycleDeps,
  queries: Queries,
  request: RequestRow,
  by: Actor,
  note: string | null,
  earlier: readonly AuditEvent[] = [],
): Promise<RequestRow> {
  const levels = levelsOf(request)
  const { approval, met } = decide(
    { levels, selfApproval: request.kind !== 'access', own: ownOf(request), ownAs: await insideOwners(queries, request) },
    request,
    by,
    'approved',
    note,
    deps.clock.now(),
  )
  if (!met) {
    for (const event of earlier) await audit(queries, event)
    return setApprovals(queries, request, [...request.approvals, approval])
  }
  const run = await startWork(deps, queries, request)
  const approved = await moveRequest(queries, request, 'approved', { approval, ...(run && { run: run.id }) })
  const decided = { note, run: run?.number ?? null }
  const person = { actor: by.name, onBehalfOf: by.behind ?? null }
  for (const event of earlier) await audit(queries, event)
  await audit(queries, { ...person, action: 'request.approved', object: `request ${request.number}`, detail: decided })
  return run ? approved : moveRequest(queries, approved, 'done')
}

/** An approver does not decide about access of their own, whoever asked for it. */
function ownOf(request: RequestRow): string[] {
  return request.kind === 'access' && typeof request.payload.subject === 'string' ? [request.payload.subject] : []
}

/** Inside a domain its owners create freely: they need nobody else for one of their products to read another. */
async function insideOwners(queries: Queries, { kind, payload }: RequestRow): Promise<string[]> {
  if (kind !== 'access' || typeof payload.subject !== 'string') return []
  const { domain } = parseProductAddress(payload.product as string)
  return readServiceSubject(payload.subject)?.domain === domain ? (await needDomain(queries, domain)).owners : []
}

function levelsOf(request: RequestRow): string[][] {
  return (request.payload.levels as string[][] | undefined) ?? [request.approvers]
}

async function startWork(
  deps: LifecycleDeps,
  queries: Queries,
  request: RequestRow,
): Promise<{ id: string; number: number } | null> {
  switch (request.kind) {
    case 'product': {
      const payload = request.payload as ProductPayload
      const product = await insertProduct(queries, {
        domain: payload.domain,
        name: payload.name,
        title: titleOf(payload),
        owner: payload.owner ?? request.by,
      })
      return startBootstrap(deps, queries, product, payload, request.by, request.number)
    }
    case 'domain': {
      const { name, title, owners } = request.payload as DomainPayload
      await insertDomain(queries, { name, title, owners, budget: DEFAULT_BUDGET })
      return null
    }
    case 'access':
      return startGrant(deps, queries, request)
    case 'retire':
      return startRetirement(deps, queries, request)
    case 'restore':
      return startRestoration(deps, queries, request)
    default:
      throw fail('REQUEST_STATE_WRONG', { what: `Requests of kind ${request.kind} cannot be approved in this version` })
  }
}

export async function withdrawRequest(deps: LifecycleDeps, number: number, by: Actor): Promise<RequestRow> {
  return deps.control.db.transaction().execute(async (queries) => {
    const request = await lockRequest(queries, number)
    if (request.by !== by.name && !isPlatform(by))
      throw fail('APPROVAL_NOT_YOURS', { what: `Request ${number} was made by ${request.by}`, fix: `Ask ${request.by}.` })
    if (request.state !== 'submitted')
      throw fail('REQUEST_STATE_WRONG', {
        what: `Request ${number} is ${request.state}`,
        fix: request.state === 'failed' ? `heddle undo ${number}` : `heddle request show ${number}`,
      })
    const withdrawn = await moveRequest(queries, request, 'withdrawn')
    await endHeld(queries, number, 'withdrawn')
    await audit(queries, {
      actor: by.name,
      onBehalfOf: by.behind ?? null,
      action: 'request.withdrawn',
      object: `request ${number}`,
      detail: {},
    })
    return withdrawn
  })
}

/** What a failed request may still change: what was approved stays as it was approved. */
const REPAIRABLE: Record<string, readonly string[]> = { product: ['title', 'purpose', 'template'] }

/** A submitted request may change in everything; it is then judged anew by its rule, and approvals it had are void. */
export async function editRequest(deps: LifecycleDeps, number: number, by: Actor, edited: NewRequest): Promise<RequestRow> {
  return deps.control.db.transaction().execute(async (queries) => {
    const request = await lockRequest(queries, number)
    if (request.by !== by.name) throw fail('APPROVAL_NOT_YOURS', { what: `Request ${number} was made by ${request.by}` })
    if (request.state !== 'submitted' && request.state !== 'failed')
      throw fail('REQUEST_STATE_WRONG', { what: `Request ${number} is ${request.state}` })
    const payload = edited.payload as Record<string, unknown>
    const changed = Object.keys(payload).filter((key) => hashOf(payload[key]) !== hashOf(request.payload[key]))
    const fixed = request.state === 'failed' ? changed.filter((key) => !REPAIRABLE[request.kind]?.includes(key)) : []
    if (fixed.length > 0)
      throw fail('REQUEST_EDIT_REFUSED', {
        what: `${fixed.join(', ')} cannot change in request ${number} any more`,
        fix: 'Undo it and make a new one.',
      })
    const levels = request.state === 'submitted' ? (await ruleFor(deps, queries, edited, by)).levels : levelsOf(request)
    const stored = await setRequestPayload(queries, request, {
      payload: { ...payload, levels },
      approvers: [...new Set(levels.flat())],
      approvals: request.state === 'submitted' ? [] : request.approvals,
    })
    await audit(queries, {
      actor: by.name,
      onBehalfOf: by.behind ?? null,
      action: 'request.edited',
      object: `request ${number}`,
      detail: { changed },
    })
    return stored
  })
}

/** Goes on from the failed step: what is finished stays. A payload edited meanwhile is planned anew over what stands. */
export async function retryRequest(deps: LifecycleDeps, number: number, by: Actor): Promise<RequestRow> {
  return deps.control.db.transaction().execute(async (queries) => {
    const request = await lockRequest(queries, number)
    await mayRepair(queries, request, by)
    if (request.state !== 'failed' || !request.run)
      throw fail('REQUEST_STATE_WRONG', { what: `Request ${number} is ${request.state}; only a failed one is retried` })
    if (request.kind === 'product') {
      const payload = request.payload as ProductPayload
      const { id } = (await findProduct(queries, { domain: payload.domain, product: payload.name }))!
      const product = await setProductTitle(queries, id, titleOf(payload))
      const run = await startBootstrap(deps, queries, product, payload, request.by, request.number)
      return moveRequest(queries, request, 'approved', { run: run.id })
    }
    await retryRun(queries, request.run, by.name)
    return moveRequest(queries, request, 'approved')
  })
}

export async function undoRequest(deps: LifecycleDeps, number: number, by: Actor): Promise<RequestRow> {
  return deps.control.db.transaction().execute(async (queries) => {
    const request = await lockRequest(queries, number)
    await mayRepair(queries, request, by)
    if (request.kind !== 'product' || request.state !== 'failed' || !request.run) {
      throw fail('REQUEST_STATE_WRONG', {
        what: `Request ${number} is ${request.state}; only a failed request for a product is undone`,
        fix: 'A product that works is retired instead.',
      })
    }
    const payload = request.payload as ProductPayload
    const product: ProductRow = (await findProduct(queries, { domain: payload.domain, product: payload.name }))!
    const run = await startUndo(queries, product, request.run, by.name, number)
    return moveRequest(queries, request, 'approved', { run: run.id })
  })
}

async function mayRepair(queries: Queries, request: RequestRow, by: SubjectRow): Promise<void> {
  const allowed = await expandSubjects(queries, [request.by, ...request.approvers])
  if (!allowed.includes(by.name) && !isPlatform(by))
    throw fail('APPROVAL_NOT_YOURS', {
      what: `Request ${request.number} is ${request.by}'s`,
      fix: `Ask ${request.by} or ${request.approvers.join(', ')}.`,
    })
}
