import { ident } from '../../sql/quote.ts'
import type { Session } from './session.ts'

/** The readers of a subject's login, given as $1: what ends for the login ends for them. */
export const READERS_OF = `SELECT l.role FROM heddle.login l WHERE l.kind = 'reader'
  AND l.holder = (SELECT s.holder FROM heddle.login s WHERE s.role = $1 AND s.kind = 'subject')`

export async function shutReaders(client: Session, own: string): Promise<void> {
  const { rows } = await client.query<{ role: string }>(READERS_OF, [own])
  for (const { role } of rows) {
    // Else a proof that has borrowed it would put back what is taken here.
    await client.query('SELECT heddle.return_login($1, NULL)', [role])
    await client.query(`ALTER ROLE ${ident(role)} NOLOGIN PASSWORD NULL VALID UNTIL '-infinity'`)
  }
}
