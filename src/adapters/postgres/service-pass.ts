import { fail } from '../../core/fail.ts'
import { productNames } from '../../core/names.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place, ServicePass } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { limitLogin } from './budgets.ts'
import { endSessions } from './end-sessions.ts'
import { guarded } from './fenced.ts'
import { newPassword, scramVerifier } from './scram.ts'
import type { Site } from './session.ts'

/** Opens the service login with a new password over an empty build schema. Not recorded: a caller that lost the password asks again and gets a new one. */
export async function openService(site: Site, place: Place, validMs: number, context: EffectContext): Promise<ServicePass> {
  const names = productNames(site.environment, place.domain, place.product)
  const service = names.role.service
  await shut(site, service, context)
  const password = newPassword()
  await guarded(site, context, `open ${service}`, async (client) => {
    const { fence } = context
    const { rowCount } = await client.query(
      'UPDATE heddle.product SET pass_lane = $2, pass_epoch = $3, pass_run = $4 WHERE id = $1',
      [place.id, fence.lane, fence.epoch, fence.run],
    )
    if (rowCount === 0)
      throw fail('WAREHOUSE_OBJECT_MISSING', { what: `${place.domain}/${place.product} has no roles in ${site.environment}` })
    await client.query('SELECT heddle.clear_build($1)', [place.id])
    await limitLogin(client, service, place.domain)
    // the server's clock decides when the password ends
    const { rows } = await client.query<{ until: string }>(`SELECT (now() + $1 * interval '1 ms')::text AS until`, [validMs])
    await client.query(
      `ALTER ROLE ${ident(service)} LOGIN PASSWORD ${literal(scramVerifier(password))} VALID UNTIL ${literal(rows[0]!.until)}`,
    )
  })
  return { host: site.host, port: site.port, database: site.database, schema: names.build, user: service, password }
}

export async function closeService(site: Site, place: Place, context: EffectContext): Promise<void> {
  const service = productNames(site.environment, place.domain, place.product).role.service
  // Not recorded: a step that is tried again has opened the login again, and it must be shut again.
  await shut(site, service, context)
  await guarded(site, context, `close ${service}`, async (client) => {
    await client.query('UPDATE heddle.product SET pass_lane = NULL, pass_epoch = NULL, pass_run = NULL WHERE id = $1', [place.id])
  })
}

/** No log-in, no password, no session left. */
export async function shut(site: Site, service: string, context: EffectContext): Promise<void> {
  await guarded(site, context, `shut ${service}`, async (client) => {
    await client.query(`ALTER ROLE ${ident(service)} NOLOGIN PASSWORD NULL VALID UNTIL '-infinity'`)
  })
  await endSessions(site, service)
}
