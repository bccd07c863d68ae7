import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { createDbtTransformation } from '../src/adapters/dbt/transformation.ts'
import type { Transformation } from '../src/platform/transformation.ts'
import type { TestPlatform } from '../test/platform.ts'
import { makeProduct, ORDERS_SQL, orderFiles, pushHead, startSmallMesh, writeFiles, writeSource } from '../test/small-mesh.ts'
import { atMost, type Bench, figure, median, ratio, timed } from './figures.ts'
import { countStatements } from './statements.ts'
import { untilSucceeded } from './until-succeeded.ts'

const ROUNDS = 7
const ROWS = 200_000
const PRODUCT = 'shop/orders'
const python = join(import.meta.dirname, '../.runtime/python')

/** A product of ordinary size: a file, four models, ten tests. The two other sides build the same files of the same commit. */
const FILES: Record<string, string> = {
  'dbt/models/by_item.sql':
    "select item, count(*)::integer as orders, sum(amount)::bigint as amount from {{ ref('orders') }} group by item\n",
  'dbt/models/large.sql': "select * from {{ ref('orders') }} where amount > 90\n",
  'dbt/models/small.sql': "{{ config(materialized='view') }}\nselect * from {{ ref('orders') }} where amount <= 10\n",
  'dbt/models/more.yml': `version: 2
models:
  - name: by_item
    columns:
      - {name: item, data_tests: [unique, not_null]}
      - {name: orders, data_tests: [not_null]}
      - {name: amount, data_tests: [not_null]}
  - name: large
    columns:
      - {name: id, data_tests: [unique, not_null]}
  - name: small
    columns:
      - {name: id, data_tests: [unique, not_null]}
`,
}

export const deploy: Bench = {
  name: 'deploy',
  about: 'a deploy against the same COPY and dbt build in the same warm fork server, and against a cold dbt build process',
  async run(say) {
    const base = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
    await chmod(base, 0o755)
    const platform = await startSmallMesh()
    let raw: RawBuild | undefined
    try {
      await writeSource(platform, 'shop/orders.csv', manyOrders())
      await makeProduct(platform, PRODUCT, ['--template', 'orders'])
      const tree = await platform.clone(PRODUCT)
      const control = await platform.control()
      const [sent, asked] = await Promise.all([countStatements(control), countStatements(await platform.warehouse('prod'))])
      raw = await createRawBuild(platform, base)
      const times: Record<'ours' | 'copy' | 'build' | 'cold' | 'gaps' | 'statements' | 'warehouse', number[]> = {
        ours: [],
        copy: [],
        build: [],
        cold: [],
        gaps: [],
        statements: [],
        warehouse: [],
      }
      const steps = new Map<string, number[]>()
      for (let round = 0; round <= ROUNDS; round++) {
        const files = { ...FILES, 'dbt/models/orders.sql': `${ORDERS_SQL}-- ${round}\n` }
        await Promise.all([writeFiles(tree, files), raw.write(files)])
        const sides = [
          async () => {
            await Promise.all([sent.take(), asked.take()])
            const timing = await deployOnce(platform, control, tree)
            times.ours.push(timing.ms)
            times.gaps.push(timing.gaps)
            times.statements.push((await sent.take()).calls)
            times.warehouse.push((await asked.take()).calls)
            for (const { id, ms } of timing.steps) steps.set(id, [...(steps.get(id) ?? []), ms])
          },
          async () => {
            const { copy, build } = await raw!.warm()
            times.copy.push(copy)
            times.build.push(build)
          },
          async () => void times.cold.push(await raw!.cold()),
        ]
        for (const side of round % 2 === 0 ? sides : sides.reverse()) await side()
        // The round before the first is for everyone's caches.
        if (round === 0) for (const values of [...Object.values(times), ...steps.values()]) values.pop()
        else
          say(
            `round ${round}: deploy ${last(times.ours)}, COPY ${last(times.copy)} + dbt ${last(times.build)}, cold dbt ${last(times.cold)}`,
          )
      }
      const without = times.copy.map((copy, round) => copy + times.build[round]!)
      const ingest = [...steps].filter(([id]) => id.startsWith('ingest')).flatMap(([, values]) => values)
      const added = times.ours.map((value, round) => value - without[round]!)
      const ratios = {
        'deploy ÷ the same without the platform': ratio(times.ours, without),
        'deploy ÷ cold dbt build alone': ratio(times.ours, times.cold),
        'ingest step ÷ COPY': ratio(ingest, times.copy),
        'transform step ÷ dbt build': ratio(steps.get('transform-build')!, times.build),
      }
      return {
        rounds: ROUNDS,
        figures: {
          'deploy, run stored → ended': figure(times.ours, 'ms'),
          'COPY + dbt build, warm, without the platform': figure(without, 'ms'),
          'of it COPY': figure(times.copy, 'ms'),
          'of it dbt build': figure(times.build, 'ms'),
          'cold dbt build process, without COPY': figure(times.cold, 'ms'),
          'added by the platform': figure(added, 'ms'),
          'of it between the steps of the run': figure(times.gaps, 'ms'),
          ...Object.fromEntries([...steps].map(([id, values]) => [`step ${id}`, figure(values, 'ms')])),
          'control statements of a deploy': figure(times.statements, 'statements'),
          'warehouse statements of a deploy, with those of dbt': figure(times.warehouse, 'statements'),
        },
        ratios,
        limits: [
          atMost('deploy ÷ the same without the platform', ratios['deploy ÷ the same without the platform'].median, 1.3, '×'),
          atMost('deploy ÷ cold dbt build alone', ratios['deploy ÷ cold dbt build alone'].median, 1, '×'),
          atMost('added by the platform (300 ms + 3 %)', median(added), 300 + 0.03 * median(without), 'ms'),
        ],
        notes: [
          `${ROWS.toLocaleString('en-GB')} rows, 4 models, 10 tests; each round changes one model. Same server, same files, same durability; the build schema is empty on all sides.`,
          'The cold process keeps its own parsed project from round to round, as the warm ones do.',
        ],
      }
    } finally {
      await raw?.close()
      await platform.dispose()
      await rm(base, { recursive: true, force: true })
    }
  },
}

