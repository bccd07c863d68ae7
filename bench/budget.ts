import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { TestPlatform } from '../test/platform.ts'
import { makeProduct, SMALL_MESH, startSmallMesh, waitForEnd } from '../test/small-mesh.ts'
import { atMost, type Bench, figure, percentile, timed } from './figures.ts'

const ROUNDS = 3
const PRODUCT = 'shop/orders'
const STATEMENT_SECONDS = 2
const MESH = SMALL_MESH.replace(
  'clinic: {title: Clinic, owners: [owner]}',
  `clinic: {title: Clinic, owners: [owner], budget: {connections: 8, statement: ${STATEMENT_SECONDS}s, tempFiles: 32MB}}`,
)
/** Neither ends by itself within an hour: the first needs a processor, the second disk for its sort. */
const BUSY = 'SELECT count(*) FROM pg_class a, pg_class b, pg_class c, pg_class d'
const LARGE = 'SELECT a FROM generate_series(1, 100000000) a ORDER BY md5(a::text)'

/** One domain's consumer occupies every processor and lifts its own time limit; the budget ends it, and the others hardly notice. */
export const budget: Bench = {
  name: 'budget',
  about: 'runaway queries of one domain against its budget, the other domain and the control plane meanwhile',
  async run(say) {
    const platform = await startSmallMesh({ mesh: MESH })
    try {
      await makeProduct(platform, PRODUCT, ['--template', 'orders'])
      const grant = await giveAccess(platform)
      const neighbour = await platform.client('developer').connect(PRODUCT)
      const calm = await watchOthers(platform, neighbour.url, queryOf(neighbour), pause(2_000))
      const ended: number[] = []
      const disk: number[] = []
      const during: Watched = { query: [], api: [] }
      for (let round = 0; round < ROUNDS; round++) {
        const runaways = Promise.all([1, 2].map(() => runAway(grant.url, BUSY, WATCHDOG)))
        const seen = await watchOthers(platform, neighbour.url, queryOf(neighbour), runaways)
        ended.push(...(await runaways))
        disk.push(await runAway(grant.url, LARGE, TEMP_FILES))
        during.query.push(...seen.query)
        during.api.push(...seen.api)
      }
      say(
        `${ended.length} runaways of ${STATEMENT_SECONDS} s ended, ${during.query.length} queries and ${during.api.length} API calls meanwhile`,
      )
      return {
        rounds: ROUNDS,
        figures: {
          'runaway query ended after': figure(ended, 's'),
          'query that fills the disk ended after': figure(disk, 's'),
          'other domain, calm': figure(calm.query, 'ms'),
          'other domain, meanwhile': figure(during.query, 'ms'),
          'other domain, meanwhile, p95': figure([percentile(during.query, 0.95)], 'ms'),
          'API, calm': figure(calm.api, 'ms'),
          'API, meanwhile': figure(during.api, 'ms'),
          'API, meanwhile, p95': figure([percentile(during.api, 0.95)], 'ms'),
        },
        ratios: {},
        limits: [
          atMost(
            `runaway ended, budget ${STATEMENT_SECONDS} s, watched every second`,
            Math.max(...ended),
            STATEMENT_SECONDS + 3,
            's',
          ),
          atMost('other domain meanwhile, p95', percentile(during.query, 0.95), 500, 'ms'),
          atMost('API meanwhile, p95', percentile(during.api, 0.95), 500, 'ms'),
        ],
        notes: [
          'Two runaways at once, each with `SET statement_timeout = 0`: only the watchdog can end them.',
          'One database server serves the control plane and the warehouse here, the setting where they disturb each other most.',
        ],
      }
    } finally {
      await platform.dispose()
    }
  },
}

type Watched = { query: number[]; api: number[] }

async function giveAccess(platform: TestPlatform): Promise<{ url: string }> {
  const consumer = platform.client('consumer')
  const { number, approvers } = await consumer.createRequest({
    kind: 'access',
    payload: { product: PRODUCT, port: 'orders', purpose: 'analytics', justification: 'bench' },
  })
  const { run } = await platform.client(approvers[0]).decideRequest(number, 'approve')
  await waitForEnd(platform, run!)
  return consumer.connect(PRODUCT)
}

function queryOf(connection: { ports: { schema: string; objects: string[] }[] }): string {
  const port = connection.ports[0]!
  return `SELECT count(*) FROM "${port.schema}"."${port.objects[0]}"`
}

/** SQLSTATE of what ended it: cancelled or its session ended by the watchdog; the limit on temporary files. */
const WATCHDOG = ['57014', '57P01']
const TEMP_FILES = ['53400']

/** @returns seconds until the platform ended it, for the expected reason */
async function runAway(url: string, text: string, reasons: string[]): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  await client.query('SET statement_timeout = 0')
  const { ms, value } = await timed(() =>
    client.query(text).then(
      () => 'its own end',
      (error: { code?: string }) => error.code ?? 'a lost connection',
    ),
  )
  await client.end().catch(() => {})
  if (!reasons.includes(value)) throw new Error(`the runaway was ended by ${value}`)
  return ms / 1000
}

/** Latencies that a neighbour and a user of the API see until `over`. */
async function watchOthers(platform: TestPlatform, url: string, query: string, over: Promise<unknown>): Promise<Watched> {
  const neighbour = new pg.Client({ connectionString: url })
  await neighbour.connect()
  const api = platform.client('owner')
  const watched: Watched = { query: [], api: [] }
  let isOver = false
  void over.finally(() => {
    isOver = true
  })
  while (!isOver) {
    watched.query.push((await timed(() => neighbour.query(query))).ms)
    watched.api.push((await timed(() => api.runs({ product: PRODUCT }))).ms)
    await pause(20)
  }
  await neighbour.end()
  return watched
}
