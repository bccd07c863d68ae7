import type pg from 'pg'
import { consume, deploy, makeProduct, openWorld } from '../test/attacks/world.ts'
import { type Bench, figure, ratio, timed } from './figures.ts'

const ROUNDS = 9
const READS = 400
const ROWS = 100_000

/** What counting a read costs the reader, and what looking at the counts costs the server. */
export const usage: Bench = {
  name: 'usage',
  about: 'a point read through the guard that counts, through the guard alone, and through a plain view',
  async run(say) {
    const world = await openWorld()
    try {
      const product = await makeProduct(world)
      const key = `ALTER TABLE ${product.names.build}.flights ADD PRIMARY KEY (id)`
      await deploy(world, product, 1, { rows: ROWS, extra: [key] })
      const reader = await consume(world, product, 'carol')
      const admin = await world.superuser()
      const port = product.names.served('data', 1)
      const table = `${product.names.revision(1)}.flights`
      await admin.query(`CREATE SCHEMA bench_views; GRANT USAGE ON SCHEMA bench_views TO PUBLIC;
        CREATE VIEW bench_views.bare AS SELECT id, origin, tail FROM ${table};
        CREATE VIEW bench_views.guarded AS SELECT id, origin, tail FROM ${table} WHERE (SELECT heddle.seen('${port}', 1));
        GRANT SELECT ON ALL TABLES IN SCHEMA bench_views TO PUBLIC`)
      const views = { bare: 'bench_views.bare', guarded: 'bench_views.guarded', counted: `${port}.flights` }
      const prepared: Record<string, number[]> = { bare: [], guarded: [], counted: [] }
      const simple: Record<string, number[]> = { bare: [], guarded: [], counted: [] }
      for (let round = 0; round < ROUNDS; round++)
        for (const [name, view] of Object.entries(views)) {
          prepared[name]!.push(
            await perRead(reader, (id) => ({ name, text: `SELECT tail FROM ${view} WHERE id = $1`, values: [id] })),
          )
          simple[name]!.push(await perRead(reader, (id) => `SELECT tail FROM ${view} WHERE id = ${id}`))
        }
      const looks: number[] = []
      for (let n = 0; n < ROUNDS; n++) {
        await reader.query(`SELECT tail FROM ${port}.flights WHERE id = 1`)
        looks.push((await timed(() => world.warehouse.readUsage({ since: null, keepDays: 400 }))).ms)
      }
      const { rows } = await admin.query('SELECT count(*)::int AS n FROM heddle.pg_stat_statements(false)')
      say(`${ROUNDS} rounds of ${READS} reads`)
      const all: [string, Record<string, number[]>][] = [
        ['prepared', prepared],
        ['simple', simple],
      ]
      return {
        rounds: ROUNDS,
        figures: {
          ...Object.fromEntries(
            all.flatMap(([how, of]) => Object.entries(of).map(([name, values]) => [`${how}, ${name}`, figure(values, 'ms')])),
          ),
          'one look at the counts': figure(looks, 'ms'),
        },
        ratios: Object.fromEntries(all.map(([how, of]) => [`${how}: counted ÷ guarded`, ratio(of.counted!, of.guarded!)])),
        limits: [],
        notes: [
          `One client on loopback, ${ROWS} rows, ${READS} point reads a round by primary key; the statistics held ${rows[0].n} entries.`,
        ],
      }
    } finally {
      await world.dispose()
    }
  },
}

async function perRead(client: pg.Client, query: (id: number) => string | pg.QueryConfig): Promise<number> {
  const { ms } = await timed(async () => {
    for (let n = 0; n < READS; n++) await client.query(query(1 + ((n * 7919) % ROWS)) as string)
  })
  return ms / READS
}