type Timing = { ms: number; gaps: number; steps: { id: string; ms: number }[] }

async function deployOnce(platform: TestPlatform, control: pg.Client, tree: string): Promise<Timing> {
  await platform.git(['add', '--all'], tree)
  await platform.git(['commit', '--quiet', '--message', 'change'], tree)
  const pushed = await pushHead(platform, tree)
  if (pushed.run === null) throw new Error(pushed.text)
  await untilSucceeded(control, pushed.run)
  const { rows } = await control.query<{ id: string; began: string; ended: string; created: string; done: string }>(
    `SELECT s.id, extract(epoch FROM s.started_at) * 1000 AS began, extract(epoch FROM s.ended_at) * 1000 AS ended,
       extract(epoch FROM r.created_at) * 1000 AS created, extract(epoch FROM r.ended_at) * 1000 AS done
     FROM step s JOIN run r ON r.id = s.run WHERE r.number = $1 ORDER BY s.ordinal`,
    [pushed.run],
  )
  const steps = rows.map(({ id, began, ended }) => ({ id, ms: Number(ended) - Number(began) }))
  const total = Number(rows[0]!.done) - Number(rows[0]!.created)
  return { ms: total, gaps: total - steps.reduce((sum, step) => sum + step.ms, 0), steps }
}

type RawBuild = {
  write(files: Record<string, string>): Promise<void>
  /** ms of COPY and of dbt build by a fork server of its own */
  warm(): Promise<{ copy: number; build: number }>
  /** ms of `dbt build` as a process of its own */
  cold(): Promise<number>
  close(): Promise<void>
}

