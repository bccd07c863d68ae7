import pg from 'pg'
import type { ControlConnection } from './control.ts'

/**
 * The superuser step for the control database: role `heddle_control` (no superuser, owns the database) and database `heddle`. Safe to repeat; the
 * superuser is not used afterwards.
 */
export async function initialiseControl(server: {
  host: string
  port: number
  superuser: { user: string; password: string }
  controlPassword: string
}): Promise<ControlConnection> {
  const client = new pg.Client({
    host: server.host,
    port: server.port,
    user: server.superuser.user,
    password: server.superuser.password,
    database: 'postgres',
  })
  await client.connect()
  try {
    const password = pg.escapeLiteral(server.controlPassword)
    const role = await client.query(`select 1 from pg_roles where rolname = 'heddle_control'`)
    await client.query(
      `${role.rowCount ? 'alter' : 'create'} role heddle_control login nosuperuser nocreaterole nocreatedb password ${password}`,
    )
    const database = await client.query(`select 1 from pg_database where datname = 'heddle'`)
    if (!database.rowCount) await client.query('create database heddle owner heddle_control')
    await client.query('revoke all on database heddle from public')
    await client.query('revoke all on database postgres from public')
    await client.query('revoke all on database template1 from public')
  } finally {
    await client.end()
  }
  return { host: server.host, port: server.port, database: 'heddle', user: 'heddle_control', password: server.controlPassword }
}
