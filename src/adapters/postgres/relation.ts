import { ident } from '../../sql/quote.ts'

/** `schema.table`, as manifests hold it, in SQL. Our names have no dots. */
export function relationSql(relation: string): string {
  return relation.split('.').map(ident).join('.')
}
