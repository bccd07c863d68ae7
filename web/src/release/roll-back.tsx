import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { call } from '../api/call.ts'
import type { PastRelease, Plan, Product, RunSummary } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Skeleton } from '../parts/loaded.tsx'
import { PlanSteps } from '../parts/plan-steps.tsx'
import { cli } from '../text/cli.ts'
import { formatTime } from '../text/time.ts'
import styles from './release.module.css'
import { releaseName } from './release-words.ts'

type Rollback = { product: Product; environment: string; current: PastRelease; target: PastRelease }

/** The diff, then one button. Confirming goes to the run. */
export function RollBack({ product, environment, current, target }: Rollback) {
  const navigate = useNavigate()
  const [domain = '', name = ''] = product.address.split('/')
  const body = { environment, to: target.number }
  const path = `/products/${product.address}/rollback`
  const plan = useQuery({
    queryKey: ['dry-run', path, body],
    queryFn: ({ signal }) => call<Plan>(`${path}?dry-run=true`, { method: 'POST', body, signal }),
    retry: false,
    staleTime: 5_000,
  })
  const confirm = useAction<RunSummary>((run) => void navigate({ to: '/runs/$number', params: { number: String(run.number) } }))
  return (
    <section className={styles.rollback} aria-label={`Roll back ${environment} to r${target.number}`}>
      <div className={styles.what}>
        <h3 className={styles.title}>
          Roll back {environment} to {releaseName(target)}
        </h3>
        <Difference {...{ current, target }} />
        {plan.error ? <FailureCard failure={plan.error} retry={() => void plan.refetch()} /> : null}
        {plan.data ? <PlanSteps plan={plan.data} compact /> : plan.error ? null : <Skeleton rows={6} />}
      </div>
      <div className={styles.decide}>
        <p>
          Consumers read r{target.number} after one switch. Nothing is built and git is not asked. Masks and row filters of now
          stay.
        </p>
        <p className="muted">
          Undo: roll back to r{current.number}, the same way. It stays until the next push to main deploys, or{' '}
          <code>heddle unpin</code>.
        </p>
        {plan.data ? <Consumers names={plan.data.affected} /> : null}
        <div className={styles.buttons}>
          {plan.error ? null : (
            <Button variant="filled" loading={confirm.isPending || plan.isPending} onClick={() => confirm.mutate({ path, body })}>
              Roll back to r{target.number}
            </Button>
          )}
          <Button
            component={Link as unknown as 'a'}
            {...({ to: '/p/$domain/$name', params: { domain, name }, search: { tab: 'releases' } } as unknown as {
              href: string
            })}
          >
            Keep r{current.number}
          </Button>
        </div>
        {confirm.error ? <FailureCard failure={confirm.error} /> : null}
        <CopyLine prompt="$ " text={cli.rollback(product.address, environment, target.number)} label="Copy as CLI" />
      </div>
    </section>
  )
}

function Difference({ current, target }: Pick<Rollback, 'current' | 'target'>) {
  const rows: [string, string, string][] = [
    ['Release', releaseName(current), releaseName(target)],
    ['Commit', current.commit.slice(0, 7), target.commit.slice(0, 7)],
    ['Data', `revision ${current.revision}`, `revision ${target.revision}`],
    ['Released', formatTime(current.at), formatTime(target.at)],
  ]
  return (
    <dl className={styles.difference}>
      {rows.map(([what, from, to]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>
            <span className="muted">{from}</span>
            <span aria-hidden="true">→</span>
            <span className="sr-only">becomes</span>
            <strong>{to}</strong>
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Consumers({ names }: { names: string[] }) {
  return (
    <p>
      <strong>{names.length ? 'Hits' : 'Hits nobody'}</strong> {names.length ? names.join(', ') : 'by agreement'}
    </p>
  )
}
