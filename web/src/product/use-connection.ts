import { useState } from 'react'
import type { Failure } from '../api/failure.ts'
import type { Connection, Product } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { copyLater } from '../parts/copy.tsx'
import { snippet, type Way } from './snippets.ts'

/**
 * A login of the reader's own, made at the first copy and used for the next ones until it ends. One click makes it and copies it: the clipboard is
 * promised the text within the click, since a browser allows no later write.
 */
export function useConnection(product: Product, environment: string) {
  const connect = useAction<Connection>()
  const [copied, setCopied] = useState<{ way: Way; environment: string } | null>(null)
  const [blocked, setBlocked] = useState<Failure | null>(null)
  const fresh = connect.data && Date.parse(connect.data.expiresAt) > Date.now() + 60_000 ? connect.data : null
  const asked = connect.variables?.body as { environment?: string } | undefined
  const connection = asked?.environment === environment ? fresh : null
  const copy = (way: Way) => {
    const login = connection
      ? Promise.resolve(connection)
      : connect.mutateAsync({ path: `/products/${product.address}/connect`, body: { environment } })
    setBlocked(null)
    copyLater(login.then((made) => snippet(way, product, environment, made))).then(
      () => {
        setCopied({ way, environment })
        setTimeout(() => setCopied(null), 2_500)
      },
      (thrown: unknown) => {
        if (thrown instanceof Error)
          setBlocked({
            status: 0,
            code: 'PORTAL_CLIPBOARD_REFUSED',
            what: 'The browser did not let the page write to the clipboard',
            why: thrown.message,
            fix: 'Click Copy connection again; the login is made already.',
            requestId: null,
            details: [],
          })
      },
    )
  }
  return { connection, copy, copied, pending: connect.isPending, failure: connect.error ?? blocked }
}
