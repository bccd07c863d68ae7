import { setTimeout as sleep } from 'node:timers/promises'
import { asHeddleError } from '../../core/fail.ts'
import { makeCluster } from './server/cluster.ts'
import { note, prepareGround, readKept, seconds, writeKept } from './server/ground.ts'
import { launchServer } from './server/launch.ts'
import { adoptServer, type Running, stopServer } from './server/recover.ts'

/** A running PostgreSQL. `did` says in words what start had to make or repair. `port`, `pid` and `did` follow a restart. */
export type PostgresServer = {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly superuser: { user: string; password: string }
  readonly pid: number
  readonly did: string[]
  /** how long start took */
  readonly ms: number
  /** Fast shutdown; resolves when the server is gone. Twice is fine. */
  stop(): Promise<void>
}

export type PostgresServerOptions = {
  /** `<dataDir>/postgres` becomes the cluster, `<dataDir>/logs/postgres.log` its log; `postgres.json` keeps listen number and superuser password */
  dataDir: string
  /** TCP number to listen on; without it the one kept from the last start, or a free one */
  listen?: number
  log(line: string): void
  /** default 128 */
  sharedBuffersMb?: number
  /** default 120 */
  maxConnections?: number
  /** false: no fsync, for tests */
  durable?: boolean
}

/** One that keeps dying is started ever more slowly, but always: without it nothing works, and the cause may pass. */
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 5_000
/** A server that stood this long was healthy: its next death starts the delays anew. */
const HEALTHY_MS = 60_000

/**
 * Starts the embedded PostgreSQL 18 on 127.0.0.1, or adopts the one that a killed control plane left running on the same folder. Repairs what a crash
 * left: a stale `postmaster.pid`, a zombie postmaster, children without one, a half-made cluster, a lost password. Starts the server again when it dies
 * while we run. Settings of an adopted server stay as they were when it was started.
 * @throws SERVER_PLATFORM_UNSUPPORTED, SERVER_USER_MISSING, SERVER_DATA_UNREACHABLE, SERVER_DATABASE_FAILED
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const { listen, log, sharedBuffersMb = 128, maxConnections = 120, durable = true } = options
  const begun = performance.now()
  const ground = await prepareGround(options)
  const kept = await makeCluster(ground, await readKept(ground), durable)
  const settings = { sharedBuffersMb, maxConnections, durable }

  let running: Running = await adoptOrLaunch(listen ?? kept.listen)
  const ms = Math.round(performance.now() - begun)
  let stopping: Promise<void> | null = null
  const watching = watch()

  async function adoptOrLaunch(number: number): Promise<Running> {
    const found = (await adoptServer(ground, kept, listen)) ?? (await launchServer(ground, { ...settings, listen: number }))
    await writeKept(ground, { ...kept, listen: found.listen })
    return found
  }

  async function watch(): Promise<void> {
    let deaths = 0
    let stoodSince = performance.now()
    for (;;) {
      await running.gone()
      if (stopping !== null) return
      const died = performance.now()
      deaths = died - stoodSince > HEALTHY_MS ? 1 : deaths + 1
      if (deaths > 1) await sleep(Math.min(FIRST_DELAY_MS * 2 ** (deaths - 2), MAX_DELAY_MS))
      if (stopping !== null) return
      try {
        log('the database server died; starting it again')
        running = await adoptOrLaunch(running.listen)
        note(ground, `started the database server again after it died (${seconds(died)})`)
      } catch (error) {
        log(`the database server could not be started again: ${asHeddleError(error).message}`)
      }
      stoodSince = performance.now()
      if (stopping !== null) return stopServer(running.pid, running.gone())
    }
  }

  return {
    host: '127.0.0.1',
    get port() {
      return running.listen
    },
    superuser: { user: kept.user, password: kept.password },
    get pid() {
      return running.pid
    },
    did: ground.did,
    ms,
    stop() {
      // a restart under way is let finish and then stopped by the watch
      stopping ??= stopServer(running.pid, running.gone()).then(() => watching)
      return stopping
    },
  }
}
