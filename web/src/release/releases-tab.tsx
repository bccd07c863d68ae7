import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { releasesQuery } from '../api/operate-queries.ts'
import { meQuery } from '../api/queries.ts'
import type { PastRelease, Plan, Product, RunSummary } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { ButtonLink } from '../parts/button-link.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Empty, Loaded } from '../parts/loaded.tsx'
import { Section } from '../parts/page.tsx'
import parts from '../parts/parts.module.css'
import { mayOperate, ownersOf } from '../product/may-operate.ts'
import { Glyph } from '../status/status.tsx'
import { cli } from '../text/cli.ts'
import { formatExact, formatTime } from '../text/time.ts'
import styles from './release.module.css'
import { releaseName, rollbackTarget, servedSince } from './release-words.ts'
import { RollBack } from './roll-back.tsx'

/** Which release is where, and the way back. `rollback` is the environment whose roll back is open, `to` the release it goes to. */
export function ReleasesTab({
  product,
  rollback,
  to,
}: {
  product: Product
  rollback: string | undefined
  to: number | undefined
}) {
  const [domain = '', name = ''] = product.address.split('/')
  const query = useQuery(releasesQuery(domain, name))
  const may = mayOperate(product, useQuery(meQuery).data)
  return (
    <Loaded query={query} rows={6}>
      {({ items }) =>
        items.length ? (
          <div className={parts.stack}>
            {placesOf(product, items).map((environment) => (
              <Environment
                key={environment}
                {...{ product, environment, may }}
                releases={items.filter((release) => release.environment === environment)}
                open={rollback === environment ? (to ?? rollbackTarget(items, environment)?.number ?? 0) : null}
              />
            ))}
            {may ? null : <p className="muted">{ownersOf(product).join(' or ')} can roll back.</p>}
          </div>
        ) : (
          <Empty title="Nothing is released yet">
            <p>
              The first push that passes its tests makes release r1; from then on every release stands here, with its way back.
            </p>
          </Empty>
        )
      }
    </Loaded>
  )
}

/** Where consumers read comes first. */
function placesOf(product: Product, releases: PastRelease[]): string[] {
  const known = product.environments.map((environment) => environment.name).toReversed()
  const used = [...new Set(releases.map((release) => release.environment))]
  return [...known.filter((name) => used.includes(name)), ...used.filter((name) => !known.includes(name))]
}

function Environment({
  product,
  environment,
  releases,
  may,
  open,
}: {
  product: Product
  environment: string
  releases: PastRelease[]
  may: boolean
  /** the release that the open roll back goes to; 0: none is kept */
  open: number | null
}) {
  const current = releases.find((release) => release.current)
  const target = releases.find((release) => release.number === open && !release.current)
  const since = servedSince(product, environment)
  return (
    <Section
      title={environment}
      end={
        current
          ? `${releaseName(current)} served${since ? ` since ${formatTime(since, { seconds: true })}` : ''}`
          : 'nothing is served'
      }
    >
      <div className={parts.stack}>
        <Pinned {...{ product, environment, may }} />
        {open !== null && current && may ? (
          target ? (
            <RollBack key={target.number} {...{ product, environment, current, target }} />
          ) : (
            <Empty title="There is nothing to roll back to">
              <p>
                No earlier release of {environment} is kept. An older commit is built again by{' '}
                <code>heddle deploy {product.address} --commit ID</code>.
              </p>
            </Empty>
          )
        ) : null}
        <ReleaseTable {...{ product, environment, releases }} may={may && open === null} />
      </div>
    </Section>
  )
}

/** After a roll back: what main says is not deployed until somebody wants it. */
function Pinned({ product, environment, may }: { product: Product; environment: string; may: boolean }) {
  const navigate = useNavigate()
  const [said, setSaid] = useState<string | null>(null)
  const unpin = useAction<RunSummary | Plan>((answer) => {
    if ('steps' in answer) setSaid(answer.summary)
    else void navigate({ to: '/runs/$number', params: { number: String(answer.number) } })
  })
  const pinned = product.environments.find((each) => each.name === environment)?.pinned
  if (!pinned) return said ? <p role="status">{said}</p> : null
  return (
    <div className={styles.pinned}>
      <p>
        <strong>Pinned</strong> by {pinned.by} with a roll back, {formatTime(pinned.at)}: this release stays until the next push
        to main. <code>{cli.unpin(product.address, environment)}</code>
      </p>
      {may ? (
        <Button
          size="xs"
          variant="quiet"
          loading={unpin.isPending}
          onClick={() => unpin.mutate({ path: `/products/${product.address}/unpin`, body: { environment } })}
        >
          Unpin {environment}
        </Button>
      ) : null}
      {unpin.error ? <FailureCard failure={unpin.error} /> : null}
    </div>
  )
}

function ReleaseTable({
  product,
  environment,
  releases,
  may,
}: {
  product: Product
  environment: string
  releases: PastRelease[]
  may: boolean
}) {
  const [domain = '', name = ''] = product.address.split('/')
  return (
    <div className={parts.tableBox}>
      <table className={`${parts.table} ${styles.releases}`}>
        <thead>
          <tr>
            <th>Release</th>
            <th>State</th>
            <th>Commit</th>
            <th>Run</th>
            <th>By</th>
            <th className={parts.num}>Released</th>
            {may ? (
              <th>
                <span className="sr-only">Roll back</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody>
          {releases.map((release) => (
            <tr key={release.number}>
              <td className={parts.name}>{releaseName(release)}</td>
              <td>
                <Standing release={release} />
              </td>
              <td>
                <code title={release.commit}>{release.commit.slice(0, 7)}</code>
              </td>
              <td>
                <Link to="/runs/$number" params={{ number: String(release.run) }}>
                  run {release.run}
                </Link>
              </td>
              <td>{release.by}</td>
              <td className={parts.num} title={formatExact(release.at)}>
                {formatTime(release.at)}
              </td>
              {may ? (
                <td className={styles.act}>
                  {release.kept && !release.current ? (
                    <ButtonLink
                      row
                      to="/p/$domain/$name"
                      params={{ domain, name }}
                      search={{ tab: 'releases', rollback: environment, to: release.number }}
                      label={`to r${release.number} in ${environment}`}
                    >
                      Roll back
                    </ButtonLink>
                  ) : null}
                </td>
              ) : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Standing({ release }: { release: PastRelease }) {
  if (release.current)
    return (
      <span className={styles.standing} data-family="ok">
        <Glyph family="ok" size={13} /> Served
      </span>
    )
  return release.kept ? (
    <span className={styles.standing} title="Its data is kept: it can be served again without a rebuild">
      <Glyph family="off" size={13} /> Kept
    </span>
  ) : (
    <span className="muted" title="Its data was collected; its commit can be deployed again">
      Data gone
    </span>
  )
}
