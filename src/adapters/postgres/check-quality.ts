import type pg from 'pg'
import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { ERRORS } from '../../core/errors.ts'
import { fail } from '../../core/fail.ts'
import type { EffectContext } from '../../platform/resource.ts'
import type { Place, PlannedObject, Revision } from '../../platform/warehouse.ts'
import type { QualityRule } from '../../spec/types.ts'
import { ident, literal } from '../../sql/quote.ts'
import { asProber } from './prober.ts'
import type { Site } from './session.ts'
import { sqlstate } from './translate.ts'

export type QualityRequest = { place: Place; revision: Revision; objects: PlannedObject[]; context: EffectContext }

/** The contract's promises about values, measured by the prober on sealed tables. Reads only, so nothing is recorded. */
export async function checkQuality(site: Site, { place, revision, objects, context }: QualityRequest): Promise<Diagnostic[]> {
  const findings: Diagnostic[] = []
  await asProber(site, place, async (client) => {
    for (const object of objects) {
      const relation = revision.objects.find(({ name }) => name === object.name)?.relation
      if (!relation) continue
      context.signal.throwIfAborted()
      const from = relation.split('.').map(ident).join('.')
      findings.push(...(await checkColumns(client, object, from)))
      for (const rule of object.quality) {
        context.signal.throwIfAborted()
        findings.push(...(await checkRule(client, object, rule, from)))
      }
    }
  })
  return findings
}

function finding(code: ErrorCode, severity: Diagnostic['severity'], what: string, why: string): Diagnostic {
  return { code, severity, what, why, fix: ERRORS[code].remedy }
}

/** `required`, `unique` and `primaryKey`: one pass over the rows where all promises hold and no key has several columns. */
async function checkColumns(client: pg.Client, { name, columns }: PlannedObject, from: string): Promise<Diagnostic[]> {
  const required = columns.filter((column) => column.required || column.primaryKey).map((column) => column.name)
  const primary = columns.filter((column) => column.primaryKey).map((column) => column.name)
  const keys = [
    ...(primary.length > 0 ? [primary] : []),
    ...columns.filter((column) => column.unique && !column.primaryKey).map((column) => [column.name]),
  ]
  const single = keys.filter((key) => key.length === 1).map(([column]) => column!)
  const counts = [...required.map((column) => `count(*) FILTER (WHERE ${ident(column)} IS NULL)`), ...single.map(surplus)]
  const row = counts.length > 0 ? await numbers(client, `SELECT ${counts.join(', ')} FROM ${from}`) : []
  const missing = required
    .map((column, index) => ({ column, rows: row[index]! }))
    .filter(({ rows }) => rows > 0)
    .map(({ column, rows }) =>
      finding('VERIFY_VALUE_MISSING', 'error', `${name}.${column} is empty in ${rows} rows`, 'The contract says it is required.'),
    )
  const repeated: Diagnostic[] = []
  for (const key of keys) {
    const isKept = key.length === 1 && row[required.length + single.indexOf(key[0]!)] === 0
    const [values] = isKept ? [0] : await numbers(client, duplicates(key, from))
    if (values! > 0)
      repeated.push(
        finding(
          'VERIFY_VALUE_DUPLICATE',
          'error',
          `${name}.${key.join(', ')} has ${values} repeated values`,
          'The contract says it is unique.',
        ),
      )
  }
  return [...missing, ...repeated]
}

/** Rows beyond one per value. Sorting one column is several times faster than grouping by it, and nearly every key holds. */
function surplus(column: string): string {
  return `count(${ident(column)}) - count(DISTINCT ${ident(column)})`
}

function duplicates(columns: string[], from: string): string {
  const list = columns.map(ident).join(', ')
  const known = columns.map((column) => `${ident(column)} IS NOT NULL`).join(' AND ')
  return `SELECT count(*) FROM (SELECT FROM ${from} WHERE ${known} GROUP BY ${list} HAVING count(*) > 1) AS repeated`
}

