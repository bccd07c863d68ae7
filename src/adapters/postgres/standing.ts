import { productNames } from '../../core/names.ts'
import type { Place, Standing } from '../../platform/warehouse.ts'
import { ask, type Site } from './session.ts'

/** Schemas that carry the product's tag, or one of its names: by the registry's own numbers, also those that lost their comment. */
const SCHEMAS = `SELECT n.oid, n.nspname AS name FROM pg_namespace n
  CROSS JOIN LATERAL (SELECT obj_description(n.oid, 'pg_namespace') AS comment) c
  WHERE CASE WHEN c.comment IS JSON OBJECT THEN c.comment::jsonb ->> 'heddle' = $1::text ELSE false END
    OR n.nspname = ANY ($2) OR n.nspname ~ $3
    OR EXISTS (SELECT FROM heddle.revision r WHERE r.product = $1::text::uuid AND (n.nspname = r.port OR n.nspname = r.port || '__r' || r.n))`
const ROLES = `SELECT r.oid, r.rolname AS name FROM pg_roles r
  CROSS JOIN LATERAL (SELECT shobj_description(r.oid, 'pg_authid') AS comment) c
  WHERE (CASE WHEN c.comment IS JSON OBJECT THEN c.comment::jsonb ->> 'heddle' = $1::text ELSE false END AND r.rolname LIKE $2) OR r.rolname = ANY ($3)`

/** What stands of a product, asked of the catalogs of the server and not of what we believe. */
export async function readStanding(site: Site, place: Place): Promise<Standing> {
  const names = productNames(site.environment, place.domain, place.product)
  const ofSchemas = [place.id, [names.private, names.build], `^${names.private}__r[0-9]+$`]
  const ofRoles = [place.id, `${site.environment.replaceAll('_', '\\_')}\\_\\_%`, Object.values(names.role)]
  const listed = async (sql: string, values: unknown[]) =>
    (await ask<{ name: string }>(site, sql, values)).map(({ name }) => name)
  const schemas = await listed(`SELECT name FROM (${SCHEMAS}) AS s ORDER BY name`, ofSchemas)
  const [relations] = await ask<{ n: string }>(
    site,
    `SELECT count(*) AS n FROM pg_class c WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND c.relnamespace IN (SELECT oid FROM (${SCHEMAS}) AS s)`,
    ofSchemas,
  )
  return {
    schemas,
    relations: Number(relations!.n),
    roles: await listed(`SELECT name FROM (${ROLES}) AS r ORDER BY name`, ofRoles),
    functions: await listed(
      `SELECT format('%s.%s()', n.nspname, p.proname) AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
       CROSS JOIN LATERAL (SELECT obj_description(p.oid, 'pg_proc') AS comment) c
       WHERE n.nspname = 'heddle_usage' AND CASE WHEN c.comment IS JSON OBJECT THEN c.comment::jsonb ->> 'heddle' = $1 ELSE false END ORDER BY 1`,
      [place.id],
    ),
    grants: await listed(
      `SELECT format('%s → %s', p.rolname, pg_get_userbyid(m.member)) AS name FROM pg_auth_members m JOIN pg_roles p ON p.oid = m.roleid
       WHERE EXISTS (SELECT FROM (${ROLES}) AS r WHERE r.oid IN (m.roleid, m.member)) ORDER BY 1`,
      ofRoles,
    ),
    sessions: await listed(
      `SELECT DISTINCT a.usename::text AS name FROM pg_stat_activity a JOIN (${ROLES}) AS r ON r.oid = a.usesysid ORDER BY 1`,
      ofRoles,
    ),
    registry: await listed(
      `SELECT 'product' AS name FROM heddle.product WHERE id = $1::text::uuid
       UNION ALL SELECT 'login ' || role FROM heddle.login WHERE holder = $1::text
       UNION ALL SELECT 'attribute ' || role || ' ' || name FROM heddle.attribute WHERE role = ANY ($2)
       UNION ALL SELECT 'owner ' || login FROM heddle.owner WHERE product = $1::text::uuid
       UNION ALL SELECT 'keeper ' || role FROM heddle.keeper WHERE product = $1::text::uuid
       UNION ALL SELECT 'batch ' || relation FROM heddle.batch WHERE product = $1::text::uuid
       UNION ALL SELECT 'sealed ' || n FROM heddle.sealed WHERE product = $1::text::uuid
       UNION ALL SELECT format('served %s %s', port, n) FROM heddle.served WHERE product = $1::text::uuid
       UNION ALL SELECT 'counter ' || port FROM heddle.counter WHERE product = $1::text::uuid
       UNION ALL SELECT DISTINCT format('usage of %s by %s', port, reader) FROM heddle.usage
         WHERE port IN (SELECT port FROM heddle.revision WHERE product = $1::text::uuid) AND port NOT IN (SELECT port FROM heddle.counter WHERE product <> $1::text::uuid)
       ORDER BY 1`,
      [place.id, [names.role.service, names.role.prober]],
    ),
    dependents: await listed(
      `WITH ours AS (SELECT oid FROM (${SCHEMAS}) AS s)
       SELECT DISTINCT format('%s.%s', vn.nspname, v.relname) AS name
       FROM pg_class c JOIN ours ON ours.oid = c.relnamespace
       JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_rewrite'::regclass
       JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace
       WHERE v.relnamespace NOT IN (SELECT oid FROM ours) ORDER BY 1`,
      ofSchemas,
    ),
  }
}
