import { useQuery } from '@tanstack/react-query'
import { accessQuery, meQuery } from '../api/queries.ts'
import type { Product } from '../api/types.ts'
import { type Rights, rightsOf } from './rights.ts'

/** What the reader may do with the product; nothing until it is known. */
export function useRights(product: Product): Rights {
  const [domain = '', name = ''] = product.address.split('/')
  const me = useQuery(meQuery).data
  const agreements = useQuery(accessQuery(domain, name))
  return rightsOf(me, product, agreements.data?.items ?? (agreements.isError ? [] : undefined))
}
