import { readFile } from 'node:fs/promises'
import { environmentGroups } from '../../core/names.ts'
import { ident, literal } from '../../sql/quote.ts'
import { matchesVerifier, scramVerifier } from './scram.ts'
import { connectAs, PROVISIONER, type Session } from './session.ts'
import { translate } from './translate.ts'

export type InitDeps = {
  environment: string
  host: string
  port: number
  database: string
  superuser: { user: string; password: string }
  provisioner: { password: string }
}

/** Built-ins that run SQL text, or write, with the rights of whoever reads a view that calls them. */
const DEPUTIES = '^(lo_.*|loread|lowrite|(query|cursor|table|schema|database)_to_xml.*|ts_stat|pg_notify)$'
/** What the provisioner may do with the tables of schema `heddle`; keepers, mask keys and borrowed verifiers are the functions' alone. */
const OPEN_TABLES = 'product, budget, login, owner, lease, applied, batch, sealed, served, revision, outbox, attribute, counter'
const FUNCTIONS = [
  'ensure_keeper(text, uuid)',
  'drop_keeper(uuid)',
  'become_keeper(uuid, text)',
  'leave_keeper(uuid)',
  'adopt_batch(uuid, text)',
  'ensure_mask_key(text)',
  'over_budget()',
  'borrow_login(text, text, text, boolean)',
  'return_login(text, text)',
  'return_stale_logins()',
  'verify_build(uuid, jsonb, text[])',
  'seal(uuid, integer, jsonb, text[])',
  'make_build(uuid)',
  'clear_build(uuid)',
  'reset_default_privileges(text, "char", text, aclitem[])',
  'tag(uuid, text)',
  'ensure_counter(text, uuid, text, integer, text)',
  'drop_counters(uuid, text)',
  'sample_usage(integer)',
]

/** The one superuser step. Repeating it repairs; `did` says what was missing. */
export async function initialise(deps: InitDeps): Promise<{ did: string[] }> {
  const did: string[] = []
  try {
    await inDatabase(deps, 'postgres', async (client) => {
      // Two environments of one server share the provisioner and take turns. No login of a product can hold this lock: it is of this database.
      await client.query(`SELECT pg_advisory_lock(hashtextextended('heddle initialise', 0))`)
      await prepareCluster(client, deps, did)
      await inDatabase(deps, deps.database, (inside) => prepareDatabase(inside, deps, did))
    })
  } catch (error) {
    throw translate(error, `set up environment ${deps.environment}`)
  }
  return { did }
}

async function inDatabase(deps: InitDeps, database: string, body: (client: Session) => Promise<void>): Promise<void> {
  const client = await connectAs(deps, deps.superuser, database)
  try {
    await client.query('SET search_path = pg_catalog, pg_temp')
    await body(client)
  } finally {
    await client.end()
  }
}

