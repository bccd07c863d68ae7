import type pg from 'pg'
import { fail } from '../../core/fail.ts'
import { productNames, readerLogin, subjectLogin } from '../../core/names.ts'
import type { PortPlace, Proof } from '../../platform/warehouse.ts'
import { ident } from '../../sql/quote.ts'
import type { BuiltObject } from './build-served.ts'
import { proveMasked, proveRows } from './prove-policies.ts'
import { ensureReader } from './reader-login.ts'
import { newPassword, scramVerifier } from './scram.ts'
import { ask, connectAs, type Site, transaction } from './session.ts'
import { sqlstate, translate } from './translate.ts'

export type ProveRequest = { subject: string; at: PortPlace; expect: 'granted' | 'revoked'; masked: string[] }
/** Each try runs one statement as the subject and says how it went; `add` keeps what it proves. */
export type Proving = { client: pg.ClientBase; add(proof: Omit<Proof, 'at'>): void }
type Serving = { schema: string; objects: BuiltObject[] }

const REFUSED = '42501'
const PATIENCE_MS = 8_000

/**
 * Logs in as the subject itself. The password it holds stays good: its verifier is set aside for the moment of the log-in and put back as soon as the
 * session stands (a log-in of the subject in that moment is refused and works when tried again).
 */
export async function prove(site: Site, request: ProveRequest): Promise<Proof[]> {
  const { at, subject, expect } = request
  const proofs: Proof[] = []
  const add = (proof: Omit<Proof, 'at'>) => void proofs.push({ ...proof, at: site.clock.now().toISOString() })
  const login = subjectLogin(site.environment, subject)
  const serving = await readServing(site, at)
  const entered = await logIn(site, login, expect === 'granted')
  if (!('client' in entered)) {
    add({
      what: `log in as ${login}`,
      expected: expect === 'granted' ? 'allowed' : 'refused',
      ok: expect === 'revoked' && isShut(entered),
      sqlstate: entered.state,
      detail: expect === 'granted' ? 'The log-in was refused.' : 'The log-in is refused, so nothing can be read.',
    })
    if (expect === 'revoked') await proveReader(site, request, serving, add)
    return proofs
  }
  const { client } = entered
  const proving: Proving = { client, add }
  try {
    await client.query('SET search_path = pg_catalog, pg_temp')
    if (expect === 'granted') {
      add({
        what: `log in as ${login}`,
        expected: 'allowed',
        ok: true,
        sqlstate: null,
        detail: 'The session is the subject’s own.',
      })
      await proveGranted(site, proving, request, serving)
    } else
      for (const { name } of serving.objects)
        await proveRefused(proving, `read ${serving.schema}.${name}`, readOne(serving.schema, name))
    await proveWalls(site, proving, at, login)
  } finally {
    await client.end()
  }
  await proveReader(site, request, serving, add)
  return proofs
}

/** The same by the login that reads for the subject over HTTP: it must see what the subject sees, and go with it. */
async function proveReader(site: Site, request: ProveRequest, serving: Serving, add: Proving['add']): Promise<void> {
  const { subject, expect } = request
  const granted = expect === 'granted'
  const login = readerLogin(site.environment, subject)
  if (granted) await transaction(site, { doing: `make ${login}` }, (client) => ensureReader(client, site.environment, subject))
  else if (!(await isLogin(site, login))) return
  // Somebody reading over HTTP in this very moment takes the password back.
  let entered = await logIn(site, login, granted)
  for (let tries = 1; tries < 3 && 'state' in entered && entered.state === '28P01'; tries++)
    entered = await logIn(site, login, granted)
  if (!('client' in entered) || granted)
    add({
      what: `log in as ${login}`,
      expected: granted ? 'allowed' : 'refused',
      ok: granted ? 'client' in entered : isShut(entered),
      sqlstate: 'client' in entered ? null : entered.state,
      detail: 'client' in entered ? 'It reads for the subject over HTTP.' : 'The log-in over HTTP is refused.',
    })
  if (!('client' in entered)) return
  const { client } = entered
  const proving: Proving = { client, add: (proof) => add({ ...proof, what: `${proof.what} over HTTP` }) }
  try {
    await client.query('SET search_path = pg_catalog, pg_temp')
    if (granted) await proveGranted(site, proving, request, serving)
    else
      for (const { name } of serving.objects)
        await proveRefused(proving, `read ${serving.schema}.${name}`, readOne(serving.schema, name))
    await proveRefused(proving, 'become the subject', `SET ROLE ${ident(subjectLogin(site.environment, subject))}`)
  } finally {
    await client.end()
  }
}

async function proveGranted(
  site: Site,
  proving: Proving,
  { at, subject, masked }: ProveRequest,
  { schema, objects }: Serving,
): Promise<void> {
  if (objects.length === 0)
    proving.add({ what: `read ${schema}`, expected: 'allowed', ok: true, sqlstate: null, detail: 'Nothing is published yet.' })
  for (const object of objects) {
    const state = await attempt(proving.client, readOne(schema, object.name))
    proving.add({
      what: `read ${schema}.${object.name}`,
      expected: 'allowed',
      ok: state === null,
      sqlstate: state,
      detail: state === null ? 'It reads.' : 'It does not read.',
    })
    const columns = masked
      .map((column) => column.split('.'))
      .filter(([first, second]) => second === undefined || first === object.name)
    for (const column of columns.map((parts) => parts.at(-1)!))
      if (object.columns.includes(column)) await proveMasked(site, proving, { at, subject, schema, object }, column)
    await proveRows(site, proving, { at, subject, schema, object })
  }
}

