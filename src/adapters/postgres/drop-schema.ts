import { fail } from '../../core/fail.ts'
import { ident } from '../../sql/quote.ts'
import type { Session } from './session.ts'

/** Views outside the schema that stand on something in it: dropping would need CASCADE, which is never done. */
export async function readDependents(client: Session, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT format('%s.%s', vn.nspname, v.relname) AS name
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass
     JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace
     WHERE n.nspname = $1 AND v.relnamespace <> c.relnamespace ORDER BY 1`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

/** Drops views, then tables, then the schema; its owner may do that whoever owns them. @throws WAREHOUSE_OBJECT_USED */
export async function dropSchema(client: Session, schema: string): Promise<void> {
  const dependents = await readDependents(client, schema)
  if (dependents.length > 0)
    throw fail('WAREHOUSE_OBJECT_USED', {
      what: `Schema ${schema} cannot go`,
      why: `On it stand ${dependents.slice(0, 5).join(', ')}.`,
    })
  for (const [kind, noun] of [
    ['v', 'VIEW'],
    ['r', 'TABLE'],
  ]) {
    const { rows } = await client.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = $2`,
      [schema, kind],
    )
    if (rows.length > 0)
      await client.query(`DROP ${noun} ${rows.map(({ name }) => `${ident(schema)}.${ident(name)}`).join(', ')} RESTRICT`)
  }
  await client.query(`DROP SCHEMA ${ident(schema)} RESTRICT`)
}
