import { queryOptions } from '@tanstack/react-query'
import { call } from './call.ts'
import { POLL_MS } from './queries.ts'
import type { Certificate, Incident, List, PastRelease, ServiceLevel, Usage } from './types.ts'

/** What the pages for running a product ask. */
export function serviceLevelsQuery(domain: string, name: string) {
  return queryOptions({
    queryKey: ['slo', domain, name],
    queryFn: ({ signal }) => call<List<ServiceLevel>>(`/products/${domain}/${name}/slo`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export type IncidentFilter = { product?: string | undefined; open?: boolean | undefined }

export function incidentsQuery({ product, open }: IncidentFilter) {
  const query = new URLSearchParams({ ...(product && { product }), ...(open !== undefined && { open: String(open) }) })
  return queryOptions({
    queryKey: ['incidents', product ?? null, open ?? null],
    queryFn: ({ signal }) => call<List<Incident>>(`/incidents${query.size ? `?${query}` : ''}`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function incidentQuery(number: number) {
  return queryOptions({
    queryKey: ['incident', number],
    queryFn: ({ signal }) => call<Incident>(`/incidents/${number}`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function releasesQuery(domain: string, name: string) {
  return queryOptions({
    queryKey: ['releases', domain, name],
    queryFn: ({ signal }) => call<List<PastRelease>>(`/products/${domain}/${name}/releases`, { signal }),
    refetchInterval: POLL_MS,
  })
}

export function certificateQuery(domain: string, name: string) {
  return queryOptions({
    queryKey: ['certificate', domain, name],
    queryFn: ({ signal }) => call<Certificate>(`/products/${domain}/${name}/certificate`, { signal }),
    staleTime: 60_000,
    retry: false,
  })
}

export function usageQuery(domain: string, name: string) {
  return queryOptions({
    queryKey: ['usage', domain, name],
    queryFn: ({ signal }) => call<Usage>(`/products/${domain}/${name}/usage`, { signal }),
    staleTime: 60_000,
    retry: false,
  })
}
