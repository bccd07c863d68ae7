import { sql } from 'kysely'
import { fail } from '../core/fail.ts'
import { newId } from '../core/id.ts'
import { json, type Queries } from '../store/control.ts'
import type { Cause, IncidentState } from '../store/schema.ts'

export type IncidentRow = {
  id: string
  number: number
  key: string
  product: string | null
  environment: string | null
  slo: string
  monitor: string | null
  state: IncidentState
  severity: 'page' | 'ticket'
  cause: Cause
  opened_at: Date
  acknowledged_at: Date | null
  acknowledged_by: string | null
  resolved_at: Date | null
}

/** The evaluator's own silence. */
export const PLATFORM_KEY = 'platform/evaluator'

/** @returns the new incident, or null when one with the key is open: the database keeps it at one */
export async function openIncident(
  queries: Queries,
  incident: Pick<IncidentRow, 'key' | 'product' | 'environment' | 'slo' | 'monitor' | 'severity' | 'cause' | 'opened_at'>,
): Promise<IncidentRow | null> {
  const row = await queries
    .insertInto('incident')
    .values({
      id: newId(),
      ...incident,
      cause: json(incident.cause),
      state: 'open',
      acknowledged_at: null,
      acknowledged_by: null,
      resolved_at: null,
    })
    .onConflict((conflict) => conflict.column('key').where('state', '<>', 'resolved').doNothing())
    .returningAll()
    .executeTakeFirst()
  return row ?? null
}

/** What is known of an open incident follows what is seen: its severity only rises. */
export async function updateIncident(
  queries: Queries,
  key: string,
  { severity, cause }: { severity: 'page' | 'ticket'; cause: Cause },
): Promise<void> {
  await queries
    .updateTable('incident')
    .set({ cause: json(cause), severity: severity === 'page' ? 'page' : sql<'page' | 'ticket'>`severity` })
    .where('key', '=', key)
    .where('state', '<>', 'resolved')
    .execute()
}

/** @returns the incident that ended, or null when none was open */
export async function resolveIncident(queries: Queries, key: string, at: Date): Promise<IncidentRow | null> {
  const row = await queries
    .updateTable('incident')
    .set({ state: 'resolved', resolved_at: at })
    .where('key', '=', key)
    .where('state', '<>', 'resolved')
    .returningAll()
    .executeTakeFirst()
  return row ?? null
}

/** Incidents whose service level is no longer promised end with it, and nobody is told. */
export async function resolveOrphans(queries: Queries, at: Date): Promise<number> {
  const done = await queries
    .updateTable('incident')
    .set({ state: 'resolved', resolved_at: at })
    .where('state', '<>', 'resolved')
    .where('product', 'is not', null)
    .where('monitor', 'is', null)
    .executeTakeFirst()
  return Number(done.numUpdatedRows)
}

export async function needIncident(queries: Queries, number: number): Promise<IncidentRow> {
  const row = await queries.selectFrom('incident').selectAll().where('number', '=', number).executeTakeFirst()
  if (row) return row
  throw fail('INCIDENT_UNKNOWN', { what: `There is no incident ${number}`, fix: 'heddle incidents' })
}

/** @throws INCIDENT_STATE_WRONG when it is over or somebody has it */
export async function acknowledgeIncident(queries: Queries, number: number, by: string, at: Date): Promise<IncidentRow> {
  const row = await queries
    .updateTable('incident')
    .set({ state: 'acknowledged', acknowledged_at: at, acknowledged_by: by })
    .where('number', '=', number)
    .where('state', '=', 'open')
    .returningAll()
    .executeTakeFirst()
  if (row) return row
  const { state, acknowledged_by } = await needIncident(queries, number)
  throw fail('INCIDENT_STATE_WRONG', {
    what: state === 'resolved' ? `Incident ${number} is over` : `${acknowledged_by} has acknowledged incident ${number}`,
  })
}

/** Newest first. */
export async function listIncidents(
  queries: Queries,
  filter: { product?: string; open?: boolean; before?: number; limit: number },
): Promise<IncidentRow[]> {
  let rows = queries.selectFrom('incident').selectAll().orderBy('number', 'desc').limit(filter.limit)
  if (filter.product) rows = rows.where('product', '=', filter.product)
  if (filter.open) rows = rows.where('state', '<>', 'resolved')
  if (filter.before) rows = rows.where('number', '<', filter.before)
  return rows.execute()
}

export async function openIncidents(queries: Queries, products: readonly string[]): Promise<IncidentRow[]> {
  if (products.length === 0) return []
  return queries
    .selectFrom('incident')
    .selectAll()
    .where('state', '<>', 'resolved')
    .where('product', 'in', [...products])
    .orderBy('number')
    .execute()
}
