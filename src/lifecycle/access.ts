import { type AgreementRow, insertAgreement, needAgreement, setAgreementState, takeDueAgreements } from '../access/agreements.ts'
import type { RequestRow } from '../access/requests.ts'
import { type Actor, isOneOf, isPlatform, needSubject, type SubjectRow, setAttributes } from '../access/subjects.ts'
import { needDomain, needLiving, needProduct, type ProductRow, productById } from '../catalog/products.ts'
import { parseProductAddress, readServiceSubject } from '../core/address.ts'
import { formatDuration, parseDuration } from '../core/duration.ts'
import { fail } from '../core/fail.ts'
import { type AccessWorld, planGrant, planRevoke } from '../plan/access.ts'
import { enqueueRun } from '../run/enqueue.ts'
import { currentRelease } from '../run/releases.ts'
import type { Offer, OutputPort, ProductSpec } from '../spec/types.ts'
import { audit } from '../store/audit.ts'
import type { Queries } from '../store/control.ts'
import type { LifecycleDeps } from './deps.ts'

export type AccessPayload = {
  product: string
  environment?: string
  port: string
  /** default: the newest */
  major?: number
  offer?: string
  purpose: string
  justification?: string
  subject?: string
  duration?: string
}

type Terms = { product: ProductRow; environment: string; port: OutputPort; offer: Offer; subject: SubjectRow; durationMs: number }

/** Everything about a request for access that can be wrong, before anybody is asked to decide it. */
export async function checkAccess(deps: LifecycleDeps, queries: Queries, payload: AccessPayload, by: SubjectRow): Promise<Terms> {
  const product = await needLiving(queries, parseProductAddress(payload.product))
  const environment = payload.environment ?? Object.keys(deps.mesh().environments).at(-1)!
  const spec = (await currentRelease(queries, product.id, environment))?.spec
  if (!spec)
    throw fail('ACCESS_PORT_UNKNOWN', {
      what: `${payload.product} has no release in ${environment} yet`,
      fix: 'Ask again after its first release.',
    })
  const port = portOf(spec, payload.port, payload.major)
  if (!port)
    throw fail('ACCESS_PORT_UNKNOWN', {
      what: `${payload.product} has no port "${payload.port}"`,
      fix: `Ports: ${spec.outputs.map((each) => each.port).join(', ')}.`,
    })
  const offers = spec.offers.filter((each) => each.ports.includes(port.name) || each.ports.includes(port.port))
  const offer = payload.offer ? offers.find((each) => each.name === payload.offer) : offers[0]
  if (!offer)
    throw fail('ACCESS_OFFER_UNKNOWN', {
      what: payload.offer ? `Port ${port.port} has no offer "${payload.offer}"` : `Port ${port.port} is not offered to anyone`,
      fix: offers.length
        ? `Offers: ${offers.map((each) => each.name).join(', ')}.`
        : 'The owner adds a data-sharing-agreement to the spec.',
    })
  if (offer.purposes.length > 0 && !offer.purposes.includes(payload.purpose)) {
    throw fail('ACCESS_PURPOSE_REFUSED', {
      what: `The offer ${offer.name} is not made for "${payload.purpose}"`,
      fix: `Permitted purposes: ${offer.purposes.join(', ')}.`,
    })
  }
  const durationMs = payload.duration ? parseDuration(payload.duration) : offer.defaultMs
  if (durationMs > offer.maxMs)
    throw fail('ACCESS_DURATION_REFUSED', {
      what: `${payload.duration} is longer than the offer allows`,
      fix: `At most ${formatDuration(offer.maxMs)}.`,
    })
  return {
    product,
    environment,
    port,
    offer,
    subject: payload.subject ? await needSubject(queries, payload.subject) : by,
    durationMs,
  }
}

export function portOf(spec: ProductSpec, name: string, major?: number): OutputPort | undefined {
  const named = spec.outputs.filter((each) => each.kind === 'sql' && (each.port === name || each.name === name))
  const ports = major === undefined ? named : named.filter((each) => each.major === major)
  return ports.sort((a, b) => b.major - a.major)[0]
}

/** The approved request becomes an agreement, and a run that grants and proves it. */
export async function startGrant(
  deps: LifecycleDeps,
  queries: Queries,
  request: RequestRow,
): Promise<{ id: string; number: number }> {
  const payload = request.payload as AccessPayload
  const terms = await checkAccess(deps, queries, payload, await needSubject(queries, request.by))
  const agreement = await insertAgreement(queries, {
    request: request.id,
    product: terms.product.id,
    environment: terms.environment,
    port: terms.port.port,
    major: terms.port.major,
    offer: terms.offer.name,
    terms: { ...terms.offer, duration: formatDuration(terms.durationMs) },
    subject: terms.subject.name,
    purpose: payload.purpose,
    ends_at: new Date(deps.clock.now().getTime() + terms.durationMs),
  })
  return enqueueRun(queries, {
    kind: 'grant',
    product: terms.product.id,
    environment: terms.environment,
    lane: 'access',
    plan: planGrant({
      ...worldOf(agreement, terms.product, terms.subject, terms.port),
      consumer: await consumerOf(queries, terms.subject.name),
    }),
    by: request.by,
    because: `request ${request.number}`,
    commit: null,
    detail: { request: request.number, agreement: agreement.number },
  })
}

