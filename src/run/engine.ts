import { sql } from 'kysely'
import type { Notices } from '../store/notices.ts'
import { abandonRun, type ExecuteDeps, executeRun, type Interruption } from './execute.ts'
import { type Claim, claimRun, LEASE_SECONDS, renewLease } from './journal.ts'

export type Engine = {
  start(): void
  /** Interrupts what runs; whoever starts next resumes it at once. */
  stop(): Promise<void>
  /** numbers of the runs that run here now */
  running(): string[]
}

const HEARTBEAT_MS = (LEASE_SECONDS * 1000) / 3
/** Notices are hints: this poll alone is enough to find every run. */
const POLL_MS = 1_000
/** Kept free for grants and revocations, which never wait behind builds. */
const ACCESS_RUNS = 4

/** Claims runs and executes them, a few at a time, with a heartbeat each. `worker` names this process and the data directory it holds. */
export function createEngine(
  deps: ExecuteDeps & { notices: Notices; worker: string; dataDirectory: string; concurrency: number },
): Engine {
  const active = new Map<string, { controller: AbortController; done: Promise<void> }>()
  let stopped = false
  let looking = false
  let again = false

  async function look(): Promise<void> {
    if (looking) {
      again = true
      return
    }
    looking = true
    try {
      do {
        again = false
        while (!stopped && active.size < deps.concurrency + ACCESS_RUNS) {
          const claim = await claimRun(deps.control.db, deps.worker, active.size < deps.concurrency ? null : 'access')
          if (!claim) break
          work(claim)
        }
      } while (again && !stopped)
    } catch (error) {
      deps.log(`looking for runs: ${(error as Error).message}`)
    } finally {
      looking = false
    }
  }

  function work(claim: Claim): void {
    const controller = new AbortController()
    const interrupt = (reason: Interruption) => controller.abort(reason)
    const heartbeat = setInterval(() => {
      renewLease(deps.control.db, claim)
        .then(({ held, cancelBy }) => {
          if (!held) interrupt({ kind: 'lost' })
          else if (cancelBy) interrupt({ kind: 'cancel', by: cancelBy })
        })
        .catch((error: Error) => deps.log(`heartbeat of run ${claim.run}: ${error.message}`))
    }, HEARTBEAT_MS)
    // Cancelled while no worker held it: told before its next step, not with the first heartbeat.
    if (claim.cancelBy) interrupt({ kind: 'cancel', by: claim.cancelBy })
    const done = executeRun(deps, claim, controller.signal)
      .catch((error: unknown) => abandonRun(deps, claim, error))
      .catch((error: Error) => deps.log(`run ${claim.run} stopped, it resumes when its lease ends: ${error.message}`))
      .finally(() => {
        clearInterval(heartbeat)
        active.delete(claim.run)
        void look()
      })
    active.set(claim.run, { controller, done })
  }

  /** A cancel is noticed at once when its notice arrives, else with the next heartbeat. */
  async function noticeCancels(): Promise<void> {
    if (active.size === 0) return
    const rows = await deps.control.db
      .selectFrom('run')
      .select(['id', 'cancel_by'])
      .where('id', 'in', [...active.keys()])
      .where('cancel_by', 'is not', null)
      .execute()
    for (const row of rows) active.get(row.id)?.controller.abort({ kind: 'cancel', by: row.cancel_by! } satisfies Interruption)
  }

  const wakeUp = () => {
    void look()
    noticeCancels().catch((error: Error) => deps.log(`looking for cancels: ${error.message}`))
  }

  let poll: NodeJS.Timeout
  let unlisten = () => {}
  return {
    start() {
      unlisten = deps.notices.on('heddle_run', wakeUp)
      poll = setInterval(() => void look(), POLL_MS)
      void look()
    },
    async stop() {
      stopped = true
      unlisten()
      clearInterval(poll)
      for (const { controller } of active.values()) controller.abort({ kind: 'shutdown' } satisfies Interruption)
      await Promise.all([...active.values()].map(({ done }) => done))
      await releaseLeases(deps)
    },
    running: () => [...active.keys()],
  }
}

/**
 * Ends the leases of every worker that held this data directory. Only its present holder may call this: the directory's lock proves that the earlier
 * one is gone, so its runs need not wait for their leases.
 */
export async function releaseLeases(deps: Pick<ExecuteDeps, 'control'> & { dataDirectory: string }): Promise<number> {
  const released = await deps.control.db
    .updateTable('run')
    .set({ lease_until: sql<Date>`clock_timestamp() - interval '1 second'` })
    .where('state', '=', 'running')
    .where('owner', 'like', `${deps.dataDirectory}:%`)
    .executeTakeFirst()
  return Number(released.numUpdatedRows)
}
