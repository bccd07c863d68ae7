import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { Product, Served } from '../api/types.ts'
import { Empty } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { Status } from '../status/status.tsx'
import { counted, formatTime } from '../text/time.ts'
import { servingEnvironments } from './environments.ts'
import styles from './product.module.css'

/** What is served, column by column, and what of it a consumer sees. */
export function DataTab({ product }: { product: Product }) {
  const environments = servingEnvironments(product)
  const [environment, setEnvironment] = useState(environments.at(-1))
  const shown = product.served.filter((served) => served.environment === environment)
  if (!shown.length)
    return (
      <Empty title="Nothing is served yet">
        <p>The first deploy that passes its tests publishes the output ports here.</p>
      </Empty>
    )
  return (
    <div className={parts.stack}>
      {environments.length > 1 ? (
        <div>
          <SegmentedControl aria-label="Environment" data={environments} value={environment ?? ''} onChange={setEnvironment} />
        </div>
      ) : null}
      {shown.map((served) => (
        <PortSection key={`${served.port} ${served.major}`} served={served} product={product} />
      ))}
    </div>
  )
}

function PortSection({ served, product }: { served: Served; product: Product }) {
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
                    <th>Tags</th>
                    <th>A consumer sees</th>
                  </tr>
                </thead>
                <tbody>
                  {object.columns.map((column) => (
                    <tr key={column.name}>
                      <td>
                        <code>{column.name}</code>
                      </td>
                      <td className="muted">{column.type}</td>
                      <td className="muted">{column.tags.join(', ') || '–'}</td>
                      <td>
                        {column.mask === null ? (
                          <span className="muted">Clear</span>
                        ) : (
                          <span className={styles.mask}>{column.mask}</span>
                        )}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </div>
        ))}
      </div>
    </Section>
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
