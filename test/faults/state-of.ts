import { join } from 'node:path'
import type pg from 'pg'
import { chainHash } from '../../src/store/audit.ts'
import type { TestPlatform } from '../platform.ts'
import { until } from './world.ts'

/** Everything a product has become, in the control database, the warehouse and git, with ids, times and its own name taken out. */
export type ProductState = Record<string, unknown>

/** Wait until the product's runs have ended before this is asked. */
export async function stateOf(platform: TestPlatform, address: string, environment = 'prod'): Promise<ProductState> {
  const [control, warehouse] = await Promise.all([platform.control(), platform.warehouse(environment)])
  try {
    const found = await rowsOf(control, `select * from product where domain || '/' || name = $1`, [address])
    const id = found[0]!.id as string
    const runs = await rowsOf(control, 'select id from run where product = $1 order by number', [id])
    await until('the outbox is drained', 10, async () => {
      const open = await rowsOf(warehouse, 'select from heddle.outbox where product = $1 and acknowledged_at is null', [id])
      return open.length === 0
    })
    const state = {
      control: await controlState(control, id, address),
      files: await repositoryFiles(platform, id),
      warehouse: await warehouseState(warehouse, id, address),
    }
    return JSON.parse(
      normalise(
        JSON.stringify(state),
        address,
        id,
        runs.map((run) => run.id as string),
      ),
    ) as ProductState
  } finally {
    await Promise.all([control.end(), warehouse.end()])
  }
}

async function rowsOf(client: pg.Client, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await client.query(sql, values)).rows
}

async function controlState(client: pg.Client, id: string, address: string) {
  const domain = address.split('/')[0]
  const ask = (sql: string) => rowsOf(client, sql, [id])
  return {
    product: await ask('select domain, name, title, owner, state from product where id = $1'),
    requests: await rowsOf(client, `select kind, state from request where payload->>'domain' = $1 order by number`, [domain]),
    runs: await ask(
      'select kind, environment, lane, state, by, commit_id is not null as pinned, problem from run where product = $1 order by number',
    ),
    steps: await ask(
      'select dense_rank() over (order by r.number) as run, s.id, s.state, s.result, s.problem from step s join run r on r.id = s.run where r.product = $1 order by r.number, s.ordinal',
    ),
    releases: await ask(
      'select environment, number, label, revision, current, spec, run from release where product = $1 order by environment, number',
    ),
    deployed: await ask(
      'select r.commit_id = h.commit_id as head from release r join handled_push h using (product) where product = $1 and current order by environment',
    ),
    inventory: await rowsOf(
      client,
      'select environment, address, kind, generation, observed, run from inventory where product = $1 or address like $2 order by environment, address',
      [id, `${domain}#%`],
    ),
    batches: await ask(
      'select environment, component, table_name, relation, rows, bytes, run from batch where product = $1 order by relation',
    ),
    publications: await ask('select environment, payload from publication where product = $1 order by at'),
    entry: await ask('select community, state, document, run from entry where product = $1'),
    community: await rowsOf(client, 'select domain, title from community where domain = $1', [domain]),
    namespace: await rowsOf(client, 'select domain from namespace where domain = $1', [domain]),
    monitors: await ask(
      'select environment, namespace, port, object, kind, level, run from monitor where product = $1 order by port, object, kind',
    ),
  }
}

async function repositoryFiles(platform: TestPlatform, id: string): Promise<string[]> {
  const listed = await platform.git(
    ['--git-dir', join(platform.data, 'repos', `${id}.git`), 'ls-tree', '-r', '--name-only', 'main'],
    '/',
  )
  if (listed.status !== 0) throw new Error(listed.stderr)
  const commits = await platform.git(['--git-dir', join(platform.data, 'repos', `${id}.git`), 'rev-list', '--count', 'main'], '/')
  return [`${commits.stdout.trim()} commits`, ...listed.stdout.trim().split('\n')]
}

/** Sorted, because the order of an ACL's items is the order in which they were granted. */
const ACL = (column: string) => `(select array_agg(a::text order by a::text) from unnest(${column}) a)`

