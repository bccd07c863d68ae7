import type { ProductNames } from '../../core/names.ts'
import { type ExemptionSql, type MaskSql, renderFilter, renderMask, renderRowFilter } from '../../policy/render-postgres.ts'
import type { Mask, ProductRole, RowFilter } from '../../policy/types.ts'
import { ident, literal } from '../../sql/quote.ts'

export type PolicyNames = { roles: ProductNames['role']; portRole: string; domain: string }
/** Column → its type as `format_type` writes it without modifiers. */
export type ColumnTypes = ReadonlyMap<string, string>

/** For USING of a policy `TO` the keeper: its subqueries are checked as the keeper, `current_user` is the reader. */
export function filterSql(filter: RowFilter, names: PolicyNames, types: ColumnTypes): string {
  return renderRowFilter(filter, readerSql(names, types))
}

/** What a served view selects instead of the column. */
export function maskSql(mask: Mask, names: PolicyNames, types: ColumnTypes): string {
  return renderMask(mask, ident(mask.column), maskContext(mask, names, types))
}

/** The mask as if nobody were exempt, over any expression: proofs use it. */
export function bareMaskSql(mask: Mask, expression: string, names: PolicyNames, types: ColumnTypes): string {
  return renderMask({ ...mask, exempt: [] }, expression, maskContext(mask, names, types))
}

/** The filter's condition for a reader whose attributes are given: proofs compare with it. A missing attribute is NULL, as in the table. */
export function filterForSql(filter: RowFilter, attributes: ReadonlyMap<string, string[]>, types: ColumnTypes): string {
  return renderFilter(filter.condition, {
    type: (column) => logicalType(types.get(column)),
    attribute: (name) => {
      const values = attributes.get(name)
      return values === undefined ? 'NULL' : `ARRAY[${values.map(literal).join(', ')}]::text[]`
    },
  })
}

/** Roles of the product that an exemption names, as PostgreSQL roles. Every reader of the port is a consumer. */
export function rolesOf(role: ProductRole, { roles, portRole }: PolicyNames): string[] {
  return role === 'consumer' ? [roles.consumer, portRole] : [roles[role]]
}

function readerSql(names: PolicyNames, types: ColumnTypes): ExemptionSql {
  return {
    type: (column) => logicalType(types.get(column)),
    attribute: (name) => `SELECT a.vals FROM heddle.attribute a WHERE a.role = current_user AND a.name = ${literal(name)}`,
    role: (role) =>
      `SELECT ${rolesOf(role, names)
        .map((one) => `pg_has_role(current_user, ${literal(one)}, 'USAGE')`)
        .join(' OR ')}`,
  }
}

/** HMAC-SHA256 by its definition over built-ins: needs no extension. The pads are read by the keeper's right, once per statement. */
function maskContext(mask: Mask, names: PolicyNames, types: ColumnTypes): MaskSql {
  const pad = (which: string) => `(SELECT k.${which} FROM heddle.mask_key k WHERE k.domain = ${literal(names.domain)})`
  return {
    ...readerSql(names, types),
    logicalType: logicalType(types.get(mask.column)),
    hash: (text) => `encode(sha256(${pad('outer_pad')} || sha256(${pad('inner_pad')} || convert_to(${text}, 'UTF8'))), 'hex')`,
  }
}

function logicalType(type: string | undefined): string {
  switch (type) {
    case 'date':
      return 'date'
    case 'timestamp with time zone':
    case 'timestamp without time zone':
      return 'timestamp'
    case 'smallint':
    case 'integer':
    case 'bigint':
      return 'integer'
    case 'numeric':
    case 'real':
    case 'double precision':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'text':
    case 'character varying':
    case 'character':
    case undefined:
      return 'string'
    default:
      return type
  }
}