async function checkRule(client: pg.Client, object: PlannedObject, rule: QualityRule, from: string): Promise<Diagnostic[]> {
  try {
    const value = await measure(client, rule, from)
    if (holds(rule, value)) return []
    // the number of a rule in SQL can be a value of a row; counts cannot
    const measured = rule.check.kind === 'library' ? `${rule.check.metric} is ${value}` : 'the measured number is outside'
    return [finding('VERIFY_QUALITY_FAILED', rule.severity, `${object.name}: rule ${rule.id}`, `${measured}; it ${words(rule)}.`)]
  } catch (error) {
    return [
      finding(
        'VERIFY_QUALITY_BROKEN',
        'error',
        `${object.name}: rule ${rule.id} was not measured`,
        `SQLSTATE ${sqlstate(error) ?? 'none: no number came back'}`,
      ),
    ]
  }
}

async function measure(client: pg.Client, rule: QualityRule, from: string): Promise<number> {
  if (rule.check.kind === 'library' && rule.check.metric === 'duplicateValues')
    return countRepeated(client, rule.check.columns, from)
  return (await numbers(client, queryOf(rule, from)))[0]!
}

async function countRepeated(client: pg.Client, columns: string[], from: string): Promise<number> {
  if (columns.length === 1 && (await numbers(client, `SELECT ${surplus(columns[0]!)} FROM ${from}`))[0] === 0) return 0
  return (await numbers(client, duplicates(columns, from)))[0]!
}

function queryOf(rule: QualityRule, from: string): string {
  if (rule.check.kind === 'sql') return rule.check.query.replaceAll(`\${object}`, () => from)
  const { metric, columns, validValues } = rule.check
  const any = (test: (column: string) => string) => columns.map((column) => test(ident(column))).join(' OR ')
  switch (metric) {
    case 'rowCount':
      return `SELECT count(*) FROM ${from}`
    case 'nullValues':
      return `SELECT count(*) FROM ${from} WHERE ${any((column) => `${column} IS NULL`)}`
    case 'missingValues':
      return `SELECT count(*) FROM ${from} WHERE ${any((column) => `${column} IS NULL OR btrim(${column}::text) = ''`)}`
    case 'invalidValues': {
      const list = (validValues ?? []).map(literal).join(', ')
      return `SELECT count(*) FROM ${from} WHERE ${any((column) => (list ? `${column}::text NOT IN (${list})` : `${column} IS NOT NULL`))}`
    }
    case 'duplicateValues':
      return duplicates(columns, from)
    default:
      return metric satisfies never
  }
}

/** Extended protocol: one statement only, whatever the text holds. */
async function numbers(client: pg.Client, text: string): Promise<number[]> {
  const { rows } = await client.query<unknown[]>({ text, rowMode: 'array', queryMode: 'extended' } as pg.QueryArrayConfig)
  const row = rows.length === 1 ? rows[0]!.map((value) => (value === null || value === '' ? Number.NaN : Number(value))) : []
  if (row.length === 0 || row.some(Number.isNaN))
    throw fail('VERIFY_QUALITY_BROKEN', { what: 'The measurement did not give one row of numbers' })
  return row
}

function holds({ operator, operands: [a = 0, b = 0] }: QualityRule, value: number): boolean {
  switch (operator) {
    case 'mustBe':
      return value === a
    case 'mustNotBe':
      return value !== a
    case 'mustBeGreaterThan':
      return value > a
    case 'mustBeGreaterOrEqualTo':
      return value >= a
    case 'mustBeLessThan':
      return value < a
    case 'mustBeLessOrEqualTo':
      return value <= a
    case 'mustBeBetween':
      return value >= a && value <= b
    case 'mustNotBeBetween':
      return value < a || value > b
    default:
      return operator satisfies never
  }
}

function words({ operator, operands }: QualityRule): string {
  return `${operator.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${operands.join(' and ')}`
}
