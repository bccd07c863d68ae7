import type pg from 'pg'
import { productNames } from '../../core/names.ts'
import type { Place } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { newPassword, scramVerifier } from './scram.ts'
import { connectAs, type Site, transaction } from './session.ts'
import { sqlstate, translate } from './translate.ts'

const VALID = '1 minute'
const TRIES = 8

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

/** Open for the moment of the log-in only; the session goes on after the login is shut. Two at once can void each other's password: they try again. */
async function openProber(site: Site, login: string): Promise<pg.Client> {
  for (let attempt = 1; ; attempt++) {
    const password = newPassword()
    try {
      await transaction(site, { doing: `open ${login}` }, async (client) => {
        const { rows } = await client.query<{ until: string }>(`SELECT (now() + interval '${VALID}')::text AS until`)
        await client.query(
          `ALTER ROLE ${ident(login)} LOGIN PASSWORD ${literal(scramVerifier(password))} VALID UNTIL ${literal(rows[0]!.until)}`,
        )
      })
      return await connectAs(site, { user: login, password })
    } catch (error) {
      if (attempt === TRIES || !['28P01', '28000'].includes(sqlstate(error) ?? '')) throw translate(error, `log in as ${login}`)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * attempt))
    } finally {
      await transaction(
        site,
        { doing: `shut ${login}` },
        async (client) => void (await client.query(`ALTER ROLE ${ident(login)} NOLOGIN PASSWORD NULL`)),
      )
    }
  }
}
