import { fail } from './fail.ts'
import { isName } from './names.ts'

/** `domain/product`, `domain/product/port` … as people write it. */
export type Address = string
export type ProductAddress = { domain: string; product: string }

export function parseProductAddress(text: string): ProductAddress {
  const parts = text.split('/')
  if (parts.length !== 2 || !parts.every(isName)) {
    throw fail('CORE_ADDRESS_INVALID', {
      what: `"${text.slice(0, 140)}" is not a product's address`,
      fix: 'Write domain/product, for example fleet/planes.',
    })
  }
  return { domain: parts[0]!, product: parts[1]! }
}

export function formatProductAddress({ domain, product }: ProductAddress): Address {
  return `${domain}/${product}`
}

/** The product itself as a subject: who asks for access when a spec names another product, and who runs on schedules. */
export function serviceSubject(address: ProductAddress): string {
  return `service:${formatProductAddress(address)}`
}

/** @returns whose service identity the subject is, or null */
export function readServiceSubject(subject: string): ProductAddress | null {
  const found = /^service:([^/]+)\/([^/]+)$/.exec(subject)
  return found && isName(found[1]!) && isName(found[2]!) ? { domain: found[1]!, product: found[2]! } : null
}
