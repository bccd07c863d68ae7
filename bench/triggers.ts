import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { DAYS, holdDays, makeBoth, startMeshOfTwo, TOTALS } from '../test/mesh-of-two.ts'
import { atMost, type Bench, figure, median, percentile } from './figures.ts'

const ROUNDS = 100

/** Each round refreshes the upper of two small products and waits until the lower one has followed. */
export const triggers: Bench = {
  name: 'triggers',
  about: 'a publication → the dependent run started; no run without news',
  async run(say) {
    const platform = await startMeshOfTwo()
    try {
      await holdDays(platform, ['2013-12-01'])
      await makeBoth(platform)
      const control = await platform.control()
      const client = platform.client()
      for (let round = 1; round <= ROUNDS; round++) {
        await client.refresh(DAYS)
        await untilFollowed(control, round)
        if (round % 25 === 0) say(`${round} of ${ROUNDS} publications followed`)
      }
      await pause(2_500)
      const { rows } = await control.query<{ started: string; stored: string }>(
        `select extract(epoch from r.started_at - o.at) * 1000 as started, extract(epoch from r.created_at - o.at) * 1000 as stored
         from run r join product p on p.id = r.product join reading d on d.run = r.id
         join published_port o on o.product = d.upstream and o.port = d.port and o.publication = d.publication
         where r.kind = 'refresh' and p.domain || '/' || p.name = $1 order by r.number`,
        [TOTALS],
      )
      const started = rows.map((row) => Number(row.started))
      const surplus = rows.length - ROUNDS
      return {
        rounds: ROUNDS,
        figures: {
          'publication → dependent run started': figure(started, 'ms'),
          'publication → dependent run stored': figure(
            rows.map((row) => Number(row.stored)),
            'ms',
          ),
          'p99 of started': figure([percentile(started, 0.99)], 'ms'),
        },
        ratios: {},
        limits: [
          atMost('publication → dependent run started, p50', median(started), 250, 'ms'),
          atMost('publication → dependent run started, p99', percentile(started, 0.99), 500, 'ms'),
          atMost('runs without a newer input', surplus, 0, 'runs'),
        ],
        notes: [
          'From the time of the commit that publishes, by the clock of the database that holds the data, to the claim of the dependent run.',
          'Both products run real dbt builds of one small table, one after the other; nothing else runs.',
        ],
      }
    } finally {
      await platform.dispose()
    }
  },
}

async function untilFollowed(control: pg.Client, count: number): Promise<void> {
  for (const end = Date.now() + 60_000; ; await pause(20)) {
    const { rows } = await control.query<{ done: number; failed: number }>(
      `select count(*) filter (where r.state = 'succeeded')::int as done, count(*) filter (where r.state = 'failed')::int as failed
       from run r join product p on p.id = r.product where r.kind = 'refresh' and p.domain || '/' || p.name = $1`,
      [TOTALS],
    )
    if (rows[0]!.done >= count) return
    if (rows[0]!.failed > 0 || Date.now() > end) throw new Error(`${rows[0]!.done} of ${count} publications were followed`)
  }
}
