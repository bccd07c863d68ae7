import { sql } from 'kysely'
import { hashOf } from '../core/canonical.ts'
import { fail } from '../core/fail.ts'
import { newId } from '../core/id.ts'
import type { Proof } from '../platform/warehouse.ts'
import { json, type Queries } from '../store/control.ts'
import type { AgreementState } from '../store/schema.ts'

export type AgreementRow = {
  id: string
  number: number
  request: string
  product: string
  environment: string
  port: string
  major: number
  offer: string
  terms: Record<string, unknown>
  terms_hash: string
  subject: string
  purpose: string
  state: AgreementState
  starts_at: Date | null
  ends_at: Date
  ended_because: string | null
}

export async function insertAgreement(
  queries: Queries,
  agreement: Pick<
    AgreementRow,
    'request' | 'product' | 'environment' | 'port' | 'major' | 'offer' | 'terms' | 'subject' | 'purpose' | 'ends_at'
  >,
): Promise<AgreementRow> {
  return queries
    .insertInto('agreement')
    .values({
      id: newId(),
      ...agreement,
      terms: json(agreement.terms),
      terms_hash: hashOf(agreement.terms),
      state: 'applying',
      starts_at: null,
      ended_because: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function needAgreement(queries: Queries, by: { number: number } | { id: string }): Promise<AgreementRow> {
  const all = queries.selectFrom('agreement').selectAll()
  const row = await ('number' in by ? all.where('number', '=', by.number) : all.where('id', '=', by.id)).executeTakeFirst()
  if (!row)
    throw fail('AGREEMENT_UNKNOWN', {
      what: `There is no agreement ${'number' in by ? by.number : by.id}`,
      fix: 'heddle access ls',
    })
  return row
}

export async function agreementOfRequest(queries: Queries, request: string): Promise<AgreementRow | null> {
  return (await queries.selectFrom('agreement').selectAll().where('request', '=', request).executeTakeFirst()) ?? null
}

export async function setAgreementState(
  queries: Queries,
  id: string,
  state: AgreementState,
  because: string | null = null,
): Promise<void> {
  await queries
    .updateTable('agreement')
    .set({
      state,
      updated_at: new Date(),
      ...(state === 'active' && { starts_at: new Date() }),
      ...(because !== null && { ended_because: because }),
    })
    .where('id', '=', id)
    .execute()
}

export async function listAgreements(queries: Queries, filter: { product?: string; subject?: string }): Promise<AgreementRow[]> {
  let rows = queries.selectFrom('agreement').selectAll().orderBy('number', 'desc')
  if (filter.product) rows = rows.where('product', '=', filter.product)
  if (filter.subject) rows = rows.where('subject', '=', filter.subject)
  return rows.execute()
}

/** Agreements that grant something now. */
export async function activeAgreements(queries: Queries, product: string, environment: string): Promise<AgreementRow[]> {
  return queries
    .selectFrom('agreement')
    .selectAll()
    .where('product', '=', product)
    .where('environment', '=', environment)
    .where('state', 'in', ['active', 'expiring'])
    .orderBy('number')
    .execute()
}

/** Those that grant something or are about to, in every environment. */
export async function openAgreements(queries: Queries, product: string): Promise<AgreementRow[]> {
  return queries
    .selectFrom('agreement')
    .selectAll()
    .where('product', '=', product)
    .where('state', 'in', ['approved', 'applying', 'active', 'expiring'])
    .orderBy('number')
    .execute()
}

/** What the product, as a consumer, holds of others: its roles are gone, so nothing is granted by them any more. */
export async function endAgreementsOf(queries: Queries, subject: string, because: string): Promise<number> {
  const done = await queries
    .updateTable('agreement')
    .set({ state: 'revoked', ended_because: because, updated_at: new Date() })
    .where('subject', '=', subject)
    .where('state', '=', 'active')
    .executeTakeFirst()
  return Number(done.numUpdatedRows)
}

/** Does another agreement give the same subject the same port? Then the end of this one takes nothing away. */
export async function isHeldByAnother(queries: Queries, agreement: AgreementRow): Promise<boolean> {
  const others = await queries
    .selectFrom('agreement')
    .select('id')
    .where('product', '=', agreement.product)
    .where('environment', '=', agreement.environment)
    .where('port', '=', agreement.port)
    .where('major', '=', agreement.major)
    .where('subject', '=', agreement.subject)
    .where('state', '=', 'active')
    .where('id', '<>', agreement.id)
    .execute()
  return others.length > 0
}

/** Active ones whose time is over; each is taken by moving it on, so two processes never expire one twice. */
export async function takeDueAgreements(queries: Queries, now: Date): Promise<AgreementRow[]> {
  return queries
    .updateTable('agreement')
    .set({ state: 'expiring', updated_at: now })
    .where('state', '=', 'active')
    .where('ends_at', '<=', now)
    .returningAll()
    .execute()
}

export async function putEvidence(
  queries: Queries,
  evidence: { agreement: string; run: string; expect: 'granted' | 'revoked'; proofs: Proof[] },
): Promise<void> {
  await queries
    .insertInto('evidence')
    .values({ id: newId(), ...evidence, proofs: json(evidence.proofs) })
    .onConflict((conflict) =>
      conflict.columns(['run', 'agreement', 'expect']).doUpdateSet({ proofs: json(evidence.proofs), at: new Date() }),
    )
    .execute()
}

export async function listEvidence(
  queries: Queries,
  agreement: string,
): Promise<{ expect: 'granted' | 'revoked'; at: Date; run: number; proofs: Proof[] }[]> {
  const rows = await queries
    .selectFrom('evidence')
    .innerJoin('run', 'run.id', 'evidence.run')
    .select(['evidence.expect', 'evidence.at', 'run.number as run', 'evidence.proofs'])
    .where('agreement', '=', agreement)
    .orderBy('evidence.at')
    .execute()
  return rows.map((row) => ({ ...row, proofs: row.proofs as Proof[] }))
}

/** How many consumers of each product hold an active agreement, in whatever environment. */
export async function countConsumers(queries: Queries, products: readonly string[]): Promise<Map<string, number>> {
  if (products.length === 0) return new Map()
  const rows = await queries
    .selectFrom('agreement')
    .select(['product', sql<number>`count(distinct subject)`.as('consumers')])
    .where('product', 'in', [...products])
    .where('state', 'in', ['active', 'expiring'])
    .groupBy('product')
    .execute()
  return new Map(rows.map((row) => [row.product, row.consumers]))
}
