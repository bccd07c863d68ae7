import { fail } from '../../core/fail.ts'
import type { Fence } from '../../platform/resource.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { endSessions } from './end-sessions.ts'
import { laneName } from './fenced.ts'
import { newPassword, scramVerifier } from './scram.ts'
import { ask, type Site, transaction } from './session.ts'

/**
 * Raises the lane's epoch. Sessions of earlier epochs end first: a worker that was stopped inside a transaction holds the lease's row. Then a pass that an
 * earlier epoch left open is closed: new password, no log-in, no session left.
 */
export async function takeLease(site: Site, place: Place, fence: Fence): Promise<{ tookOver: boolean }> {
  const stopped = await endEarlierWork(site, fence)
  const before = await transaction(site, { doing: `take lane ${fence.lane}` }, async (client) => {
    const { rows } = await client.query<{ epoch: string; run: string }>(
      'SELECT epoch, run FROM heddle.lease WHERE product = $1 AND lane = $2 FOR UPDATE',
      [fence.product, fence.lane],
    )
    const held = rows[0] ? { epoch: Number(rows[0].epoch), run: rows[0].run } : null
    if (held && held.epoch > fence.epoch)
      throw fail('WAREHOUSE_FENCE_STALE', {
        what: `Lane ${fence.lane} of ${place.domain}/${place.product} is held by a later worker`,
        why: `It holds epoch ${held.epoch}; this is epoch ${fence.epoch}.`,
      })
    await client.query(
      `INSERT INTO heddle.lease (product, lane, epoch, run) VALUES ($1, $2, $3, $4)
       ON CONFLICT (product, lane) DO UPDATE SET epoch = excluded.epoch, run = excluded.run, taken_at = now()`,
      [fence.product, fence.lane, fence.epoch, fence.run],
    )
    const pass = await client.query<{ service: string }>(
      `SELECT p.service FROM heddle.product p JOIN pg_roles r ON r.rolname = p.service WHERE p.id = $1 AND p.pass_lane = $2 AND p.pass_epoch < $3 FOR UPDATE OF p`,
      [fence.product, fence.lane, fence.epoch],
    )
    const service = pass.rows[0]?.service ?? null
    if (service !== null)
      await client.query(
        `ALTER ROLE ${ident(service)} NOLOGIN PASSWORD ${literal(scramVerifier(newPassword()))} VALID UNTIL '-infinity'`,
      )
    return { held, service }
  })
  if (before.service !== null) {
    await endSessions(site, before.service)
    // forgotten only now: a take-over that is itself killed before this is done again by the next
    await ask(
      site,
      'UPDATE heddle.product SET pass_lane = NULL, pass_epoch = NULL, pass_run = NULL WHERE id = $1 AND pass_lane = $2 AND pass_epoch < $3',
      [fence.product, fence.lane, fence.epoch],
    )
  }
  const sameRun = before.held !== null && before.held.epoch < fence.epoch && before.held.run === fence.run
  return { tookOver: stopped > 0 || before.service !== null || sameRun }
}

async function endEarlierWork(site: Site, fence: Fence): Promise<number> {
  const rows = await ask(
    site,
    `SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
     WHERE usename = current_user AND pid <> pg_backend_pid()
       AND CASE WHEN application_name ~ $1 THEN split_part(application_name, ':', 4)::bigint < $2 ELSE false END`,
    [`^${laneName(fence)}:[0-9]+$`, fence.epoch],
  )
  return rows.length
}

export async function highestEpoch(site: Site): Promise<number> {
  const [row] = await ask<{ epoch: string }>(
    site,
    'SELECT greatest((SELECT max(epoch) FROM heddle.lease), (SELECT max(pass_epoch) FROM heddle.product), 0) AS epoch',
  )
  return Number(row!.epoch)
}

/** One verb in the step: its result. Several: an object by verb and key. */
export async function confirm(site: Site, fence: Fence): Promise<{ result: unknown } | null> {
  const rows = await ask<{ verb: string; key: string; result: unknown }>(
    site,
    'SELECT verb, key, result FROM heddle.applied WHERE run = $1 AND step = $2 ORDER BY at, verb, key',
    [fence.run, fence.step],
  )
  if (rows.length === 0) return null
  if (rows.length === 1) return { result: rows[0]!.result }
  return { result: Object.fromEntries(rows.map(({ verb, key, result }) => [`${verb} ${key}`.trim(), result])) }
}
