import { useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Failure } from '../api/failure.ts'
import { lineageQuery } from '../api/find-queries.ts'
import type { Lineage, LineageLevel } from '../api/types.ts'
import { mergeAnswers, type Opened, type Whole } from './graph.ts'

export type LineageData = {
  whole: Whole | null
  environment: string | null
  pending: boolean
  opening: boolean
  /** of the first hop: nothing can be shown without it */
  failure: Failure | null
  /** of what was opened later: the rest is shown */
  partial: { opened: Opened; failure: Failure }[]
  retry: () => void
}

/** The first hop of the focus and each side opened since, asked one by one and put together. */
export function useLineage(of: string, level: LineageLevel, opened: readonly Opened[]): LineageData {
  const first = useQuery(lineageQuery({ of, level }))
  const more = useQueries({
    queries: opened.map(({ address, side }) =>
      lineageQuery({ of: address, level, up: side === 'up' ? 1 : 0, down: side === 'down' ? 1 : 0 }),
    ),
  })
  const answers = [first.data, ...more.map((query) => query.data)].filter((answer): answer is Lineage => answer !== undefined)
  const stamp = answers.map((answer) => JSON.stringify([answer.focus, answer.nodes.length, answer.edges.length])).join()
  const times = [first.dataUpdatedAt, ...more.map((query) => query.dataUpdatedAt)].join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the answers change with their times, the list of them with each render
  const whole = useMemo(() => (first.data ? mergeAnswers(answers) : null), [stamp, times])
  return {
    whole,
    environment: first.data?.environment ?? null,
    pending: first.isPending,
    opening: more.some((query) => query.isPending),
    failure: first.error,
    partial: more.flatMap((query, index) => (query.error ? [{ opened: opened[index]!, failure: query.error }] : [])),
    retry: () => {
      void first.refetch()
      for (const query of more) if (query.error) void query.refetch()
    },
  }
}
