import { productNames, subjectLogin } from '../../core/names.ts'
import type { PortPlace } from '../../platform/warehouse.ts'
import type { Exemption } from '../../policy/types.ts'
import { ident } from '../../sql/quote.ts'
import type { BuiltObject } from './build-served.ts'
import { bareMaskSql, filterForSql, type PolicyNames, rolesOf } from './policy-sql.ts'
import { asProber } from './prober.ts'
import type { Proving } from './prove.ts'
import { relationSql } from './relation.ts'
import { ask, type Site } from './session.ts'
import { sqlstate, translate } from './translate.ts'

/** A mask is one expression for every row, so this many rows tell; counting every HMAC of a large table takes seconds. */
const SAMPLE = 10_000

export type Reading = { at: PortPlace; subject: string; schema: string; object: BuiltObject }

/** What the subject sees of a masked column: counted, never read. A value passes when masking it would give what stands there. */
export async function proveMasked(
  site: Site,
  { client, add }: Proving,
  { at, schema, object }: Reading,
  column: string,
): Promise<void> {
  const what = `see ${schema}.${object.name}.${column} masked`
  const mask = object.masks.find((one) => one.column === column)
  if (!mask) {
    add({ what, expected: 'masked', ok: false, sqlstate: null, detail: 'No mask is built on the column.' })
    return
  }
  const shown = ident(column)
  const bare =
    mask.method === 'hash'
      ? `${shown} IS NULL OR ${shown}::text ~ '^[0-9a-f]{64}$'`
      : `${shown}::text IS NOT DISTINCT FROM (${bareMaskSql(mask, shown, policyNames(site, at), new Map(Object.entries(object.types)))})::text`
  try {
    const { rows } = await client.query<{ bare: string; total: string }>(
      `SELECT count(*) FILTER (WHERE NOT coalesce(${bare}, false)) AS bare, count(*) AS total
       FROM (SELECT ${shown} FROM ${ident(schema)}.${ident(object.name)} LIMIT ${SAMPLE}) AS sample`,
    )
    const { bare: open, total } = rows[0]!
    add({
      what,
      expected: 'masked',
      ok: Number(open) === 0,
      sqlstate: null,
      detail:
        Number(open) === 0
          ? `All of ${total} rows tried show the mask (${mask.method}).`
          : `${open} of ${total} rows tried do not show the mask.`,
    })
  } catch (error) {
    add({ what, expected: 'masked', ok: false, sqlstate: sqlstate(error), detail: 'It could not be counted.' })
  }
}

/** The subject sees exactly the rows its attributes allow: its own count against the prober's count of the condition on the sealed table. */
export async function proveRows(site: Site, { client, add }: Proving, { at, subject, schema, object }: Reading): Promise<void> {
  if (object.rowFilters.length === 0) return
  const what = `see only allowed rows of ${schema}.${object.name}`
  try {
    const attributes = await readAttributes(site, subject)
    const types = new Map(Object.entries(object.types))
    const names = policyNames(site, at)
    const conditions: string[] = []
    for (const filter of object.rowFilters)
      if (!(await isExempt(site, subjectLogin(site.environment, subject), filter.exempt, attributes, names)))
        conditions.push(`(${filterForSql(filter, attributes, types)})`)
    const where = conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
    const [allowed, all] = await asProber(site, at.place, async (prober) => {
      const { rows } = await prober.query<{ allowed: string; every: string }>(
        `SELECT (SELECT count(*) FROM ${relationSql(object.relation)}${where}) AS allowed, (SELECT count(*) FROM ${relationSql(object.relation)}) AS every`,
      )
      return [Number(rows[0]!.allowed), Number(rows[0]!.every)]
    })
    const { rows } = await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${ident(schema)}.${ident(object.name)}`)
    const seen = Number(rows[0]!.n)
    add({
      what,
      expected: 'filtered',
      ok: seen === allowed,
      sqlstate: null,
      detail: `Sees ${seen} of ${all} rows; ${allowed} are allowed.`,
    })
  } catch (error) {
    add({ what, expected: 'filtered', ok: false, sqlstate: sqlstate(error), detail: translate(error, what).message })
  }
}

function policyNames(site: Site, { place, port, major }: PortPlace): PolicyNames {
  const names = productNames(site.environment, place.domain, place.product)
  return { roles: names.role, portRole: names.portRole(port, major), domain: place.domain }
}

async function readAttributes(site: Site, subject: string): Promise<Map<string, string[]>> {
  const rows = await ask<{ name: string; vals: string[] }>(site, 'SELECT name, vals FROM heddle.attribute WHERE role = $1', [
    subjectLogin(site.environment, subject),
  ])
  return new Map(rows.map(({ name, vals }) => [name, vals]))
}

async function isExempt(
  site: Site,
  login: string,
  exempt: Exemption[],
  attributes: ReadonlyMap<string, string[]>,
  names: PolicyNames,
): Promise<boolean> {
  for (const one of exempt) {
    if ('attribute' in one) {
      if (attributes.get(one.attribute)?.includes(one.equals)) return true
      continue
    }
    const [row] = await ask<{ has: boolean }>(
      site,
      `SELECT coalesce(bool_or(pg_has_role($1, r.oid, 'USAGE')), false) AS has FROM pg_roles r WHERE r.rolname = ANY ($2)`,
      [login, rolesOf(one.role, names)],
    )
    if (row?.has) return true
  }
  return false
}
