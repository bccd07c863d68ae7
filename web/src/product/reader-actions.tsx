import { Button } from '@mantine/core'
import type { Product } from '../api/types.ts'
import { ButtonLink } from '../parts/button-link.tsx'
import { Icon } from '../parts/icon.tsx'
import { servingEnvironments } from './environments.ts'
import { useConnection } from './use-connection.ts'
import { useRights } from './use-rights.ts'

/** What a reader does first: who may read copies a connection, who may not asks. `filled`: no other button of the page's head is. */
export function ReaderActions({ product, tab, filled = true }: { product: Product; tab: string; filled?: boolean }) {
  const rights = useRights(product)
  const [domain = '', name = ''] = product.address.split('/')
  const environment = servingEnvironments(product).at(-1)
  if (rights.reads)
    return environment ? <CopyConnection product={product} environment={environment} filled={filled && !rights.owns} /> : null
  if (!product.offers.length || tab === 'access') return null
  return (
    <ButtonLink
      to="/p/$domain/$name"
      params={{ domain, name }}
      search={{ tab: 'access', port: product.offers[0]?.ports[0] }}
      filled={filled && !rights.pending.length}
    >
      Request access
    </ButtonLink>
  )
}

function CopyConnection({ product, environment, filled }: { product: Product; environment: string; filled: boolean }) {
  const { copy, copied, pending, failure } = useConnection(product, environment)
  return (
    <>
      {failure ? (
        <span role="alert" className="muted">
          {failure.what}. {failure.fix}
        </span>
      ) : null}
      <Button
        variant={filled ? 'filled' : 'default'}
        loading={pending}
        leftSection={<Icon name={copied ? 'tick' : 'copy'} />}
        title={`psql command for ${environment}, with a password of your own for 8 h`}
        onClick={() => copy('psql')}
      >
        <span aria-live="polite">{copied ? 'Copied' : 'Copy connection'}</span>
      </Button>
    </>
  )
}
