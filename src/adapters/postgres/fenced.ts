import { createHash } from 'node:crypto'
import { fail } from '../../core/fail.ts'
import type { EffectContext, Fence } from '../../platform/resource.ts'
import { type Session, type Site, transaction } from './session.ts'

/** `key` tells calls of one verb in one step apart: a port, a table, a subject. */
export type Effect = { verb: string; key?: string; doing: string; tries?: number }

/**
 * One effect, once: in a single transaction checks the lease, returns the recorded result when the effect has happened, else does it and records it.
 * @throws WAREHOUSE_FENCE_STALE when a higher epoch holds the lane
 */
export async function fenced<R>(
  site: Site,
  context: EffectContext,
  effect: Effect,
  body: (client: Session) => Promise<R>,
): Promise<R> {
  const { fence, signal } = context
  const tries = effect.tries === undefined ? {} : { tries: effect.tries }
  return transaction(site, { signal, doing: effect.doing, ...tries }, async (client) => {
    await checkLease(client, fence)
    const done = await recorded(client, fence, effect)
    if (done) return done.result as R
    const result = await body(client)
    await client.query(
      `INSERT INTO heddle.applied (run, step, verb, key, product, lane, epoch, result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        fence.run,
        fence.step,
        effect.verb,
        effect.key ?? '',
        fence.product,
        fence.lane,
        fence.epoch,
        JSON.stringify(result ?? null),
      ],
    )
    return result
  })
}

/** A guarded transaction whose effect is idempotent by nature and is not recorded (it holds a secret, or is one half of a recorded one). */
export async function guarded<R>(
  site: Site,
  context: EffectContext,
  doing: string,
  body: (client: Session) => Promise<R>,
): Promise<R> {
  return transaction(site, { signal: context.signal, doing }, async (client) => {
    await checkLease(client, context.fence)
    return body(client)
  })
}

/** The recorded result of an effect, looked up before doing the parts that cannot be in its transaction. */
export async function alreadyDone(site: Site, context: EffectContext, effect: Effect): Promise<{ result: unknown } | null> {
  return transaction(site, { signal: context.signal, doing: effect.doing }, async (client) => {
    await checkLease(client, context.fence)
    return recorded(client, context.fence, effect)
  })
}

async function recorded(client: Session, fence: Fence, effect: Effect): Promise<{ result: unknown } | null> {
  const { rows } = await client.query<{ result: unknown }>(
    `SELECT result FROM heddle.applied WHERE run = $1 AND step = $2 AND verb = $3 AND key = $4`,
    [fence.run, fence.step, effect.verb, effect.key ?? ''],
  )
  return rows[0] ?? null
}

/** Holds the lease row until the transaction ends (shared: verbs of one worker do not wait for each other) and names the session by its epoch. */
async function checkLease(client: Session, fence: Fence): Promise<void> {
  await client.query(`SELECT set_config('application_name', $1, true)`, [sessionName(fence)])
  const { rows } = await client.query<{ epoch: string }>(
    `SELECT epoch FROM heddle.lease WHERE product = $1 AND lane = $2 FOR SHARE`,
    [fence.product, fence.lane],
  )
  const held = rows[0] ? Number(rows[0].epoch) : null
  if (held !== null && held > fence.epoch)
    throw fail('WAREHOUSE_FENCE_STALE', {
      what: `Run ${fence.run} has lost lane ${fence.lane}`,
      why: `It holds epoch ${fence.epoch}; epoch ${held} was taken since.`,
    })
  if (held !== fence.epoch)
    await client.query(
      `INSERT INTO heddle.lease (product, lane, epoch, run) VALUES ($1, $2, $3, $4)
       ON CONFLICT (product, lane) DO UPDATE SET epoch = excluded.epoch, run = excluded.run, taken_at = now() WHERE heddle.lease.epoch < excluded.epoch`,
      [fence.product, fence.lane, fence.epoch, fence.run],
    )
}

/** At most 63 bytes, or PostgreSQL would cut it: by it a take-over finds sessions of earlier epochs. */
export function sessionName(fence: Pick<Fence, 'product' | 'lane' | 'epoch'>): string {
  return `${laneName(fence)}:${fence.epoch}`
}

export function laneName({ product, lane }: Pick<Fence, 'product' | 'lane'>): string {
  return `heddle:${product.replaceAll('-', '')}:${createHash('sha256').update(lane).digest('hex').slice(0, 8)}`
}
