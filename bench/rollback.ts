import { join } from 'node:path'
import pg from 'pg'
import type { TestPlatform } from '../test/platform.ts'
import { makeProduct, orderFiles, push, SMALL_MESH, startSmallMesh, waitForEnd, writeFiles } from '../test/small-mesh.ts'
import { atMost, type Bench, figure, ratio, timed } from './figures.ts'

const ROUNDS = 10
const SMALL = { product: 'large/small', rows: 10_000 }
const LARGE = { product: 'large/large', rows: 10_000_000 }
const BUILD_SECONDS = 380
const PATIENCE_MS = 30_000
/** as the launcher has it */
const COMPILE_CACHE = join(import.meta.dirname, '../.runtime/compile-cache')

/** A domain that may build ten million rows. */
const MESH = SMALL_MESH.replace(
  'sources:',
  '  large: {title: Large, owners: [developer], budget: {connections: 12, statement: 10m, tempFiles: 8GB}}\nsources:',
).replace(
  'templates:',
  'templates:\n  small: {title: Small, path: "{data}/work/templates/small"}\n  large: {title: Large, path: "{data}/work/templates/large"}',
)

type Round = {
  /** `heddle rollback` called → a session that was opened after the call reads the other release */
  served: number
  /** `heddle rollback` called → the command has ended */
  command: number
  /** the run: stored → ended */
  run: number
  steps: Map<string, number>
  /** the slowest log-in and first row of a new session while the roll back ran */
  reader: number
}

/** From the call to what a new session reads, while one transaction holds a cursor open and one statement scans all the while. */
export const rollback: Bench = {
  name: 'rollback',
  about: 'roll back under open readers at ten thousand and at ten million rows',
  async run(say) {
    const platform = await startSmallMesh({ mesh: MESH })
    try {
      for (const { product, rows } of [SMALL, LARGE]) {
        const { ms } = await timed(() => makeReleases(platform, product, rows))
        say(`${product}: two releases of ${rows.toLocaleString('en-GB')} rows in ${Math.round(ms / 1000)} s`)
      }
      const rounds = { small: [] as Round[], large: [] as Round[] }
      for (let round = 0; round <= ROUNDS; round++) {
        const target = round % 2 === 0 ? 2 : 3
        const sides = [
          async () => rounds.small.push(await rollbackOnce(platform, SMALL.product, target)),
          async () => rounds.large.push(await rollbackOnce(platform, LARGE.product, target)),
        ]
        for (const side of round % 2 === 0 ? sides : sides.reverse()) await side()
        // The round before the first is for everyone's caches.
        if (round === 0) for (const values of Object.values(rounds)) values.pop()
        else say(`round ${round}: ${Math.round(rounds.small.at(-1)!.served)} ms, ${Math.round(rounds.large.at(-1)!.served)} ms`)
      }
      const of = (size: 'small' | 'large', what: (round: Round) => number) => rounds[size].map(what)
      const served = [of('small', ({ served }) => served), of('large', ({ served }) => served)] as const
      const runs = [of('small', ({ run }) => run), of('large', ({ run }) => run)] as const
      const slope = runs[1].map((ms, index) => (ms - runs[0][index]!) / ((LARGE.rows - SMALL.rows) / 1e6))
      const steps = [...rounds.large[0]!.steps.keys()]
      return {
        rounds: ROUNDS,
        figures: {
          '10 thousand rows: call → a new session reads the other release': figure(served[0], 'ms'),
          '10 million rows: call → a new session reads the other release': figure(served[1], 'ms'),
          '10 thousand rows: the run, stored → ended': figure(runs[0], 'ms'),
          '10 million rows: the run, stored → ended': figure(runs[1], 'ms'),
          '10 million rows: the whole command': figure(
            of('large', ({ command }) => command),
            'ms',
          ),
          '10 million rows: slowest log-in and first row of a new session meanwhile': figure(
            of('large', ({ reader }) => reader),
            'ms',
          ),
          'slope of the run over size': figure(slope, 'ms per million rows'),
          ...Object.fromEntries(
            steps.map((id) => [
              `10 million rows: step ${id}`,
              figure(
                of('large', (round) => round.steps.get(id)!),
                'ms',
              ),
            ]),
          ),
        },
        ratios: { 'run at 10 million ÷ run at 10 thousand rows': ratio(runs[1], runs[0]) },
        limits: [
          atMost('10 thousand rows: call → the other release, slowest', Math.max(...served[0]), 2000, 'ms'),
          atMost('10 million rows: call → the other release, slowest', Math.max(...served[1]), 2000, 'ms'),
          atMost('slope of the run over size', figure(slope, '').median, 5, 'ms per million rows'),
        ],
        notes: [
          'The call is the command line as a process of its own, so its start is in the figure.',
          'Open readers: a READ COMMITTED transaction with a cursor half read, which goes on reading its release afterwards while its next statement reads the other one; and one statement that scans the table again and again, on one processor, from before the call until after it.',
          'The new sessions log in and read one row, one after the other, from the call on: up to one of them is the measuring itself.',
        ],
      }
    } finally {
      await platform.dispose()
    }
  },
}

