import { Button, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { Product } from '../api/types.ts'
import { ButtonLink } from '../parts/button-link.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Icon } from '../parts/icon.tsx'
import { Section } from '../parts/page.tsx'
import { formatTime } from '../text/time.ts'
import { servingEnvironments } from './environments.ts'
import styles from './product.module.css'
import { hidePassword, snippet, WAYS, type Way } from './snippets.ts'
import { useConnection } from './use-connection.ts'
import { useRights } from './use-rights.ts'

/** How to read it, filled in. The login is made when something is copied; its password is copied, never shown. */
export function Connect({ product }: { product: Product }) {
  const rights = useRights(product)
  const environments = servingEnvironments(product)
  const [chosen, setEnvironment] = useState<string | null>(null)
  const environment = chosen ?? environments.at(-1) ?? ''
  const [way, setWay] = useState<Way>('psql')
  const { connection, copy, copied, pending, failure } = useConnection(product, environment)
  if (!environments.length)
    return (
      <Section title="Connect">
        <p className="muted">Nothing is served yet; the first deploy makes it readable.</p>
      </Section>
    )
  const [domain = '', name = ''] = product.address.split('/')
  return (
    <Section
      title="Connect"
      end={
        connection
          ? `as ${connection.user}, password valid until ${formatTime(connection.expiresAt)}`
          : rights.reads
            ? `as ${rights.name}, password valid 8 h`
            : rights.known
              ? 'needs an agreement'
              : null
      }
    >
      <div className={styles.connect}>
        <div className={styles.ways}>
          <SegmentedControl aria-label="Way to connect" data={[...WAYS]} value={way} onChange={(value) => setWay(value as Way)} />
          {environments.length > 1 ? (
            <SegmentedControl aria-label="Environment" data={environments} value={environment} onChange={setEnvironment} />
          ) : null}
        </div>
        <div className={styles.code}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, and the keyboard must reach them */}
          <pre tabIndex={0}>
            {connection
              ? hidePassword(snippet(way, product, environment, connection), connection)
              : snippet(way, product, environment, null)}
          </pre>
          {rights.reads ? (
            <Button
              size="xs"
              variant="quiet"
              loading={pending}
              leftSection={<Icon name={copied ? 'tick' : 'copy'} />}
              onClick={() => copy(way)}
            >
              <span aria-live="polite">{copied ? 'Copied' : 'Copy connection'}</span>
            </Button>
          ) : product.offers.length && rights.known ? (
            <ButtonLink to="/p/$domain/$name" params={{ domain, name }} search={{ tab: 'access' }} row>
              Request access
            </ButtonLink>
          ) : null}
        </div>
        {failure ? <FailureCard failure={failure} /> : null}
      </div>
    </Section>
  )
}