async function warehouseState(client: pg.Client, id: string, address: string) {
  const base = address.replace('/', '_').replaceAll('-', '_')
  const [domain, name] = address.split('/').map((part) => part.replaceAll('-', '_'))
  const schemas = `n.nspname like '${base}%'`
  const roles = `(r.rolname like 'prod\\_\\_${domain}\\_\\_${name}\\_\\_%' or r.rolname like 'prod\\_\\_${base}%')`
  const ask = (sql: string) => rowsOf(client, sql)
  const ours = (table: string, columns: string, order: string) =>
    rowsOf(client, `select ${columns} from heddle.${table} where product = $1 order by ${order}`, [id])
  const relations =
    await ask(`select n.nspname as schema, c.relname as name, c.relkind as kind, pg_get_userbyid(c.relowner) as owner, ${ACL('c.relacl')} as acl,
    c.relrowsecurity as rls, c.relforcerowsecurity as forced, obj_description(c.oid, 'pg_class') as comment,
    case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
    (select array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text || ' ' || coalesce(a.attacl::text, '') order by a.attnum)
       from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${schemas} and c.relkind <> 'i' order by 1, 2`)
  const rows: Record<string, unknown> = {}
  for (const { schema, name: table, kind } of relations) {
    if (kind !== 'r') continue
    const counted = await ask(
      `select count(*) as n, md5(string_agg(t::text, ',' order by t::text)) as md5 from "${schema}"."${table}" t`,
    )
    rows[`${schema}.${table}`] = counted[0]
  }
  return {
    schemas: await ask(`select n.nspname as name, pg_get_userbyid(n.nspowner) as owner, ${ACL('n.nspacl')} as acl,
      obj_description(n.oid, 'pg_namespace') as comment from pg_namespace n where ${schemas} order by 1`),
    relations,
    rows,
    policies: await ask(`select p.schemaname, p.tablename, p.policyname, p.permissive, p.roles::text, p.cmd, p.qual, p.with_check
      from pg_policies p where p.schemaname like '${base}%' order by 1, 2, 3`),
    functions: await ask(
      `select n.nspname, p.proname, pg_get_userbyid(p.proowner) as owner from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${schemas} order by 1, 2`,
    ),
    roles:
      // A prober's login is open for the moment of a log-in, and a measurement comes with time and not with a run.
      await ask(`select r.rolname, r.rolcanlogin and not prober as rolcanlogin, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolconnlimit,
      case when prober then null else r.rolvaliduntil::text end as rolvaliduntil, a.rolpassword is not null and not prober as password, (select array_agg(s.setconfig order by s.setdatabase) from pg_db_role_setting s where s.setrole = r.oid)::text as settings,
      shobj_description(r.oid, 'pg_authid') as comment from pg_roles r join pg_authid a on a.oid = r.oid cross join lateral (select r.rolname like '%\\_\\_prober' as prober) as kind where ${roles} order by 1`),
    members:
      await ask(`select pg_get_userbyid(m.roleid) as role, pg_get_userbyid(m.member) as member, pg_get_userbyid(m.grantor) as grantor, m.admin_option, m.inherit_option, m.set_option
      from pg_auth_members m where exists (select from pg_roles r where r.oid in (m.roleid, m.member) and ${roles})
        -- Made by the first measurement of a monitor, which comes with time and not with a run.
        and not (pg_get_userbyid(m.member) like '%\\_\\_prober' and pg_get_userbyid(m.roleid) like '%\\_\\_read') order by 1, 2, 3`),
    sessions: await ask(
      `select usename, state from pg_stat_activity r where usename like 'prod\\_\\_${domain}\\_\\_${name}\\_\\_service'`,
    ),
    registry: await rowsOf(client, 'select domain, name, base, service, pass_lane, pass_run from heddle.product where id = $1', [
      id,
    ]),
    keeper: await ours('keeper', 'role', 'role'),
    logins: await rowsOf(client, 'select role, kind, domain from heddle.login where holder = $1 order by role', [id]),
    owners: await ours('owner', 'login, by_spec, by_request', 'login'),
    budget: await rowsOf(client, 'select connections, statement_ms, temp_file_bytes from heddle.budget where domain = $1', [
      address.split('/')[0],
    ]),
    lanes: await ours('lease', 'lane', 'lane'),
    // One row for each effect: more, and something happened twice; less, and something was lost.
    applied: await ours('applied', 'run, step, verb, key, lane, result', 'at, run, step, verb, key'),
    batches: await ours('batch', 'source, n, component, relation, rows', 'source, n'),
    sealed: await ours('sealed', 'n, objects', 'n'),
    served: await ours('served', 'port, n, port_name, major, revision, state, objects', 'port, n'),
    published: await ours('revision', 'port, n, revision, release', 'port, n'),
    outbox: await ours('outbox', 'kind, payload', 'id'),
    borrowed: await ask('select login from heddle.borrowed'),
  }
}

