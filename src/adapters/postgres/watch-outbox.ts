import type { Credential } from '../../platform/warehouse.ts'
import { connectAs, PROVISIONER, type Site } from './session.ts'

type Place = Pick<Site, 'environment' | 'host' | 'port' | 'database' | 'log'> & Pick<Credential, 'password'>

const CHANNEL = 'heddle_outbox'
const RETRY_MS = 500

/** LISTEN on a connection of its own that comes back when it is lost. Anybody may notify: the hint says nothing but "look". */
export async function watchOutbox(place: Place, hint: () => void): Promise<{ close(): Promise<void> }> {
  let closed = false
  let waiting = false
  let end: () => Promise<void> = async () => {}

  async function listen(): Promise<void> {
    const client = await connectAs(place, { user: PROVISIONER, password: place.password })
    end = () => client.end().catch(() => {})
    if (closed) return end()
    client.on('end', retry)
    client.on('notification', () => hint())
    await client.query(`LISTEN ${CHANNEL}`)
    // what was missed while away
    hint()
  }

  /** A failed connection says so twice, by its end and by its promise: one try follows. */
  function retry(): void {
    if (waiting) return
    waiting = true
    setTimeout(() => {
      waiting = false
      if (closed) return
      listen().catch((error: Error) => {
        place.log(`outbox of ${place.environment}: ${error.message}; trying again`)
        retry()
      })
    }, RETRY_MS).unref()
  }

  await listen()
  return {
    close() {
      closed = true
      return end()
    },
  }
}