async function prepareCluster(client: Session, deps: InitDeps, did: string[]): Promise<void> {
  const { connect, job, keeper } = environmentGroups(deps.environment)
  const database = await client.query('SELECT FROM pg_database WHERE datname = $1', [deps.database])
  if (database.rowCount === 0) {
    await client.query(`CREATE DATABASE ${ident(deps.database)} TEMPLATE template0`)
    did.push(`made database ${deps.database}`)
  }
  await ensureProvisioner(client, deps.provisioner.password, did)
  for (const group of [connect, job, keeper])
    if ((await client.query('SELECT FROM pg_roles WHERE rolname = $1', [group])).rowCount === 0) {
      await client.query(`CREATE ROLE ${ident(group)} NOLOGIN NOINHERIT`)
      did.push(`made group ${group}`)
    }
  for (const group of [connect, job])
    await client.query(`GRANT ${ident(group)} TO ${PROVISIONER} WITH INHERIT FALSE, SET FALSE, ADMIN TRUE`)
  await client.query(`GRANT pg_signal_backend TO ${PROVISIONER} WITH INHERIT TRUE, SET FALSE`)
  await client.query(`GRANT SET ON PARAMETER temp_file_limit TO ${PROVISIONER}`)
  // Products' logins must find no other database open: neither the maintenance ones nor the control plane's.
  const { rows } = await client.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname IN ('postgres', 'template1', 'heddle') OR datname = $1`,
    [deps.database],
  )
  for (const { datname } of rows) await client.query(`REVOKE ALL ON DATABASE ${ident(datname)} FROM PUBLIC`)
  const own = ident(deps.database)
  await client.query(`GRANT CONNECT ON DATABASE ${own} TO ${ident(connect)}`)
  await client.query(`GRANT CONNECT, TEMP ON DATABASE ${own} TO ${ident(job)}`)
  await client.query(`GRANT CONNECT, CREATE ON DATABASE ${own} TO ${PROVISIONER}`)
}

async function ensureProvisioner(client: Session, password: string, did: string[]): Promise<void> {
  const { rows } = await client.query<{ rolpassword: string | null }>('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
    PROVISIONER,
  ])
  if (rows.length === 0) {
    await client.query(`CREATE ROLE ${PROVISIONER} LOGIN NOINHERIT CREATEROLE`)
    did.push(`made role ${PROVISIONER}`)
  }
  if (!matchesVerifier(password, rows[0]?.rolpassword ?? null)) {
    await client.query(`ALTER ROLE ${PROVISIONER} PASSWORD ${literal(scramVerifier(password))}`)
    if (rows.length > 0) did.push(`renewed the password of ${PROVISIONER}`)
  }
  await client.query(`ALTER ROLE ${PROVISIONER} LOGIN NOINHERIT CREATEROLE NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS`)
  await client.query(`ALTER ROLE ${PROVISIONER} SET createrole_self_grant = 'set'`)
}

async function prepareDatabase(client: Session, deps: InitDeps, did: string[]): Promise<void> {
  const { keeper } = environmentGroups(deps.environment)
  // one transaction: readers must not meet the moment between revoke and grant
  await client.query('BEGIN')
  const before = (await client.query(`SELECT FROM pg_namespace WHERE nspname = 'heddle'`)).rowCount
  for (const file of ['tables.sql', 'functions.sql', 'seal.sql', 'usage.sql'])
    await client.query(await readFile(new URL(`./sql/${file}`, import.meta.url), 'utf8'))
  if (before === 0) did.push('made schema heddle')
  await identify(client, deps.environment, did)
  await openStatistics(client, did)

  await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC')
  await client.query('REVOKE USAGE ON LANGUAGE sql, plpgsql FROM PUBLIC')
  const { rows } = await client.query<{ signature: string }>(
    `SELECT p.oid::regprocedure::text AS signature FROM pg_proc p
     WHERE p.pronamespace = 'pg_catalog'::regnamespace
       AND (p.proname ~ $1 OR (p.proname = 'ts_rewrite' AND p.pronargs = 2))
       AND has_function_privilege('public', p.oid, 'EXECUTE')`,
    [DEPUTIES],
  )
  for (const { signature } of rows) await client.query(`REVOKE EXECUTE ON FUNCTION pg_catalog.${signature} FROM PUBLIC`)
  if (rows.length > 0) did.push(`took ${rows.length} built-ins that run SQL text from PUBLIC`)

  const tables = OPEN_TABLES.split(', ').map((name) => `heddle.${name}`)
  await client.query('REVOKE ALL ON SCHEMA heddle FROM PUBLIC')
  await client.query('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA heddle FROM PUBLIC')
  await client.query('REVOKE ALL ON SCHEMA heddle_usage FROM PUBLIC')
  await client.query(`GRANT USAGE ON SCHEMA heddle, heddle_usage TO ${PROVISIONER}, ${ident(keeper)}`)
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${tables.join(', ')} TO ${PROVISIONER}`)
  await client.query(
    `GRANT SELECT ON heddle.environment, heddle.keeper, heddle.usage, heddle.usage_sample, heddle.usage_gap TO ${PROVISIONER}`,
  )
  for (const signature of FUNCTIONS) await client.query(`GRANT EXECUTE ON FUNCTION heddle.${signature} TO ${PROVISIONER}`)
  await client.query(`GRANT SELECT ON heddle.attribute, heddle.mask_key TO ${ident(keeper)}`)
  // The guard is called with the reader's right to execute; without USAGE on the schema nobody can name it.
  await client.query('GRANT EXECUTE ON FUNCTION heddle.seen(text, integer) TO PUBLIC')
  await client.query('COMMIT')
}

/** The server's statistics, which count reads (sql/usage.sql): they also tell who runs what, so nobody but a superuser looks at them. */
async function openStatistics(client: Session, did: string[]): Promise<void> {
  const { rows } = await client.query<{ here: string | null }>(
    `SELECT n.nspname AS here FROM pg_available_extensions a LEFT JOIN pg_extension e ON e.extname = a.name LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE a.name = 'pg_stat_statements'`,
  )
  if (!rows[0]) return
  const home = ident(rows[0].here ?? 'heddle')
  if (rows[0].here === null) {
    await client.query(`CREATE EXTENSION pg_stat_statements SCHEMA ${home}`)
    did.push('opened the statistics of statements')
  } else await client.query('ALTER EXTENSION pg_stat_statements UPDATE')
  await client.query(`REVOKE ALL ON ${home}.pg_stat_statements, ${home}.pg_stat_statements_info FROM PUBLIC`)
  const { rows: functions } = await client.query<{ signature: string }>(
    `SELECT p.oid::regprocedure::text AS signature FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid JOIN pg_proc p ON p.oid = d.objid
     WHERE e.extname = 'pg_stat_statements' AND d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'`,
  )
  for (const { signature } of functions) await client.query(`REVOKE EXECUTE ON FUNCTION ${signature} FROM PUBLIC`)
}

/** A restored copy has another system identifier (dump) or timeline (base backup): its outbox keys must not look like ones handled before. */
async function identify(client: Session, environment: string, did: string[]): Promise<void> {
  const { rows } = await client.query<{ incarnation: string; made: boolean }>(
    `INSERT INTO heddle.environment AS e (name, incarnation, system_identifier, timeline)
     SELECT $1, gen_random_uuid(), s.system_identifier::text, c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c
     ON CONFLICT (single) DO UPDATE SET name = excluded.name, incarnation = excluded.incarnation, system_identifier = excluded.system_identifier, timeline = excluded.timeline
     WHERE (e.system_identifier, e.timeline) IS DISTINCT FROM (excluded.system_identifier, excluded.timeline)
     RETURNING incarnation, (xmax = 0) AS made`,
    [environment],
  )
  if (rows[0] && !rows[0].made) did.push('gave the restored database a new incarnation')
}
