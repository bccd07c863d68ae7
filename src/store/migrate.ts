import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { fail } from '../core/fail.ts'
import type { ControlConnection } from './control.ts'

const FOLDER = join(import.meta.dirname, 'migrations')

/** Applies the numbered migrations that are missing, each in its own transaction, under one lock. @returns the names applied */
export async function migrate(connection: ControlConnection): Promise<string[]> {
  const client = new pg.Client(connection)
  await client.connect()
  try {
    await client.query('select pg_advisory_lock(7205759)')
    await client.query(
      'create table if not exists migration (name text primary key, applied_at timestamptz not null default now())',
    )
    const done = new Set((await client.query<{ name: string }>('select name from migration')).rows.map((row) => row.name))
    const known = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort()
    const ahead = [...done].filter((name) => !known.includes(name))
    if (ahead.length > 0) {
      throw fail('STORE_SCHEMA_NEWER', {
        what: `The data directory was written by a newer Heddle (${ahead.join(', ')})`,
        fix: 'Start the newer version again, or choose another data directory with --data.',
      })
    }
    const applied: string[] = []
    for (const name of known.filter((name) => !done.has(name))) {
      await client.query('begin')
      await client.query(await readFile(join(FOLDER, name), 'utf8'))
      await client.query('insert into migration (name) values ($1)', [name])
      await client.query('commit')
      applied.push(name)
    }
    return applied
  } finally {
    await client.end()
  }
}
