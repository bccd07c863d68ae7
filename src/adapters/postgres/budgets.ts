import type { Resource } from '../../platform/resource.ts'
import type { DomainBudget } from '../../platform/warehouse.ts'
import { ident, literal } from '../../sql/quote.ts'
import { fenced } from './fenced.ts'
import { ask, type Session, type Site, transaction } from './session.ts'

/** A login of no domain, or of one without a budget. */
const DEFAULT: DomainBudget = { connections: 8, statementMs: 600_000, tempFileBytes: 2 ** 30 }
/** A cancelled statement that still runs after this is ended with its session. */
const GRACE_MS = 3_000

type Row = { connections: number; statement_ms: string; temp_file_bytes: string }

export function createBudget(site: Site): Resource<{ domain: string }, DomainBudget, DomainBudget> {
  return {
    async read({ id }) {
      const rows = await ask<Row>(site, 'SELECT * FROM heddle.budget WHERE domain = $1', [id.domain])
      return rows[0] ? { state: 'owned', attributes: fromRow(rows[0]) } : { state: 'absent' }
    },
    async reconcile({ id, desired, context }) {
      return fenced(
        site,
        context,
        { verb: 'budget.reconcile', key: id.domain, doing: `set the budget of ${id.domain}` },
        async (client) => {
          await setBudget(client, id.domain, desired)
          return desired
        },
      )
    },
    async remove({ id, context }) {
      await fenced(
        site,
        context,
        { verb: 'budget.remove', key: id.domain, doing: `remove the budget of ${id.domain}` },
        async (client) => {
          await client.query('DELETE FROM heddle.budget WHERE domain = $1', [id.domain])
          await limitLogins(client, id.domain)
          return null
        },
      )
    },
  }
}

/** One domain after the other, each in its own transaction: a login that is in use elsewhere holds up no other domain. */
export async function changeBudgets(site: Site, budgets: Record<string, DomainBudget>): Promise<string[]> {
  const rows = await ask<Row & { domain: string }>(site, 'SELECT * FROM heddle.budget ORDER BY domain')
  const changed = rows.filter((row) => {
    const wanted = budgets[row.domain]
    return wanted && Object.entries(fromRow(row)).some(([name, value]) => wanted[name as keyof DomainBudget] !== value)
  })
  for (const { domain } of changed)
    await transaction(site, { doing: `change the budget of ${domain}` }, async (client) => {
      await setBudget(client, domain, budgets[domain]!)
    })
  return changed.map(({ domain }) => domain)
}

async function setBudget(client: Session, domain: string, budget: DomainBudget): Promise<void> {
  await client.query(
    `INSERT INTO heddle.budget (domain, connections, statement_ms, temp_file_bytes) VALUES ($1, $2, $3, $4)
     ON CONFLICT (domain) DO UPDATE SET connections = excluded.connections, statement_ms = excluded.statement_ms, temp_file_bytes = excluded.temp_file_bytes`,
    [domain, budget.connections, budget.statementMs, budget.tempFileBytes],
  )
  await limitLogins(client, domain)
}

async function limitLogins(client: Session, domain: string): Promise<void> {
  const { rows } = await client.query<{ role: string }>('SELECT role FROM heddle.login WHERE domain = $1', [domain])
  for (const { role } of rows) await limitLogin(client, role, domain)
}

/** Connection limit and settings of one login; also takes away settings the login stored on itself. */
export async function limitLogin(client: Session, login: string, domain: string | null): Promise<void> {
  const budget = await readBudget(client, domain)
  const { rows } = await client.query<{ current: string }>('SELECT current_database() AS current')
  await client.query(`ALTER ROLE ${ident(login)} RESET ALL`)
  await client.query(`ALTER ROLE ${ident(login)} IN DATABASE ${ident(rows[0]!.current)} RESET ALL`)
  await client.query(`ALTER ROLE ${ident(login)} CONNECTION LIMIT ${literal(budget.connections)}`)
  for (const [name, value] of settings(budget))
    await client.query(`ALTER ROLE ${ident(login)} SET ${ident(name)} = ${literal(value)}`)
}

/** The settings a login of this domain carries, as the catalog writes them. */
export async function plannedSettings(client: Session, domain: string): Promise<string[]> {
  return settings(await readBudget(client, domain)).map(([name, value]) => `${name}=${value}`)
}

function settings(budget: DomainBudget): [string, string][] {
  return [
    ['statement_timeout', `${budget.statementMs}ms`],
    ['temp_file_limit', `${Math.max(1, Math.floor(budget.tempFileBytes / 1024))}kB`],
    // a client that went away frees its query's resources within seconds
    ['client_connection_check_interval', '2s'],
  ]
}

async function readBudget(client: Session, domain: string | null): Promise<DomainBudget> {
  if (domain === null) return DEFAULT
  const { rows } = await client.query<Row>('SELECT * FROM heddle.budget WHERE domain = $1', [domain])
  return rows[0] ? fromRow(rows[0]) : DEFAULT
}

function fromRow(row: Row): DomainBudget {
  return { connections: row.connections, statementMs: Number(row.statement_ms), tempFileBytes: Number(row.temp_file_bytes) }
}

/** The wall behind the settings: a login may lift its own statement_timeout, but not this. */
export async function enforceBudgets(site: Site): Promise<{ domain: string; login: string; ms: number }[]> {
  const rows = await ask<{ pid: number; login: string; domain: string; ms: string; over_ms: string }>(
    site,
    'SELECT * FROM heddle.over_budget()',
  )
  await ask(site, 'SELECT heddle.return_stale_logins()')
  for (const { pid, over_ms } of rows)
    await ask(site, Number(over_ms) > GRACE_MS ? 'SELECT pg_terminate_backend($1)' : 'SELECT pg_cancel_backend($1)', [pid])
  return rows.map(({ domain, login, ms }) => ({ domain, login, ms: Number(ms) }))
}
