import { queryOptions } from '@tanstack/react-query'
import { call } from './call.ts'
import type { Agreement, Domain, Health, List, Me, Product, ProductSummary, Request, Run, RunSummary } from './types.ts'

/** How often a page without a stream of its own asks again. */
export const POLL_MS = 15_000

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => call<Me>('/me', { signal }),
  staleTime: 60_000,
  retry: false,
})

export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => call<Health>('/health', { signal }),
  staleTime: 60_000,
})

export const domainsQuery = queryOptions({
  queryKey: ['domains'],
  queryFn: ({ signal }) => call<List<Domain>>('/domains', { signal }),
  staleTime: 60_000,
})

export function productsQuery(domain: string | null) {
  return queryOptions({
    queryKey: ['products', domain],
    queryFn: ({ signal }) => call<List<ProductSummary>>(`/products${query({ domain })}`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function productQuery(domain: string, name: string) {
  return queryOptions({
    queryKey: ['product', domain, name],
    queryFn: ({ signal }) => call<Product>(`/products/${domain}/${name}`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function accessQuery(domain: string, name: string) {
  return queryOptions({
    queryKey: ['access', domain, name],
    queryFn: ({ signal }) => call<List<Agreement>>(`/products/${domain}/${name}/access`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export type RunFilter = { product?: string | undefined; state?: string | undefined; limit?: number }

export function runsQuery(filter: RunFilter) {
  return queryOptions({
    queryKey: ['runs', filter],
    queryFn: ({ signal }) => call<List<RunSummary>>(`/runs${query(filter)}`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function runQuery(number: number) {
  return queryOptions({ queryKey: ['run', number], queryFn: ({ signal }) => call<Run>(`/runs/${number}`, { signal }) })
}

export type RequestFilter = { mine?: boolean; open?: boolean }

export function requestsQuery(filter: RequestFilter) {
  return queryOptions({
    queryKey: ['requests', filter],
    queryFn: ({ signal }) => call<List<Request>>(`/requests${query(filter)}`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function requestQuery(number: number) {
  return queryOptions({
    queryKey: ['request', number],
    queryFn: ({ signal }) => call<Request>(`/requests/${number}`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const set = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '')
  return set.length ? `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}` : ''
}
