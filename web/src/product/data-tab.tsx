import { SegmentedControl } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import type { Product, Served } from '../api/types.ts'
import { ButtonLink } from '../parts/button-link.tsx'
import { Empty } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Glyph, Status } from '../status/status.tsx'
import { counted, formatTime } from '../text/time.ts'
import { servingEnvironments } from './environments.ts'
import { maskWord } from './mask-words.ts'
import styles from './product.module.css'
import { useRights } from './use-rights.ts'

/** What is served, column by column: what it means and what a consumer sees of it. `find` is what a search led here for. */
export function DataTab({ product, find }: { product: Product; find?: string | undefined }) {
  const environments = servingEnvironments(product)
  const [environment, setEnvironment] = useState(environments.at(-1))
  const rights = useRights(product)
  const shown = product.served.filter((served) => served.environment === environment)
  const [domain = '', name = ''] = product.address.split('/')
  if (!shown.length)
    return (
      <Empty title="Nothing is served yet">
        <p>The first deploy that passes its tests publishes the output ports here.</p>
      </Empty>
    )
  return (
    <div className={parts.stack}>
      {rights.reads || !rights.known ? null : (
        <div className={styles.noRights}>
          <Glyph family="off" />
          <p>
            <strong>You see the shape, not the rows.</strong>{' '}
            <span className="muted">
              {product.offers.length
                ? 'With an agreement you read them, masked as it says below.'
                : `Nothing is offered here; ${product.owner} can add an offer to the spec.`}
            </span>
          </p>
          {product.offers.length ? (
            <ButtonLink to="/p/$domain/$name" params={{ domain, name }} search={{ tab: 'access', port: shown[0]?.port }} row>
              Request access
            </ButtonLink>
          ) : null}
        </div>
      )}
      {environments.length > 1 ? (
        <div>
          <SegmentedControl aria-label="Environment" data={environments} value={environment ?? ''} onChange={setEnvironment} />
        </div>
      ) : null}
      {shown.map((served) => (
        <PortSection key={`${served.port} ${served.major}`} served={served} product={product} find={find?.toLowerCase()} />
      ))}
    </div>
  )
}

function PortSection({ served, product, find }: { served: Served; product: Product; find: string | undefined }) {
  return (
    <Section
      title={`${served.port} v${served.major}`}
      end={`${served.version}, revision ${served.revision}, published ${formatTime(served.publishedAt)}`}
    >
      <div className={parts.stack}>
        {served.objects.map((object) => (
          <div key={object.name}>
            <p className={styles.object}>
              <code>
                {served.schema}.{object.name}
              </code>
              <span className="muted">
                {counted(object.columns.length, 'column')}
                {object.rows === null ? '' : `, ${counted(object.rows, 'row')}`}
              </span>
              {levelsOf(product, served.port, object.name).map(([kind, state]) => (
                <span key={kind} className={styles.level}>
                  {kind} <Status kind="level" state={state} />
                </span>
              ))}
            </p>
            <div className={parts.tableBox}>
              <table className={parts.table}>
                <thead>
                  <tr>
                    <th>Column</th>
                    <th>Type</th>
                    <th>Meaning</th>
                    <th>Tags</th>
                    <th>A consumer sees</th>
                  </tr>
                </thead>
                <tbody>
                  {object.columns.map((column) => (
                    <ColumnRow key={column.name} column={column} found={column.name.toLowerCase() === find} />
                  ))}
                </tbody>
              </table>
            </div>
            <Masks masks={object.columns.flatMap((column) => column.mask ?? [])} />
          </div>
        ))}
      </div>
    </Section>
  )
}

type Column = Served['objects'][number]['columns'][number]

function ColumnRow({ column, found }: { column: Column; found: boolean }) {
  const row = useRef<HTMLTableRowElement>(null)
  useEffect(() => {
    if (found) row.current?.scrollIntoView({ block: 'center' })
  }, [found])
  return (
    <tr ref={row} className={found ? styles.found : undefined} aria-current={found ? 'true' : undefined}>
      <td>
        <code>{column.name}</code>
      </td>
      <td className="muted">{column.type}</td>
      <td>{column.meaning ?? <span className="muted">–</span>}</td>
      <td className="muted">{column.tags.join(', ') || '–'}</td>
      <td>
        {column.mask === null ? (
          <span className="muted">Clear</span>
        ) : (
          <span className={styles.mask} title={maskWord(column.mask).means}>
            {maskWord(column.mask).name}
          </span>
        )}
      </td>
    </tr>
  )
}

/** The masks of a table in words, each once. */
function Masks({ masks }: { masks: string[] }) {
  if (!masks.length) return null
  return (
    <dl className={styles.masks}>
      {[...new Set(masks)].map((mask) => (
        <div key={mask} style={{ display: 'contents' }}>
          <dt>
            <span className={styles.mask}>{maskWord(mask).name}</span>
          </dt>
          <dd>{maskWord(mask).means}</dd>
        </div>
      ))}
    </dl>
  )
}

const WORST = ['breached', 'not-evaluated', 'at-risk', 'no-data', 'gathering', 'paused', 'met']

/** The API tells monitors of all environments alike; of each kind the worst is shown. */
function levelsOf(product: Product, port: string, object: string): [string, string][] {
  const levels = new Map<string, string>()
  for (const monitor of product.monitors) {
    if (monitor.port !== port || monitor.object !== object) continue
    const before = levels.get(monitor.kind)
    if (before === undefined || WORST.indexOf(monitor.state) < WORST.indexOf(before)) levels.set(monitor.kind, monitor.state)
  }
  return [...levels]
}