function normalise(text: string, address: string, id: string, runs: string[]): string {
  const [domain, name] = address.split('/') as [string, string]
  const sqlName = (part: string) => part.replaceAll('-', '_')
  let normal = text.replaceAll(id, 'ID').replaceAll(id.replaceAll('-', ''), 'ID')
  for (const [ordinal, run] of runs.entries()) normal = normal.replaceAll(run, `RUN${ordinal}`)
  return normal
    .replaceAll(domain, 'DOMAIN')
    .replaceAll(name, 'NAME')
    .replaceAll(sqlName(domain), 'DOMAIN')
    .replaceAll(sqlName(name), 'NAME')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/\b[0-9a-f]{40}\b/g, 'COMMIT')
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00)/g, 'TIME')
}

/** What one state has and the other has not, a line each: an empty list when they are the same. */
export function differences(actual: ProductState, expected: ProductState): string[] {
  const [is, should] = [linesOf(actual), linesOf(expected)]
  return [...without(is, should).map((line) => `+ ${line}`), ...without(should, is).map((line) => `- ${line}`)]
}

/** Elements of lists stand whole, without their place: lists are sorted by what they hold. */
function linesOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.map((element) => `${path}: ${JSON.stringify(element)}`)
  if (value === null || typeof value !== 'object') return [`${path}: ${JSON.stringify(value)}`]
  return Object.entries(value).flatMap(([key, inner]) => linesOf(inner, `${path}/${key}`))
}

function without(lines: string[], others: string[]): string[] {
  const left = [...others]
  return lines.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}

/**
 * What must hold of every product at every end, whatever happened: no effect without its journalled intent, every run ended, no way in left open, an unbroken
 * audit chain. @returns what does not hold, in words
 */
export async function brokenInvariants(platform: TestPlatform, environment = 'prod'): Promise<string[]> {
  const [control, warehouse] = await Promise.all([platform.control(), platform.warehouse(environment)])
  try {
    const broken: string[] = []
    const intents = new Set(
      (await rowsOf(control, `select run || ' ' || id as key from step where attempt > 0`)).map((row) => row.key),
    )
    for (const { run, step, verb } of await rowsOf(warehouse, 'select run, step, verb from heddle.applied')) {
      if (!intents.has(`${run} ${step}`)) broken.push(`effect without intent: ${verb} in step ${step} of run ${run}`)
    }
    for (const run of await rowsOf(control, `select number, state from run where state in ('queued', 'running')`))
      broken.push(`run ${run.number} is ${run.state}`)
    for (const { role } of await rowsOf(
      warehouse,
      `select l.role from heddle.login l join pg_roles r on r.rolname = l.role where l.kind = 'service' and r.rolcanlogin`,
    ))
      broken.push(`${role} may log in`)
    for (const { usename } of await rowsOf(
      warehouse,
      `select usename from pg_stat_activity join heddle.login l on l.role = usename and l.kind = 'service'`,
    ))
      broken.push(`${usename} has a session`)
    for (const { nspname, relname } of await rowsOf(
      warehouse,
      `select nspname, relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname like '%\\_\\_build'`,
    ))
      broken.push(`left in the build schema: ${nspname}.${relname}`)
    let previous = '0'.repeat(64)
    for (const link of await rowsOf(control, 'select seq, body, previous, hash from audit order by seq')) {
      if (link.previous !== previous || link.hash !== chainHash(previous, link.body as string))
        broken.push(`the audit chain breaks at ${link.seq}`)
      previous = link.hash as string
    }
    return broken
  } finally {
    await Promise.all([control.end(), warehouse.end()])
  }
}
