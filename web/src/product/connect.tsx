import { Button, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { Connection, Product } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { CopyButton } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Section } from '../parts/page.tsx'
import { cli } from '../text/cli.ts'
import { formatTime } from '../text/time.ts'
import { servingEnvironments } from './environments.ts'
import styles from './product.module.css'

const WAYS = ['psql', 'JDBC', 'Python'] as const
type Way = (typeof WAYS)[number]

/** A login of the reader's own, made when asked for. The password is copied, never shown. */
export function Connect({ product }: { product: Product }) {
  const environments = servingEnvironments(product)
  const [environment, setEnvironment] = useState(environments.at(-1) ?? '')
  const [way, setWay] = useState<Way>('psql')
  const connect = useAction<Connection>()
  const connection = connect.data
  return (
    <Section
      title="Connect"
      end={
        connection
          ? `as ${connection.user} · password valid until ${formatTime(connection.expiresAt)}`
          : environments.length
            ? 'the password is valid for 8 h'
            : null
      }
    >
      {environments.length ? (
        <div className={styles.connect}>
          <div className={styles.ways}>
            <SegmentedControl
              aria-label="Way to connect"
              data={[...WAYS]}
              value={way}
              onChange={(value) => setWay(value as Way)}
            />
            {environments.length > 1 ? (
              <SegmentedControl
                aria-label="Environment"
                data={environments}
                value={environment}
                onChange={(value) => {
                  setEnvironment(value)
                  connect.reset()
                }}
              />
            ) : null}
          </div>
          <div className={styles.code}>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines scroll, and the keyboard must reach them */}
            <pre tabIndex={0}>
              {connection ? hidePassword(snippet(way, connection), connection) : `$ ${cli.connect(product.address, environment)}`}
            </pre>
            {connection ? (
              <CopyButton text={snippet(way, connection)} label="Copy connection" />
            ) : (
              <Button
                size="xs"
                variant="quiet"
                loading={connect.isPending}
                onClick={() => connect.mutate({ path: `/products/${product.address}/connect`, body: { environment } })}
              >
                Get connection
              </Button>
            )}
          </div>
          {connect.error ? <FailureCard failure={connect.error} /> : null}
        </div>
      ) : (
        <p className="muted">Nothing is served yet; the first deploy makes it readable.</p>
      )}
    </Section>
  )
}

function snippet(way: Way, connection: Connection): string {
  const first = connection.ports.find((port) => port.objects.length)
  const select = first ? `select * from ${first.schema}.${first.objects[0]} limit 20` : 'select current_user'
  if (way === 'psql') return `${connection.psql}\n${connection.database}=> ${select};`
  if (way === 'JDBC') return connection.jdbc
  return `import psycopg\n\nwith psycopg.connect("${connection.url}") as connection:\n    rows = connection.execute("${select}").fetchall()`
}

function hidePassword(text: string, connection: Connection): string {
  const encoded = /:\/\/[^:/@]*:([^@]*)@/.exec(connection.url)?.[1]
  if (!encoded) return text
  return text.replaceAll(encoded, '••••••••').replaceAll(decodeURIComponent(encoded), '••••••••')
}
