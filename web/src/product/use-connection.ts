import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Failure } from '../api/failure.ts'
import type { Connection, Product } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { copyLater } from '../parts/copy.tsx'
import { snippet, type Way } from './snippets.ts'

const COPIED_MS = 2_500
/** A login that ends within this time is not handed out any more. */
const MARGIN_MS = 60_000

/**
 * A login of the reader's own, made at the first copy. It is kept for the whole page, since a new one ends the one before. One click makes and copies
 * it: the clipboard is promised the text within the click, because a browser allows no later write.
 */
export function useConnection(product: Product, environment: string) {
  const client = useQueryClient()
  const key = ['connection', product.address, environment]
  const kept = useQuery<Connection>({ queryKey: key, enabled: false }).data
  const connection = kept && Date.parse(kept.expiresAt) > Date.now() + MARGIN_MS ? kept : null
  const connect = useAction<Connection>()
  const [copied, setCopied] = useState<Way | null>(null)
  const [blocked, setBlocked] = useState<Failure | null>(null)
  const make = async () => {
    const made = await connect.mutateAsync({ path: `/products/${product.address}/connect`, body: { environment } })
    client.setQueryData(key, made)
    return made
  }
  const copy = (way: Way) => {
    setBlocked(null)
    copyLater(
      (connection ? Promise.resolve(connection) : make()).then((login) => snippet(way, product, environment, login)),
    ).then(
      () => {
        setCopied(way)
        setTimeout(() => setCopied(null), COPIED_MS)
      },
      (thrown: unknown) => {
        if (thrown instanceof Error) setBlocked(clipboardRefused(thrown.message))
      },
    )
  }
  return { connection, copy, copied, pending: connect.isPending, failure: connect.error ?? blocked }
}

function clipboardRefused(why: string): Failure {
  return {
    status: 0,
    code: 'PORTAL_CLIPBOARD_REFUSED',
    what: 'The browser did not let the page write to the clipboard',
    why,
    fix: 'Click Copy connection again; the login is made already.',
    requestId: null,
    details: [],
  }
}
