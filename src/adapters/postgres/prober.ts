import type pg from 'pg'
import { productNames } from '../../core/names.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { newPassword, scramVerifier } from './scram.ts'
import { connectAs, type Site } from './session.ts'
import { translate } from './translate.ts'

const VALID = '1 minute'

/**
 * A session that is the product's prober from its log-in on: SQL of the contract must not be able to switch back to a platform role. It holds SELECT on
 * the product's sealed tables and nothing else, and is read-only.
 */
export async function asProber<R>(site: Site, place: Place, body: (client: pg.Client) => Promise<R>): Promise<R> {
  const login = productNames(site.environment, place.domain, place.product).role.prober
  const client = await openProber(site, login)
  try {
    await client.query('SET search_path = pg_catalog, pg_temp')
    await client.query('SET default_transaction_read_only = on')
    return await body(client)
  } finally {
    await client.end()
  }
}

/** Open for the moment of the log-in only; the session goes on after the login is shut. One at a time per product. */
async function openProber(site: Site, login: string): Promise<pg.Client> {
  const password = newPassword()
  const lock = await site.pool.connect()
  try {
    await lock.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [login])
    const { rows } = await lock.query<{ until: string }>(`SELECT (now() + interval '${VALID}')::text AS until`)
    await lock.query(
      `ALTER ROLE ${ident(login)} LOGIN PASSWORD ${literal(scramVerifier(password))} VALID UNTIL ${literal(rows[0]!.until)}`,
    )
    try {
      return await connectAs(site, { user: login, password })
    } finally {
      await lock.query(`ALTER ROLE ${ident(login)} NOLOGIN PASSWORD NULL`)
    }
  } catch (error) {
    throw translate(error, `log in as ${login}`)
  } finally {
    await lock.query('SELECT pg_advisory_unlock_all()').catch(() => undefined)
    lock.release()
  }
}
