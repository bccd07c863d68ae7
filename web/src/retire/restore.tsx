import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { call } from '../api/call.ts'
import type { NewRequest, Product, Request } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Skeleton } from '../parts/loaded.tsx'
import parts from '../parts/parts.module.css'
import { PlanSteps } from '../parts/plan-steps.tsx'
import { newRequestCommand } from '../text/cli.ts'
import styles from './retire.module.css'

/** The way back: the plan on demand, then one button. Confirming goes to the run. */
export function Restore({ product }: { product: Product }) {
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const body: NewRequest = { kind: 'restore', payload: { product: product.address } }
  const dry = useQuery({
    queryKey: ['dry-run', body],
    queryFn: ({ signal }) => call<Request>('/requests?dry-run=true', { method: 'POST', body, signal }),
    enabled: open,
    retry: false,
    staleTime: 5_000,
  })
  const confirm = useAction<Request>((request) => {
    if (request.run === null) void navigate({ to: '/requests/$number', params: { number: String(request.number) } })
    else void navigate({ to: '/runs/$number', params: { number: String(request.run) } })
  })
  return (
    <section className={parts.card} aria-label="Restore">
      <h2>Restore {product.address}</h2>
      <p>
        Brings repository, releases and the same rows back from the archive; its checksums are read first. Agreements are not
        restored: who read it asks again.
      </p>
      {open ? (
        <>
          {dry.error ? <FailureCard failure={dry.error} retry={() => void dry.refetch()} /> : null}
          {dry.data?.plan ? <PlanSteps plan={dry.data.plan} compact /> : dry.error ? null : <Skeleton rows={6} />}
          {dry.data ? (
            <p className="muted">Decided by {dry.data.approvers.join(' or ')}; if that is you, it starts at once.</p>
          ) : null}
        </>
      ) : null}
      <div className={styles.buttons}>
        {open ? (
          dry.error ? null : (
            <Button
              variant="filled"
              loading={confirm.isPending || dry.isPending}
              onClick={() => confirm.mutate({ path: '/requests', body })}
            >
              Confirm restore
            </Button>
          )
        ) : (
          <Button variant="filled" onClick={() => setOpen(true)}>
            Restore
          </Button>
        )}
      </div>
      {confirm.error ? <FailureCard failure={confirm.error} /> : null}
      <CopyLine prompt="$ " text={newRequestCommand(body)} label="Copy as CLI" />
    </section>
  )
}
