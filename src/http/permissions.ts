import { isOneOf, isPlatform } from '../access/subjects.ts'
import { type DomainRow, findProduct, type ProductRow } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import type { Caller } from './authenticate.ts'
import type { HttpDeps } from './deps.ts'
import type { BoundToken } from './typed-app.ts'

/** What a caller may do with a product; each `need…` refuses with who could. */
export function mayOwn(caller: Caller, product: ProductRow, domain: DomainRow): boolean {
  return isOneOf(caller.subject, [product.owner, ...domain.owners]) && !isBoundElsewhere(caller, product)
}

export function isBoundElsewhere(caller: Caller, product: ProductRow): boolean {
  return caller.product !== null && caller.product !== product.id
}

/** A token of a product opens the routes that name its kind, for its own product, and nothing else; so does one for reading, for whatever its subject may read. */
export async function needBound(
  deps: HttpDeps,
  caller: Caller,
  tokens: readonly BoundToken[],
  at: { domain?: string; product?: string },
): Promise<void> {
  if (caller.via === 'read' && !tokens.includes('read'))
    throw fail('HTTP_NOT_ALLOWED', { what: 'A token for reading opens the data port and nothing else', fix: 'Sign in yourself.' })
  if (caller.product === null) return
  const named =
    at.domain && at.product ? await findProduct(deps.lifecycle.control.db, { domain: at.domain, product: at.product }) : null
  const isOwn = named?.id === caller.product || (at.product === undefined && at.domain === undefined)
  if (isOwn && (tokens as readonly string[]).includes(caller.via)) return
  throw fail('HTTP_NOT_ALLOWED', { what: `A ${caller.via} token of a product cannot do that`, fix: 'Sign in yourself.' })
}

export function needOwner(caller: Caller, product: ProductRow, domain: DomainRow): void {
  if (mayOwn(caller, product, domain) && caller.via !== 'service') return
  throw refused(caller, `change ${product.domain}/${product.name}`, [product.owner, ...domain.owners])
}

/** Owners edit metadata; the product's own service token publishes metadata and metrics. */
export function needOwnerOrService(caller: Caller, product: ProductRow, domain: DomainRow): void {
  if (caller.via === 'service' && caller.product === product.id) return
  needOwner(caller, product, domain)
}

export function needService(caller: Caller, product: ProductRow): void {
  if (caller.via === 'service' && caller.product === product.id) return
  throw refused(caller, `publish metrics of ${product.domain}/${product.name}`, ['its service token'])
}

export function needPlatform(caller: Caller): void {
  if (isPlatform(caller.subject)) return
  throw refused(caller, 'do that', ['platform'])
}

export function needPlatformOrGovernance(caller: Caller): void {
  if (isPlatform(caller.subject) || isOneOf(caller.subject, ['governance'])) return
  throw refused(caller, 'read the audit', ['platform', 'governance'])
}

function refused(caller: Caller, act: string, who: string[]) {
  return fail('HTTP_NOT_ALLOWED', {
    what: `${caller.subject.name} may not ${act}`,
    fix: `Ask ${[...new Set(who)].join(' or ')}.`,
  })
}
