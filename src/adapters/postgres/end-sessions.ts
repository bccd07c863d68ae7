import { fail } from '../../core/fail.ts'
import { READERS_OF } from './readers-of.ts'
import { ask, type Site } from './session.ts'

const PATIENCE_MS = 5_000

/** Ends every session of a login, and of the readers of a subject's login, in the cluster and looks again until none is left. Call it after the login was shut, or new ones may come in. */
export async function endSessions(site: Site, login: string): Promise<number> {
  const begun = performance.now()
  const ended = new Set<number>()
  for (;;) {
    const rows = await ask<{ pid: number }>(
      site,
      `SELECT pid FROM (SELECT pid, pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE usename = $1 OR usename IN (${READERS_OF})) AS s`,
      [login],
    )
    if (rows.length === 0) return ended.size
    for (const { pid } of rows) ended.add(pid)
    if (performance.now() - begun > PATIENCE_MS)
      throw fail('WAREHOUSE_SESSION_REMAINS', {
        what: `${login} still has ${rows.length} open sessions`,
        why: 'They did not end when told to.',
      })
  }
}
