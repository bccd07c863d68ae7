import { type Control, openControl } from '../src/store/control.ts'
import { initialiseControl } from '../src/store/initialise.ts'
import { migrate } from '../src/store/migrate.ts'
import { startTestPostgres } from './postgres-server.ts'

/** A control database of its own on a throw-away PostgreSQL, without a platform: for what only its rows decide. */
export async function startControlDatabase(): Promise<Control & { dispose(): Promise<void> }> {
  const server = await startTestPostgres()
  try {
    const { host, port, superuser } = server
    const connection = await initialiseControl({ host, port, superuser, controlPassword: 'control' })
    await migrate(connection)
    const control = openControl(connection, { log: () => {} })
    const dispose = async () => {
      await control.close()
      await server.dispose()
    }
    return Object.assign(control, { dispose })
  } catch (error) {
    await server.dispose()
    throw error
  }
}
