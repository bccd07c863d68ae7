import { Button } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import parts from '../parts/parts.module.css'
import { Status } from '../status/status.tsx'
import type { Row } from './graph.ts'
import { KIND_WORDS } from './kind-words.ts'
import styles from './lineage.module.css'

const SIDES = { up: 'before', focus: 'focus', down: 'behind' }

/** The same as the picture, as a table: what lies before, the focus, what lies behind. */
export function ListView({ rows, onFocus }: { rows: Row[]; onFocus: (address: string) => void }) {
  return (
    <div className={parts.tableBox}>
      <table className={parts.table}>
        <thead>
          <tr>
            <th>Name</th>
            <th>Where</th>
            <th>Kind</th>
            <th>State</th>
            <th>Service levels</th>
            <th className={parts.num}>Before it</th>
            <th className={parts.num}>Behind it</th>
            <th>
              <span className="sr-only">Do</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ node, side, hops, via }) => (
            <tr key={`${side} ${node.address}`} className={side === 'focus' ? styles.focusRow : undefined}>
              <td>
                <NodeName address={node.address} product={node.product} />
                {via.length ? (
                  <small>
                    {side === 'up' ? 'read by' : 'reads'} {via.join(', ')}
                  </small>
                ) : null}
              </td>
              <td>
                {SIDES[side]}
                {hops ? <small>{hops === 1 ? '1 hop' : `${hops} hops`}</small> : null}
              </td>
              <td>{KIND_WORDS[node.kind]}</td>
              <td>{node.state ? <Status kind="product" state={node.state} /> : <span className="muted">–</span>}</td>
              <td>{node.slo ? <Status kind="level" state={node.slo} /> : <span className="muted">–</span>}</td>
              <td className={parts.num}>{node.up}</td>
              <td className={parts.num}>{node.down}</td>
              <td>
                {side === 'focus' || node.kind === 'consumer' || node.kind === 'source' ? null : (
                  <Button size="xs" variant="quiet" onClick={() => onFocus(node.address)}>
                    Focus<span className="sr-only"> on {node.address}</span>
                  </Button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function NodeName({ address, product }: { address: string; product: string | null }) {
  const [domain = '', name = ''] = (product ?? '').split('/')
  if (!product) return <span className={parts.name}>{address}</span>
  return (
    <Link to="/p/$domain/$name" params={{ domain, name }} className={parts.name}>
      {address}
    </Link>
  )
}
