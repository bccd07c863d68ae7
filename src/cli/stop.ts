import type { Context } from './context.ts'
import { endLeftovers, waitUntilGone } from './end-leftovers.ts'
import { locateData } from './locate-server.ts'
import { findRunning } from './run-file.ts'
import { findLockHolder } from './start-lock.ts'

const PATIENCE_MS = 20_000

/** Ends everything that `heddle start` started, also what a killed one left. */
export async function stop(context: Context): Promise<number> {
  const data = await locateData({ data: context.flags.data, env: context.io.env, dir: context.dir })
  const running = await findRunning(data)
  // One that is still starting has no run file yet, but it holds the lock.
  const holder = running ?? (await findLockHolder(data))
  const did: string[] = []
  if (holder) {
    process.kill(holder.pid, 'SIGTERM')
    if (!(await waitUntilGone(holder, PATIENCE_MS))) {
      process.kill(holder.pid, 'SIGKILL')
      did.push(`process ${holder.pid} did not stop in ${PATIENCE_MS / 1000} s and was killed`)
    } else did.push(`stopped ${running?.url ?? `process ${holder.pid}, which was starting`}`)
  }
  did.push(...(await endLeftovers(data, { database: true })))
  const lines = did.length > 0 ? did : [`Nothing runs on ${data}`]
  context.print({ data, did }, () => lines)
  return 0
}