/** r1 is small for both; r2 and r3 have the rows that are measured, and are told apart by a column. */
async function makeReleases(platform: TestPlatform, product: string, rows: number): Promise<void> {
  const name = product.split('/')[1]!
  await writeFiles(join(platform.data, 'work/templates', name), filesOf(name, 1_000, 'r1'))
  await makeProduct(platform, product, ['--template', name])
  const tree = await platform.clone(product)
  for (const release of ['r2', 'r3']) {
    const pushed = await push(platform, tree, { 'dbt/models/orders.sql': modelOf(rows, release) })
    if (pushed.run === null) throw new Error(pushed.text)
    const run = await waitForEnd(platform, pushed.run, BUILD_SECONDS)
    if (run.state !== 'succeeded') throw new Error(JSON.stringify(run.problem))
  }
}

function modelOf(rows: number, release: string): string {
  return `select i::bigint as id, '${release}'::text as item, (i % 1000)::integer as amount from generate_series(1, ${rows}) as i\n`
}

/** The sample product of the tests, without its file: the model makes its rows. */
function filesOf(name: string, rows: number, release: string): Record<string, string> {
  const files = orderFiles()
  const spec = files['data_product_spec.yml']!
  const [first, last] = [spec.indexOf('    - name: orders-file'), spec.indexOf('    - name: build')]
  delete files['dbt/models/sources.yml']
  return {
    ...files,
    'data_product_spec.yml': (spec.slice(0, first) + spec.slice(last))
      .replace('name: orders\n  namespace: shop', `name: ${name}\n  namespace: large`)
      .replace('      dependsOn: [ingest]\n', ''),
    'data_product_deploy.yml': files['data_product_deploy.yml']!.replace('name: orders', `name: ${name}`),
    'dbt/models/orders.sql': modelOf(rows, release),
  }
}

async function rollbackOnce(platform: TestPlatform, product: string, target: number): Promise<Round> {
  const { url, ports } = await platform.client().connect(product)
  const relation = `"${ports[0]!.schema}"."${ports[0]!.objects[0]}"`
  const readers = await openReaders(url, relation)
  try {
    const began = performance.now()
    const called = platform
      .cli(['rollback', product, '--to', `r${target}`, '--yes', '--json'], { env: { NODE_COMPILE_CACHE: COMPILE_CACHE } })
      .then((ran) => {
        if (ran.status !== 0) throw new Error(ran.stderr + ran.stdout)
        return performance.now() - began
      })
    const [command, { served, reader }] = await Promise.all([called, untilServed(url, relation, `r${target}`, began)])
    await readers.check(`r${target}`)
    return { served, command, reader, ...(await timesOf(platform, product)) }
  } finally {
    await readers.close()
  }
}

async function openReaders(url: string, relation: string) {
  const [holder, scanner, ender] = await Promise.all([connect(url), connect(url), connect(url)])
  await holder.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await holder.query(`DECLARE open_cursor CURSOR FOR SELECT item FROM ${relation}`)
  const [first] = (await holder.query<{ item: string }>('FETCH 500 FROM open_cursor')).rows
  // On one processor: both sizes then leave the roll back the same rest of the machine.
  await scanner.query('SET max_parallel_workers_per_gather = 0')
  const { rows } = await scanner.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  let scanning = true
  const scan = scanner
    .query(
      `SELECT sum(v.amount::numeric * g) FROM generate_series(1, 10000000) AS g CROSS JOIN LATERAL (SELECT amount FROM ${relation} OFFSET g * 0) AS v`,
    )
    .catch(() => {})
    .finally(() => {
      scanning = false
    })
  return {
    async check(release: string) {
      if (!scanning) throw new Error('the long statement has ended before the roll back: nothing was measured')
      const kept = (await holder.query<{ item: string }>('FETCH 500 FROM open_cursor')).rows
      if (kept.length !== 500 || kept.some(({ item }) => item !== first!.item))
        throw new Error('the open cursor lost its release')
      const [next] = (await holder.query<{ item: string }>(`SELECT item FROM ${relation} LIMIT 1`)).rows
      if (next!.item !== release) throw new Error(`the open transaction reads ${next!.item} after the roll back to ${release}`)
    },
    async close() {
      await ender.query('SELECT pg_cancel_backend($1)', [rows[0]!.pid])
      await scan
      await Promise.all([holder, scanner, ender].map((client) => client.end()))
    },
  }
}

/** New sessions, one after the other, until one reads the release. */
async function untilServed(url: string, relation: string, release: string, began: number) {
  let reader = 0
  for (;;) {
    const { ms, value } = await timed(async () => {
      const client = await connect(url)
      const { rows } = await client.query<{ item: string }>(`SELECT item FROM ${relation} LIMIT 1`)
      await client.end()
      return rows[0]?.item
    })
    reader = Math.max(reader, ms)
    const served = performance.now() - began
    if (value === release) return { served, reader }
    if (served > PATIENCE_MS) throw new Error(`${release} is not served after ${PATIENCE_MS / 1000} s`)
  }
}

async function timesOf(platform: TestPlatform, product: string): Promise<{ run: number; steps: Map<string, number> }> {
  const control = await platform.control()
  const { rows } = await control.query<{ id: string; ms: string; run: string }>(
    `SELECT s.id, extract(epoch FROM s.ended_at - s.started_at) * 1000 AS ms, extract(epoch FROM r.ended_at - r.created_at) * 1000 AS run
     FROM step s JOIN run r ON r.id = s.run
     WHERE r.number = (SELECT max(l.number) FROM run l JOIN product p ON p.id = l.product WHERE p.domain || '/' || p.name = $1 AND l.kind = 'rollback')
     ORDER BY s.ordinal`,
    [product],
  )
  await control.end()
  return { run: Number(rows[0]!.run), steps: new Map(rows.map(({ id, ms }) => [id, Number(ms)])) }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}
