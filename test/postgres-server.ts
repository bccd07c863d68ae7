import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgresServer } from '../src/adapters/postgres/server.ts'

/** A real PostgreSQL 18 in a temporary folder, without fsync; `dispose` stops it and removes the folder. */
export async function startTestPostgres(): Promise<PostgresServer & { dispose(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'heddle-postgres-'))
  // As root the database runs as a user of its own, who must pass through.
  await chmod(dataDir, 0o711)
  const server = await startPostgresServer({ dataDir, durable: false, log: () => undefined })
  const dispose = async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  return Object.assign(server, { dispose })
}