function worldOf(
  agreement: AgreementRow,
  product: ProductRow,
  subject: SubjectRow,
  port: OutputPort | undefined,
): Omit<AccessWorld, 'consumer'> {
  const consumerMasks =
    port?.masks.filter((mask) => !mask.exempt.some((exemption) => 'role' in exemption && exemption.role === 'consumer')) ?? []
  return {
    agreement: agreement.id,
    number: agreement.number,
    address: `${product.domain}/${product.name}`,
    environment: agreement.environment,
    place: { id: product.id, domain: product.domain, product: product.name },
    port: agreement.port,
    major: agreement.major,
    subject: { name: subject.name, domain: subject.domain, attributes: subject.attributes },
    masked: consumerMasks.map((mask) => `${mask.object}.${mask.column}`),
  }
}

/** The product behind a service identity: what is granted then is its keeper. */
async function consumerOf(queries: Queries, subject: string): Promise<AccessWorld['consumer']> {
  const address = readServiceSubject(subject)
  if (!address) return null
  const { id, domain, name } = await needProduct(queries, address)
  return { id, domain, product: name }
}

export async function revokeAgreement(
  deps: LifecycleDeps,
  number: number,
  by: Actor,
  reason: string,
): Promise<{ number: number }> {
  return deps.control.db.transaction().execute(async (queries) => {
    const agreement = await needAgreement(queries, { number })
    const { product, owners } = await partiesOf(queries, agreement)
    if (agreement.subject !== by.name && !isOneOf(by, owners) && !isPlatform(by)) {
      throw fail('APPROVAL_NOT_YOURS', {
        what: `Agreement ${number} is between ${product.domain}/${product.name} and ${agreement.subject}`,
        fix: `Ask ${owners.join(' or ')}.`,
      })
    }
    if (agreement.state !== 'active' && agreement.state !== 'expiring' && agreement.state !== 'failed')
      throw fail('REQUEST_STATE_WRONG', { what: `Agreement ${number} is ${agreement.state}` })
    await audit(queries, {
      actor: by.name,
      onBehalfOf: by.behind ?? null,
      action: 'agreement.revoke',
      object: `agreement ${number}`,
      detail: { reason },
    })
    return startRevoke(queries, agreement, product, 'revoked', reason, by.name)
  })
}

export async function partiesOf(queries: Queries, agreement: AgreementRow): Promise<{ product: ProductRow; owners: string[] }> {
  const product = await productById(queries, agreement.product)
  const domain = await needDomain(queries, product.domain)
  return { product, owners: [...domain.owners, product.owner] }
}

async function startRevoke(
  queries: Queries,
  agreement: AgreementRow,
  product: ProductRow,
  to: 'revoked' | 'expired',
  because: string,
  by: string,
): Promise<{ number: number }> {
  await setAgreementState(queries, agreement.id, 'expiring')
  const subject = await needSubject(queries, agreement.subject)
  return enqueueRun(queries, {
    kind: 'revoke',
    product: agreement.product,
    environment: agreement.environment,
    lane: 'access',
    plan: planRevoke({
      ...worldOf(agreement, product, subject, undefined),
      consumer: await consumerOf(queries, subject.name),
      to,
      because,
    }),
    by,
    because,
    commit: null,
    detail: { agreement: agreement.number },
  })
}

/** Agreements whose time is over are revoked like any other, with the same proof. @returns their numbers */
export async function expireAgreements(deps: LifecycleDeps): Promise<number[]> {
  return deps.control.db.transaction().execute(async (queries) => {
    const due = await takeDueAgreements(queries, deps.clock.now())
    for (const agreement of due) {
      const { product } = await partiesOf(queries, agreement)
      await startRevoke(
        queries,
        agreement,
        product,
        'expired',
        `ended on ${agreement.ends_at.toISOString().slice(0, 16)}Z`,
        agreement.subject,
      )
    }
    return due.map((agreement) => agreement.number)
  })
}

/** The identity changed: row filters follow at once, in every environment, before the answer. */
export async function changeAttributes(
  deps: LifecycleDeps,
  name: string,
  attributes: Record<string, string[]>,
  by: Actor,
): Promise<SubjectRow> {
  const subject = await deps.control.db.transaction().execute(async (queries) => {
    const changed = await setAttributes(queries, name, attributes)
    await audit(queries, {
      actor: by.name,
      onBehalfOf: by.behind ?? null,
      action: 'subject.attributes',
      object: `subject ${name}`,
      detail: { attributes: Object.keys(attributes) },
    })
    return changed
  })
  const consumer = await consumerOf(deps.control.db, name)
  for (const environment of Object.keys(deps.mesh().environments)) {
    if (consumer) await deps.warehouse(environment).setServiceAttributes({ place: consumer, attributes })
    else await deps.warehouse(environment).subject({ subject: name, domain: subject.domain, attributes, context: null })
  }
  return subject
}
