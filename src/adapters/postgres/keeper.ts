import { ident } from '../../sql/quote.ts'
import type { Session } from './session.ts'

/**
 * Runs `body` with the keeper's rights inside the current transaction. The provisioner is no member of any keeper: the membership is granted by a definer
 * function that writes a line to the server's log, and is taken away before the transaction can commit.
 */
export async function asKeeper<R>(
  client: Session,
  product: string,
  why: string,
  body: (keeper: string) => Promise<R>,
): Promise<R> {
  const { rows } = await client.query<{ keeper: string }>('SELECT heddle.become_keeper($1, $2) AS keeper', [product, why])
  const keeper = rows[0]!.keeper
  await client.query(`SET LOCAL ROLE ${ident(keeper)}`)
  const result = await body(keeper)
  await client.query('RESET ROLE')
  await client.query('SELECT heddle.leave_keeper($1)', [product])
  return result
}
