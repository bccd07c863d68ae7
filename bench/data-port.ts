import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { connectAs, makeProduct, startSmallMesh, writeSource } from '../test/small-mesh.ts'
import { type Bench, figure, inTurns, percentile, ratio, timed } from './figures.ts'

const POINTS = 400
const WARM = 50
const EXPORTS = 7
const ROWS = 100_000
const PSQL = '/usr/bin/psql'
const VIEW = 'shop_orders_orders_v1.orders'

/** The data port against the same rows by SQL: a session that is open already for one row, psql's COPY for many. */
export const dataPort: Bench = {
  name: 'data-port',
  about: 'one row and 100,000 rows over HTTP, against plain pg and COPY',
  async run(say) {
    const platform = await startSmallMesh()
    try {
      const lines = Array.from({ length: ROWS }, (_, n) => `${n + 1},item number ${n % 997},${n % 50}`)
      await writeSource(platform, 'shop/orders.csv', `id,item,amount\n${lines.join('\n')}\n`)
      await makeProduct(platform, 'shop/orders', ['--template', 'orders'])
      const token = (await readFile(join(platform.data, 'cli-token'), 'utf8')).trim()
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const get = (path: string, accept: string) =>
        download(platform.url + path, { authorization: `Bearer ${token}`, accept }, agent)
      const client = await connectAs(platform, 'shop/orders')
      const { url } = await platform.client().connect('shop/orders')

      const overHttp: number[] = []
      const overSql: number[] = []
      for (let turn = 0; turn < POINTS + WARM; turn++) {
        const id = 1 + ((turn * 7919) % ROWS)
        const [http, sql] = [overHttp, overSql]
        await inTurns(
          turn,
          async () => {
            const { ms, value } = await timed(() =>
              get(`/data/shop/orders/orders/v1/orders?id=eq.${id}&limit=1`, 'application/json'),
            )
            if (value < 50) throw new Error('no row')
            if (turn >= WARM) http.push(ms)
          },
          async () => {
            const { ms, value } = await timed(() =>
              client.query(`SELECT id, item, amount FROM ${VIEW} WHERE id = $1 ORDER BY id LIMIT 1`, [id]),
            )
            if (value.rowCount !== 1) throw new Error('no row')
            if (turn >= WARM) sql.push(ms)
          },
        )
      }
      const csv: number[] = []
      const copy: number[] = []
      let bytes = 0
      for (let turn = 0; turn < EXPORTS + 1; turn++)
        await inTurns(
          turn,
          async () => {
            const { ms, value } = await timed(() => get('/data/shop/orders/orders/v1/orders', 'text/csv'))
            bytes = value
            if (turn > 0) csv.push(ms)
          },
          async () => {
            const { ms } = await timed(() => copyAll(url))
            if (turn > 0) copy.push(ms)
          },
        )
      await client.end()
      agent.destroy()
      say(`${POINTS} points, ${EXPORTS} exports of ${ROWS} rows, ${Math.round(bytes / 1024)} KB`)
      const shares = (values: number[]) =>
        `p50 ${percentile(values, 0.5).toFixed(2)} ms, p99 ${percentile(values, 0.99).toFixed(2)} ms`
      return {
        rounds: POINTS,
        figures: {
          'one row over HTTP': figure(overHttp, 'ms'),
          'one row by pg on an open session': figure(overSql, 'ms'),
          '100,000 rows as CSV over HTTP': figure(csv, 'ms'),
          '100,000 rows by COPY': figure(copy, 'ms'),
        },
        ratios: { 'one row: HTTP ÷ pg': ratio(overHttp, overSql), 'CSV: HTTP ÷ COPY': ratio(csv, copy) },
        limits: [],
        notes: [
          `One row over HTTP: ${shares(overHttp)}; by pg: ${shares(overSql)}. The table has no index, so both read it whole; HTTP also finds who calls, what they may, and what is published.`,
          existsSync(PSQL)
            ? 'COPY is psql -c "COPY (…) TO STDOUT" into nothing, its start and log-in included, as every download by hand has it.'
            : 'COPY is node-postgres on a session opened for it: there is no psql here.',
        ],
      }
    } finally {
      await platform.dispose()
    }
  },
}

/** @returns bytes of the body */
function download(url: string, headers: Record<string, string>, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, agent }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => (bytes += chunk.length))
      response.on('end', () =>
        response.statusCode === 200 ? resolve(bytes) : reject(new Error(`status ${response.statusCode}`)),
      )
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end()
  })
}

async function copyAll(url: string): Promise<void> {
  const sql = `COPY (SELECT * FROM ${VIEW}) TO STDOUT (FORMAT csv, HEADER)`
  if (existsSync(PSQL)) {
    const ran = spawnSync(PSQL, [url, '-X', '-q', '-c', sql], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' })
    if (ran.status !== 0) throw new Error(ran.stderr)
    return
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await pipeline(client.query(copyTo(sql)), async (rows) => {
    for await (const _ of rows);
  })
  await client.end()
}
