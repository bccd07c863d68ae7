import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { Run } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { FailureCard } from '../parts/failure-card.tsx'
import { cli } from '../text/cli.ts'
import { counted, formatTime } from '../text/time.ts'
import styles from './run.module.css'

/** A run that waits: who decides, what happens on yes, and the decision in place for whom it is. */
export function ApprovalCard({ run }: { run: Run }) {
  const [note, setNote] = useState('')
  const decide = useAction()
  const send = (verb: 'approve' | 'deny') => decide.mutate({ path: `/runs/${run.number}/${verb}`, body: note ? { note } : {} })
  const risky = run.steps.filter((step) => step.risk !== 'safe')
  return (
    <section className={styles.approval} aria-label="Approval">
      <div>
        <h2>{run.actions.approve ? 'Your approval' : 'Waits for approval'}</h2>
        <p>
          {run.environment} is protected. {run.actions.approve ? 'You or another of ' : 'Asked: '}
          <strong>{run.approvers.join(', ') || 'its owners'}</strong> {run.actions.approve ? 'can decide.' : ''}
        </p>
        <p className="muted">
          On yes it runs {counted(run.steps.length, 'step')} at once
          {risky.length
            ? `; ${counted(risky.length, 'step')} consumers notice: ${risky.map((step) => step.title).join(', ')}`
            : ', none of which consumers notice'}
          .{run.served ? ` Until then they read ${run.served}.` : ''}
        </p>
        {run.approvals.map((approval) => (
          <p key={approval.at}>
            {approval.by}: {approval.decision} {formatTime(approval.at)}
            {approval.note ? `, “${approval.note}”` : ''}
          </p>
        ))}
      </div>
      {run.actions.approve ? (
        <div className={styles.decide}>
          <Textarea
            label="Note"
            description={`Goes to ${run.by} and into the audit.`}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            rows={2}
          />
          <div className={styles.buttons}>
            <Button
              variant="filled"
              loading={decide.isPending}
              onClick={() => send('approve')}
              title={cli.approveRun(run.number)}
            >
              Approve and {run.kind}
            </Button>
            <Button disabled={decide.isPending} onClick={() => send('deny')} title={cli.denyRun(run.number)}>
              Deny
            </Button>
          </div>
          {decide.error ? <FailureCard failure={decide.error} /> : null}
        </div>
      ) : null}
    </section>
  )
}
