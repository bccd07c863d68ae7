import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { call, newKey } from './call.ts'
import type { Failure } from './failure.ts'

export type Action = { path: string; body?: unknown }

/**
 * A state-changing call. The idempotency key stays the same while the same thing is tried again, so a second try after a lost answer cannot do it twice.
 * Everything on the page is asked anew after a success.
 */
export function useAction<T>(onDone?: (answer: T) => void) {
  const client = useQueryClient()
  const intent = useRef<{ what: string; key: string } | null>(null)
  return useMutation<T, Failure, Action>({
    mutationFn: ({ path, body }) => {
      const what = JSON.stringify([path, body])
      if (intent.current?.what !== what) intent.current = { what, key: newKey() }
      return call<T>(path, { method: 'POST', body, key: intent.current.key })
    },
    onSuccess: async (answer) => {
      intent.current = null
      onDone?.(answer)
      // A plan that was only looked at is not asked again: after a Create it would say that the name is taken.
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'dry-run' })
    },
  })
}
