import { Button } from '@mantine/core'
import { useState } from 'react'
import type { Run } from '../api/types.ts'
import { useAction } from '../api/use-action.ts'
import { copyText } from '../parts/copy.tsx'
import { FailureCard } from '../parts/failure-card.tsx'
import { Icon } from '../parts/icon.tsx'
import menuStyles from '../parts/menu.module.css'
import { MenuButton, MenuItem } from '../parts/menu.tsx'
import { cli } from '../text/cli.ts'
import { counted } from '../text/time.ts'
import styles from './run.module.css'
import { failsAgain } from './run-state.ts'

/** What the API says this reader may do now. An undo belongs to the request the run was made for. */
export function RunActions({ run, request }: { run: Run; request: number | null }) {
  const action = useAction()
  const [asking, setAsking] = useState(false)
  const failed = run.steps.find((step) => step.state === 'failed')
  const made = run.steps.filter((step) => step.state === 'succeeded').length
  const commands = [
    run.actions.retry && cli.retryRun(run.number),
    run.actions.cancel && cli.cancelRun(run.number),
    run.actions.approve && cli.approveRun(run.number),
    run.actions.undo && request !== null && cli.undoRequest(request),
    cli.logs(run.number, run.state === 'failed'),
  ].filter((command) => typeof command === 'string')
  return (
    <>
      {run.actions.retry ? (
        <Button
          variant={failsAgain(run) ? 'default' : 'filled'}
          loading={action.isPending}
          onClick={() => action.mutate({ path: `/runs/${run.number}/retry` })}
        >
          {failed ? `Retry from ${failed.stage}` : 'Retry'}
        </Button>
      ) : null}
      {run.actions.cancel ? (
        <Button loading={action.isPending} onClick={() => action.mutate({ path: `/runs/${run.number}/cancel` })}>
          Cancel run
        </Button>
      ) : null}
      {run.actions.undo && request !== null ? (
        <Button aria-expanded={asking} onClick={() => setAsking(!asking)}>
          Undo
        </Button>
      ) : null}
      <MenuButton title="Copy as CLI" name="Copy as CLI" className={menuStyles.more} label={<Icon name="more" />}>
        {(close) => (
          <>
            <p className={menuStyles.title}>Copy as CLI</p>
            {commands.map((command) => (
              <MenuItem key={command} onClick={() => void copyText(command).then(close)}>
                <code>{command}</code>
              </MenuItem>
            ))}
          </>
        )}
      </MenuButton>
      {asking ? (
        <div className={styles.confirm}>
          <p>
            Undo removes what {counted(made, 'finished step')} made for {run.product}. The name is free again afterwards.
          </p>
          <div className={styles.buttons}>
            <Button
              size="xs"
              loading={action.isPending}
              onClick={() => action.mutate({ path: `/requests/${request}/undo` }, { onSuccess: () => setAsking(false) })}
            >
              Undo {counted(made, 'step')}
            </Button>
            <Button size="xs" variant="quiet" onClick={() => setAsking(false)}>
              Keep them
            </Button>
          </div>
        </div>
      ) : null}
      {action.error ? (
        <div className={styles.confirm}>
          <FailureCard failure={action.error} />
        </div>
      ) : null}
    </>
  )
}
