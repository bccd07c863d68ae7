import { Button, Textarea, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { Product, Request } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { CopyLine } from '../parts/copy.tsx'
import { Diagnostics, FailureCard } from '../parts/failure-card.tsx'
import parts from '../parts/parts.module.css'
import { newRequestCommand } from '../text/cli.ts'
import styles from './retire.module.css'

/** The decision: the name is typed, so that nobody retires what he did not mean. What stands in the way is said instead of a button that fails. */
export function ConfirmRetirement({ product, dry }: { product: Product; dry: Request }) {
  const navigate = useNavigate()
  const [typed, setTyped] = useState('')
  const [because, setBecause] = useState('')
  const [tried, setTried] = useState(false)
  const send = useAction<Request>((request) => {
    if (request.run === null) void navigate({ to: '/requests/$number', params: { number: String(request.number) } })
    else void navigate({ to: '/runs/$number', params: { number: String(request.run) } })
  })
  const { address } = product
  const obstacles = dry.plan?.diagnostics.filter((item) => item.severity === 'error') ?? []
  const payload = { product: address, ...(because && { because }) }
  const right = typed.trim() === address
  if (obstacles.length)
    return (
      <section className={parts.card} aria-label="What stands in the way">
        <h2>It cannot be retired yet</h2>
        <Diagnostics items={obstacles} />
        <p className="muted">Consumers are never cut off by a retirement: their agreements end first.</p>
        <CopyLine prompt="$ " text={newRequestCommand({ kind: 'retire', payload })} label="Copy as CLI" />
      </section>
    )
  return (
    <form
      className={parts.card}
      aria-label={`Retire ${address}`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        setTried(true)
        if (right) send.mutate({ path: '/requests', body: { kind: 'retire', payload } })
        else event.currentTarget.querySelector<HTMLElement>('[name=confirm]')?.focus()
      }}
    >
      <h2>Retire {address}</h2>
      <p>
        It stops, is archived and read back, and then everything of it is removed. Way back: <strong>Restore</strong> brings the
        same rows back from the archive; agreements are asked for again.
      </p>
      <TextInput
        label={`Type ${address} to confirm`}
        name="confirm"
        autoComplete="off"
        spellCheck={false}
        value={typed}
        error={tried && !right ? `That is not ${address}.` : null}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <Textarea
        label="Why"
        name="because"
        description="Optional; the tombstone and the audit say it."
        rows={2}
        maxLength={500}
        value={because}
        onChange={(event) => setBecause(event.currentTarget.value)}
      />
      <div className={styles.buttons}>
        <Button type="submit" variant="filled" loading={send.isPending}>
          Retire {address}
        </Button>
      </div>
      <p className="muted">
        {dry.approvers.length ? `Decided by ${dry.approvers.join(' or ')}; if that is you, it starts at once.` : null}
      </p>
      {send.error ? <FailureCard failure={send.error} /> : null}
      <CopyLine prompt="$ " text={newRequestCommand({ kind: 'retire', payload })} label="Copy as CLI" />
    </form>
  )
}