/** What no consumer may touch: the inside of this product and of others, the platform's schema, the keeper, temporary tables. */
async function proveWalls(site: Site, proving: Proving, { place }: PortPlace, login: string): Promise<void> {
  const { role, private: staging, build } = productNames(site.environment, place.domain, place.product)
  const inside = await ask<{ schema: string; names: string[] }>(
    site,
    `SELECT n.nspname AS schema, ARRAY(SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'v') ORDER BY 1 LIMIT 20) AS names
     FROM pg_namespace n
     WHERE (n.nspname = ANY ($1) OR n.nspname IN (SELECT $2 || '__r' || s.n FROM heddle.sealed s WHERE s.product = $3)
         OR n.nspname IN (SELECT p.base FROM heddle.product p WHERE p.id <> $3 LIMIT 20))
       -- an owner reads the product's sealed tables, by design
       AND NOT (n.nspname LIKE $2 || '\\_\\_r%' AND pg_has_role($4, $5, 'USAGE'))
     ORDER BY n.nspname`,
    [[staging, build], staging, place.id, login, role.owner],
  )
  // a name that is not there is refused as well, as long as the schema itself is shut
  for (const { schema, names } of inside)
    await proveRefused(proving, `read schema ${schema}`, ...[...names, 'anything'].map((name) => readOne(schema, name)))
  const others = await ask<{ schema: string; name: string }>(
    site,
    `SELECT s.port AS schema, s.objects -> 0 ->> 'name' AS name FROM heddle.served s JOIN pg_namespace n ON n.nspname = s.port
     WHERE s.state = 'live' AND s.product <> $1 AND NOT has_schema_privilege($2, n.oid, 'USAGE') ORDER BY s.port LIMIT 20`,
    [place.id, login],
  )
  for (const { schema, name } of others)
    await proveRefused(proving, `read ${schema}, which was not granted`, readOne(schema, name))
  await proveRefused(proving, 'read the platform’s own schema', 'SELECT FROM heddle.attribute LIMIT 1')
  await proveRefused(proving, 'become the keeper', `SET ROLE ${ident(role.keeper)}`)
  await proveRefused(proving, 'make a temporary table', 'CREATE TEMPORARY TABLE anything ()')
}

async function proveRefused({ client, add }: Proving, what: string, ...statements: string[]): Promise<void> {
  const states: (string | null)[] = []
  for (const sql of statements) states.push(await attempt(client, sql))
  const passed = states.filter((state) => state !== REFUSED)
  const ok = passed.length === 0
  const detail = ok ? 'Permission denied.' : `${passed.length} of ${states.length} tries were not refused.`
  add({ what, expected: 'refused', ok, sqlstate: ok ? REFUSED : (passed[0] ?? null), detail })
}

function readOne(schema: string, name: string): string {
  return `SELECT FROM ${ident(schema)}.${ident(name)} LIMIT 1`
}

/** @returns the SQLSTATE it failed with, or null */
async function attempt(client: pg.ClientBase, sql: string): Promise<string | null> {
  try {
    await client.query(sql)
    return null
  } catch (error) {
    return sqlstate(error) ?? 'lost'
  }
}

async function readServing(site: Site, at: PortPlace): Promise<Serving> {
  const schema = productNames(site.environment, at.place.domain, at.place.product).served(at.port, at.major)
  const rows = await ask<{ objects: BuiltObject[] }>(
    site,
    `SELECT objects FROM heddle.served WHERE port = $1 AND product = $2 AND state = 'live'`,
    [schema, at.place.id],
  )
  return { schema, objects: rows[0]?.objects ?? [] }
}

async function logIn(site: Site, login: string, letIn: boolean): Promise<Entered> {
  const password = newPassword()
  const verifier = scramVerifier(password)
  await borrow(site, login, verifier, letIn)
  try {
    return { client: await connectAs(site, { user: login, password }) }
  } catch (error) {
    const state = sqlstate(error)
    if (state === null) throw translate(error, `log in as ${login}`)
    return { state }
  } finally {
    await ask(site, 'SELECT heddle.return_login($1, $2)', [login, verifier])
  }
}

type Entered = { client: pg.Client } | { state: string | null }

function isShut(entered: Entered): boolean {
  return 'state' in entered && ['28000', '42501'].includes(entered.state ?? '')
}

/** Of a person: its own login, or the one that reads for it. */
async function isLogin(site: Site, login: string): Promise<boolean> {
  const found = await ask(
    site,
    `SELECT FROM heddle.login JOIN pg_roles ON rolname = role WHERE role = $1 AND kind IN ('subject', 'reader')`,
    [login],
  )
  return found.length > 0
}

/** Waits for another proof of the same subject, which takes some milliseconds. */
async function borrow(site: Site, login: string, verifier: string, letIn: boolean): Promise<void> {
  if (!(await isLogin(site, login)))
    throw fail('WAREHOUSE_SUBJECT_UNKNOWN', { what: `${login} has no login in ${site.environment}` })
  const until = `now() + interval '1 minute'`
  for (const begun = performance.now(); performance.now() - begun < PATIENCE_MS; ) {
    const rows = await ask<{ mine: boolean }>(site, `SELECT heddle.borrow_login($1, $2, (${until})::text, $3) AS mine`, [
      login,
      verifier,
      letIn,
    ])
    if (rows[0]!.mine) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw fail('WAREHOUSE_BUSY', { what: `${login} is being proven by somebody else` })
}
