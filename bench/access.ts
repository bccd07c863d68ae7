import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Client } from '../src/client/client.ts'
import { makeProduct, startSmallMesh } from '../test/small-mesh.ts'
import { atMost, type Bench, figure, percentile, ratio, timed } from './figures.ts'

const ROUNDS = 9
const PRODUCT = 'shop/orders'
const PATIENCE_MS = 10_000

/** What the consumer's side sees, not what the platform says of itself: from the click to a query that works, and to queries that do not. */
export const access: Bench = {
  name: 'access',
  about: 'approve → usable grant; revoke → refused on new and on open sessions',
  async run(say) {
    const platform = await startSmallMesh()
    try {
      await makeProduct(platform, PRODUCT, ['--template', 'orders'])
      const consumer = platform.client('consumer')
      const warehouse = await platform.warehouse('prod')
      const usable: number[] = []
      const open: number[] = []
      const fresh: number[] = []
      const raw: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const request = await consumer.createRequest({
          kind: 'access',
          payload: { product: PRODUCT, port: 'orders', purpose: 'analytics', justification: 'bench' },
        })
        const began = performance.now()
        await platform.client(request.approvers[0]).decideRequest(request.number, 'approve')
        const granted = await untilUsable(consumer)
        usable.push(performance.now() - began)

        const session = await connect(granted.url)
        const [agreement] = (await consumer.agreements({ product: PRODUCT })).items.filter(({ state }) => state === 'active')
        const asked = performance.now()
        await platform.client('developer').revokeAgreement(agreement!.number, 'bench')
        const [onOpen, onNew] = await Promise.all([
          untilRefused(() => session.query(granted.query)),
          untilRefused(async () => {
            const client = await connect(granted.url)
            await client.query(granted.query).finally(() => client.end())
          }),
        ])
        open.push(onOpen - asked)
        fresh.push(onNew - asked)
        await session.end().catch(() => {})
        raw.push(await rawGrant(warehouse))
        await untilRevoked(consumer, agreement!.number)
      }
      say(`${ROUNDS} rounds`)
      return {
        rounds: ROUNDS,
        figures: {
          'approve → first row read by the consumer': figure(usable, 'ms'),
          'revoke → refused on an open session': figure(open, 'ms'),
          'revoke → refused on a new session': figure(fresh, 'ms'),
          'bare GRANT, log-in, query, REVOKE': figure(raw, 'ms'),
        },
        ratios: { 'approve → usable ÷ bare SQL': ratio(usable, raw) },
        limits: [
          atMost('approve → usable grant, p99', percentile(usable, 0.99), 1000, 'ms'),
          atMost('revoke → refused on open sessions, p99', percentile(open, 0.99), 1000, 'ms'),
          atMost('revoke → refused on new sessions, p99', percentile(fresh, 0.99), 1000, 'ms'),
        ],
        notes: [
          'Usable: the consumer got a password by `connect`, logged in and read a row. It asks again every 5 ms, so up to 5 ms are the measuring itself.',
          'Refused: the first query, or the first log-in, that failed; both are tried without a pause from the moment the revocation was asked for.',
        ],
      }
    } finally {
      await platform.dispose()
    }
  },
}

async function untilUsable(consumer: Client): Promise<{ url: string; query: string }> {
  for (const end = performance.now() + PATIENCE_MS; ; ) {
    const connection = await consumer.connect(PRODUCT).catch((error: Error) => {
      if (performance.now() > end) throw error
      return null
    })
    const port = connection?.ports[0]
    if (connection && port) {
      const query = `SELECT * FROM "${port.schema}"."${port.objects[0]}" LIMIT 1`
      const client = await connect(connection.url)
      const read = await client.query(query).catch(() => null)
      await client.end()
      if (read?.rowCount === 1) return { url: connection.url, query }
    }
    await pause(5)
  }
}

/** @returns when the first try failed */
async function untilRefused(act: () => Promise<unknown>): Promise<number> {
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    const isRefused = await act().then(
      () => false,
      () => true,
    )
    if (isRefused) return performance.now()
  }
  throw new Error('the revocation had no effect')
}

async function untilRevoked(consumer: Client, agreement: number): Promise<void> {
  while ((await consumer.agreement(agreement)).state !== 'revoked') await pause(20)
}

/** The floor: what a database superuser would type for the same access. */
async function rawGrant(warehouse: pg.Client): Promise<number> {
  const { host, port, database } = warehouse
  await warehouse.query(
    `CREATE ROLE bench_reader LOGIN PASSWORD 'bench'; CREATE SCHEMA bench_raw; CREATE TABLE bench_raw.t AS SELECT 1 AS n`,
  )
  try {
    const { ms } = await timed(async () => {
      await warehouse.query(`GRANT CONNECT ON DATABASE "${database}" TO bench_reader`)
      await warehouse.query('GRANT USAGE ON SCHEMA bench_raw TO bench_reader; GRANT SELECT ON bench_raw.t TO bench_reader')
      const client = await connect(`postgres://bench_reader:bench@${host}:${port}/${database}`)
      await client.query('SELECT * FROM bench_raw.t')
      await client.end()
      await warehouse.query('REVOKE SELECT ON bench_raw.t FROM bench_reader')
    })
    return ms
  } finally {
    await warehouse.query('DROP SCHEMA bench_raw CASCADE; DROP OWNED BY bench_reader; DROP ROLE bench_reader')
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}
