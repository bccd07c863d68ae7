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
