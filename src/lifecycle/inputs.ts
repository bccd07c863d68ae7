import { sql } from 'kysely'
import { activeAgreements } from '../access/agreements.ts'
import { findSubject, needSubject, upsertSubject } from '../access/subjects.ts'
import { findProduct, type ProductRow } from '../catalog/products.ts'
import { formatProductAddress, serviceSubject } from '../core/address.ts'
import { fail } from '../core/fail.ts'
import { productInputs, resolveInput, upstreamAddress } from '../plan/inputs.ts'
import type { UpstreamPort } from '../plan/world.ts'
import { currentRelease } from '../run/releases.ts'
import type { ProductSpec } from '../spec/types.ts'
import type { Queries } from '../store/control.ts'
import { portOf } from './access.ts'
import type { LifecycleDeps } from './deps.ts'
import { fileRequest } from './request.ts'

/** A request for access that a deploy waits for; no approvers, nobody has to decide it any more. */
export type PendingAccess = { upstream: string; request: number; approvers: string[] }

/** The product's input ports that are other products, checked against what those serve here. @throws INPUT_PORT_UNKNOWN, INPUT_VERSION_UNMET, INPUT_CONTRACT_UNMET */
export async function readInputs(
  queries: Queries,
  product: ProductRow,
  environment: string,
  spec: ProductSpec,
): Promise<UpstreamPort[]> {
  const found: UpstreamPort[] = []
  for (const input of productInputs(spec)) {
    const address = formatProductAddress(upstreamAddress(input))
    const upstream = await findProduct(queries, upstreamAddress(input))
    if (!upstream || upstream.id === product.id || upstream.state === 'retired')
      throw fail('INPUT_PORT_UNKNOWN', {
        what:
          upstream?.id === product.id
            ? `${input.name} reads ${address} itself`
            : `${input.name} names ${address}, which does not exist`,
        fix: 'heddle status lists the products there are.',
      })
    const release = await currentRelease(queries, upstream.id, environment)
    if (!release)
      throw fail('INPUT_PORT_UNKNOWN', {
        what: `${input.name} reads ${address}, which has no release in ${environment} yet`,
        fix: `When it is served: heddle deploy ${product.domain}/${product.name}`,
      })
    found.push(resolveInput(input, { id: upstream.id, spec: release.spec }))
  }
  return found
}

/** Files the product's own request for each port it may not read yet; one that is open already is waited for. */
export async function askForInputs(
  deps: LifecycleDeps,
  queries: Queries,
  at: { product: ProductRow; environment: string; upstreams: readonly UpstreamPort[]; by: string },
): Promise<PendingAccess[]> {
  const { product, environment } = at
  const subject = serviceSubject({ domain: product.domain, product: product.name })
  const pending: PendingAccess[] = []
  for (const { place, port, major } of at.upstreams) {
    const upstream = formatProductAddress(place)
    const agreements = await activeAgreements(queries, place.id, environment)
    const isGranted = agreements.some(
      (each) => each.subject === subject && each.port === port && each.major === major && each.state === 'active',
    )
    if (isGranted || pending.some((each) => each.upstream === `${upstream}/${port}`)) continue
    const open = await openRequest(queries, { product: upstream, environment, port, major, subject })
    if (open) {
      pending.push({ upstream: `${upstream}/${port}`, ...open })
      continue
    }
    await upsertSubject(queries, {
      name: subject,
      kind: 'service',
      title: product.title,
      email: null,
      domain: product.domain,
      groups: [],
      attributes: {},
      sample: false,
    })
    const release = (await currentRelease(queries, place.id, environment))!
    const output = portOf(release.spec, port, major)!
    const offer = release.spec.offers.find((each) => each.ports.includes(output.name) || each.ports.includes(output.port))
    // Whoever deploys asks, so that nobody decides about a request of their own.
    const by = (await findSubject(queries, at.by)) ?? (await needSubject(queries, product.owner))
    const payload = {
      product: upstream,
      environment,
      port,
      major,
      subject,
      purpose: offer?.purposes[0] ?? 'operations',
      justification: `Input of ${formatProductAddress({ domain: product.domain, product: product.name })}`,
    }
    const { number, state, approvers } = await fileRequest(deps, queries, { kind: 'access', payload }, by)
    pending.push({ upstream: `${upstream}/${port}`, request: number, approvers: state === 'submitted' ? approvers : [] })
  }
  return pending
}

async function openRequest(
  queries: Queries,
  payload: { product: string; environment: string; port: string; major: number; subject: string },
): Promise<{ request: number; approvers: string[] } | null> {
  const row = await queries
    .selectFrom('request')
    .select(['number', 'state', 'approvers'])
    .where('kind', '=', 'access')
    .where('state', 'in', ['submitted', 'approved', 'failed'])
    .where(sql<boolean>`payload @> ${JSON.stringify(payload)}::jsonb`)
    .orderBy('number', 'desc')
    .executeTakeFirst()
  return row ? { request: row.number, approvers: row.state === 'submitted' ? row.approvers : [] } : null
}
