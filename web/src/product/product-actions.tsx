import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { releasesQuery } from '../api/operate-queries.ts'
import type { Plan, Product, RunSummary } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { ButtonLink } from '../parts/button-link.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Icon } from '../parts/icon.tsx'
import menuStyles from '../parts/menu.module.css'
import { MenuButton, MenuItem } from '../parts/menu.tsx'
import release from '../release/release.module.css'
import { releaseName, rollbackPlace } from '../release/release-words.ts'
import { cli } from '../text/cli.ts'

/** What an owner can do with a product from anywhere on its page; a roll back only where there is a way back. */
export function ProductActions({ product, rollingBack }: { product: Product; rollingBack: boolean }) {
  const [domain = '', name = ''] = product.address.split('/')
  const releases = useQuery(releasesQuery(domain, name)).data?.items ?? []
  const navigate = useNavigate()
  const [said, setSaid] = useState<string | null>(null)
  // Deploying what is there already answers with an empty plan instead of a run.
  const start = useAction<RunSummary | Plan>((answer) => {
    if ('steps' in answer) setSaid(answer.summary)
    else void navigate({ to: '/runs/$number', params: { number: String(answer.number) } })
  })
  const back = rollbackPlace(product, releases)
  const waiting = product.runs.find((run) => run.state === 'waiting')
  const act = (verb: string, body: Record<string, string>) => {
    setSaid(null)
    start.mutate({ path: `/products/${product.address}/${verb}`, body })
  }
  const serving = product.environments.filter((environment) => environment.release !== null)
  return (
    <>
      {waiting ? (
        <ButtonLink to="/runs/$number" params={{ number: String(waiting.number) }} filled={!rollingBack}>
          Review run {waiting.number}
        </ButtonLink>
      ) : null}
      {back && !rollingBack ? (
        <ButtonLink
          to="/p/$domain/$name"
          params={{ domain, name }}
          search={{ tab: 'releases', rollback: back.environment, to: back.to.number }}
        >
          Roll back
        </ButtonLink>
      ) : null}
      <MenuButton title="More actions" name="More actions" className={menuStyles.more} label={<Icon name="more" />}>
        {(close) => {
          const item = (label: string, command: string, run: () => void) => (
            <MenuItem
              key={label}
              onClick={() => {
                run()
                close()
              }}
            >
              {label} <code>{command}</code>
            </MenuItem>
          )
          return (
            <>
              {serving.map((environment) =>
                item(`Refresh ${environment.name} now`, cli.refresh(product.address, environment.name), () =>
                  act('refresh', { environment: environment.name }),
                ),
              )}
              {product.repository.head
                ? item('Deploy the head of main', cli.deploy(product.address), () => act('deploy', {}))
                : null}
              {promotions(product).map(({ from, to, what }) =>
                item(`Promote ${what} to ${to}`, cli.promote(product.address, from, to), () => act('promote', { from, to })),
              )}
              {item(
                'Retire…',
                cli.retire(product.address),
                () => void navigate({ to: '/p/$domain/$name/retire', params: { domain, name } }),
              )}
            </>
          )
        }}
      </MenuButton>
      {start.error ? (
        <div className={release.note}>
          <FailureCard failure={start.error} />
        </div>
      ) : null}
      {said ? (
        <p role="status" className={release.note}>
          {said}
        </p>
      ) : null}
    </>
  )
}

/** Each step of the way that has something newer to give to the next environment. */
function promotions({ environments }: Product): { from: string; to: string; what: string }[] {
  return environments.flatMap((environment, index) => {
    const next = environments[index + 1]
    if (!next || !environment.release || environment.release.commit === next.release?.commit) return []
    return [{ from: environment.name, to: next.name, what: releaseName(environment.release) }]
  })
}