/** The same work by hand: a login, a schema to load into and one to build in, in the same database. */
async function createRawBuild(platform: TestPlatform, base: string): Promise<RawBuild> {
  const project = join(base, 'project')
  const isRoot = process.getuid?.() === 0
  const admin = await platform.warehouse('prod')
  const [host, port, database] = [admin.host, admin.port, admin.database!]
  await admin.query(`CREATE ROLE bench_service LOGIN PASSWORD 'bench'; CREATE SCHEMA bench_private`)
  await admin.query(
    `GRANT CONNECT, TEMP ON DATABASE "${database}" TO bench_service; GRANT USAGE ON SCHEMA bench_private TO bench_service`,
  )
  const dbt: Transformation = createDbtTransformation({
    python: join(python, 'bin/python'),
    workDir: join(base, 'work'),
    uidBase: isRoot ? 220_000 : null,
    uidFor: () => 1,
    log: () => {},
  })
  await dbt.warm()
  const target = { host, port, database, user: 'bench_service', password: 'bench' }
  const write = async (files: Record<string, string>) => {
    await writeFiles(project, files)
    // The folder itself is handed to the job's user by the adapter.
    if (isRoot) await chown(project, 0, 220_001)
  }
  await write(orderFiles())
  const profiles = await writeProfile(base, { ...target, schema: 'bench_cold' })
  let rounds = 0

  const emptySchema = (name: string) =>
    admin.query(`DROP SCHEMA IF EXISTS ${name} CASCADE; CREATE SCHEMA ${name} AUTHORIZATION bench_service`)

  return {
    write,
    async warm() {
      await emptySchema('bench_build')
      const table = `bench_private.orders_b${++rounds}`
      const copy = await timed(() => load(admin, table, join(platform.data, 'work/sources/shop/orders.csv')))
      const build = await timed(async () => {
        await admin.query(`DROP VIEW IF EXISTS bench_private.orders; CREATE VIEW bench_private.orders AS SELECT * FROM ${table}`)
        await admin.query('GRANT SELECT ON bench_private.orders TO bench_service')
        const result = await dbt.run(
          {
            key: `bench-${rounds}`,
            product: '00000000-0000-7000-8000-000000000001',
            environment: 'prod',
            command: 'build',
            projectDir: join(project, 'dbt'),
            select: '',
            threads: 2,
            ports: [],
            target: { ...target, schema: 'bench_build' },
            vars: { heddle_private: 'bench_private' },
            timeoutMs: 120_000,
          },
          () => {},
          AbortSignal.timeout(120_000),
        )
        if (result.outcome !== 'succeeded') throw new Error(JSON.stringify(result.diagnostics))
      })
      return { copy: copy.ms, build: build.ms }
    },
    async cold() {
      await emptySchema('bench_cold')
      const args = ['build', '--project-dir', join(project, 'dbt'), '--profiles-dir', profiles, '--profile', 'heddle']
      const places = ['--target-path', join(base, 'cold-target'), '--log-path', join(base, 'cold-log')]
      const options = [
        '--threads',
        '2',
        '--no-send-anonymous-usage-stats',
        '--no-version-check',
        '--vars',
        '{heddle_private: bench_private}',
      ]
      const { ms } = await timed(() => runProcess(join(python, 'bin/dbt'), [...args, ...places, ...options]))
      return ms
    },
    async close() {
      await dbt.stop()
    },
  }
}

async function load(admin: pg.Client, table: string, file: string): Promise<void> {
  await admin.query(`BEGIN; CREATE TABLE ${table} (id text, item text, amount text)`)
  await pipeline(createReadStream(file), admin.query(copyFrom(`COPY ${table} FROM STDIN WITH (FORMAT csv, HEADER)`)))
  await admin.query('COMMIT')
}

async function writeProfile(base: string, target: Record<string, string | number>): Promise<string> {
  const folder = join(base, 'profiles')
  await mkdir(folder)
  const { database, ...rest } = target
  const output = { type: 'postgres', dbname: database, threads: 2, ...rest }
  await writeFile(join(folder, 'profiles.yml'), JSON.stringify({ heddle: { target: 'heddle', outputs: { heddle: output } } }))
  return folder
}

async function runProcess(command: string, args: string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said = (said + chunk).slice(-2000)))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${command.split('/').pop()} ended with ${code}: ${said}`)
}

function manyOrders(): string {
  const items = ['pen', 'ink', 'paper', 'stamp', 'clip', 'folder']
  const lines = Array.from({ length: ROWS }, (_, i) => `${i + 1},${items[i % items.length]},${(i * 7919) % 100}`)
  return `id,item,amount\n${lines.join('\n')}\n`
}

function last(values: readonly number[]): string {
  return `${Math.round(values.at(-1)!)} ms`
}
