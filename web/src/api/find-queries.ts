import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { call } from './call.ts'
import type { Failure } from './failure.ts'
import { query } from './queries.ts'
import type { Agreement, Lineage, LineageLevel, List, SearchHit } from './types.ts'

export type SearchFilter = {
  q: string
  domain?: string | undefined
  state?: string | undefined
  sort?: string | undefined
}

/** What the catalog finds, a page at a time. */
export function searchQuery(filter: SearchFilter) {
  return infiniteQueryOptions<List<SearchHit>, Failure, { pages: List<SearchHit>[] }, readonly unknown[], string | null>({
    queryKey: ['search', filter],
    queryFn: ({ signal, pageParam }) =>
      call<List<SearchHit>>(`/search?${searchParams({ ...filter, cursor: pageParam })}`, { signal }),
    initialPageParam: null,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
  })
}

/** The first page for what is being typed; the list under the search box shows the best eight of it. */
export function suggestQuery(q: string) {
  return queryOptions({
    queryKey: ['suggest', q],
    queryFn: ({ signal }) => call<List<SearchHit>>(`/search?${searchParams({ q })}`, { signal }),
    staleTime: 30_000,
  })
}

function searchParams({ q, ...rest }: SearchFilter & { cursor?: string | null }): string {
  const more = query(rest)
  return `q=${encodeURIComponent(q)}${more ? `&${more.slice(1)}` : ''}`
}

export const myAgreementsQuery = queryOptions({
  queryKey: ['agreements', 'mine'],
  queryFn: ({ signal }) => call<List<Agreement>>('/agreements?mine=true', { signal }),
  staleTime: 15_000,
})

/** Everything one subject holds; each reader gets what he may know of it. */
export function agreementsOfQuery(subject: string) {
  return queryOptions({
    queryKey: ['agreements', 'of', subject],
    queryFn: ({ signal }) => call<List<Agreement>>(`/agreements${query({ subject })}`, { signal }),
    staleTime: 15_000,
  })
}

export type LineageQuestion = {
  of: string
  level: LineageLevel
  up?: number
  down?: number
  environment?: string | undefined
}

export function lineageQuery({ of, level, up = 1, down = 1, environment }: LineageQuestion) {
  return queryOptions({
    queryKey: ['lineage', of, level, up, down, environment ?? null],
    queryFn: ({ signal }) => call<Lineage>(`/lineage${query({ of, level, up, down, environment })}`, { signal }),
    staleTime: 30_000,
  })
}
