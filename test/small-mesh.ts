import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import type { Run, RunSummary } from '../src/client/types.ts'
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from './platform.ts'

/** One environment, two domains with a source each, sample users: enough for tests that write their own products. */
export const SMALL_MESH = `apiVersion: heddle.dev/v1alpha1
kind: Mesh
metadata: {name: small}
environments:
  prod: {warehouse: {adapter: postgres}}
domains:
  shop: {title: Shop, owners: [developer], budget: {connections: 8, statement: 30s, tempFiles: 512MB}}
  shop-orders: {title: Collides by name, owners: [developer]}
  clinic: {title: Clinic, owners: [owner]}
sources:
  shop-files: {path: "{data}/work/sources/shop", domains: [shop]}
  clinic-files: {path: "{data}/work/sources/clinic", domains: [clinic]}
templates:
  orders: {title: Orders, path: "{data}/work/templates/orders"}
subjects:
  developer: {title: Dana Developer, domain: shop, sample: true}
  owner: {title: Olu Owner, domain: clinic, sample: true}
  consumer: {title: Cam Consumer, domain: clinic, sample: true}
  stranger: {title: Sam Stranger, sample: true}
  platform: {title: Pat Platform, groups: [platform], sample: true}
  governance: {title: Gil Governance, groups: [governance], sample: true}
  robot: {title: Not a sample user, groups: [platform]}
`

export const ORDERS_CSV = 'id,item,amount\n1,pen,3\n2,ink,12\n3,paper,7\n'

/** `shop/orders`: one file in, one dbt model with a test, one port that others may ask for. */
export function orderFiles(): Record<string, string> {
  return {
    'data_product_spec.yml': SPEC,
    'data_product_deploy.yml': `apiVersion: heddle.dev/v1alpha1
kind: Pipeline
metadata: {name: orders}
triggers:
  push: {branches: [main]}
environments:
  prod: {protected: false}
`,
    'README.md': '# Orders\n',
    'dbt/dbt_project.yml': `name: orders
version: "1.0.0"
config-version: 2
profile: heddle
model-paths: [models]
test-paths: [tests]
macro-paths: [macros]
models:
  orders:
    +materialized: table
`,
    'dbt/models/sources.yml': `version: 2
sources:
  - name: staging
    schema: "{{ var('heddle_private', target.schema) }}"
    tables:
      - name: orders
`,
    'dbt/models/orders.sql': ORDERS_SQL,
    'dbt/models/orders.yml': `version: 2
models:
  - name: orders
    columns:
      - name: id
        data_tests: [unique, not_null]
`,
  }
}

export const ORDERS_SQL = "select id::bigint as id, item, amount::integer as amount from {{ source('staging', 'orders') }}\n"

const SPEC = `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: orders
  namespace: shop
spec:
  components:
    - name: orders-file
      type: file-input-port
      properties:
        server: {type: local, path: shop-files/orders.csv, format: csv, delimiter: ",", null: ""}
        contract:
          schema:
            - name: orders
              properties:
                - {name: id, logicalType: string, primaryKey: true, required: true}
                - {name: item, logicalType: string, required: true}
                - {name: amount, logicalType: string}
    - name: ingest
      type: file-ingestion
      dependsOn: [orders-file]
      properties: {writes: [{from: orders-file, to: staging.orders}]}
    - name: build
      type: dbt-transformation
      dependsOn: [ingest]
    - name: orders
      type: sql-output-port
      dependsOn: [build]
      properties:
        version: "1.0.0"
        contract:
          schema:
            - name: orders
              description: Orders by number.
              dataGranularityDescription: One row per order
              properties:
                - {name: id, logicalType: integer, primaryKey: true, required: true, unique: true, description: Number}
                - {name: item, logicalType: string, required: true, description: What was bought}
                - {name: amount, logicalType: integer, description: How many}
              quality:
                - {id: has-rows, metric: rowCount, mustBeGreaterThan: 0, dimension: completeness}
      traits:
        - type: service-level
          properties: {availability: 99%, completeness: {within: 5%}, freshness: {threshold: 24h}}
  policies:
    - name: product
      type: data-product
      properties:
        title: Orders
        status: active
        description: {purpose: Orders for tests., limitations: None., usage: Join on id.}
        tags: [shop]
        support: [{channel: shop-help, tool: other, scope: interactive}]
    - name: internal-use
      type: data-sharing-agreement
      properties: {purpose: [operations, analytics], classification: internal, duration: {default: 90d, max: 180d}}
`

/** The platform on the small mesh, with the orders' source and template in place. */
export async function startSmallMesh(options: Omit<TestPlatformOptions, 'sample'> = {}): Promise<TestPlatform> {
  const platform = await startTestPlatform({ mesh: SMALL_MESH, ...options })
  await writeSource(platform, 'shop/orders.csv', ORDERS_CSV)
  await writeFiles(join(platform.data, 'work/templates/orders'), orderFiles())
  return platform
}

/** Puts a file into a source's folder, as the team of the source would. */
export async function writeSource(platform: TestPlatform, path: string, text: string): Promise<void> {
  await writeFiles(join(platform.data, 'work/sources'), { [path]: text })
}

export async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
    await chmod(join(folder, path), 0o644)
  }
}

/** Asks for a product by the command line and waits until its first deploy has ended. */
export async function makeProduct(platform: TestPlatform, address: string, more: string[] = []): Promise<void> {
  const made = await platform.cli(['new', address, '--yes', ...more])
  if (made.status !== 0) throw new Error(made.stderr + made.stdout)
  await waitForRun(platform, address, (run) => run.kind === 'deploy' && run.state === 'succeeded')
}

const ENDED = ['succeeded', 'failed', 'cancelled', 'superseded', 'denied']

/** The first run of the product that fits; a failed one that does not fit is told at once. */
export async function waitForRun(
  platform: TestPlatform,
  product: string,
  fits: (run: RunSummary) => boolean,
  seconds = 40,
): Promise<RunSummary> {
  const client = platform.client()
  for (const end = Date.now() + seconds * 1000; ; ) {
    const { items } = await client.runs({ product })
    const found = items.find(fits)
    if (found) return found
    const moving = items.some((run) => !ENDED.includes(run.state))
    if (Date.now() > end || (!moving && items[0]?.state === 'failed'))
      throw new Error(`No such run of ${product}: ${JSON.stringify(items.slice(0, 3), null, 1)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The run with this number, when it has ended. */
export async function waitForEnd(platform: TestPlatform, number: number, seconds = 40): Promise<Run> {
  const client = platform.client()
  for (const end = Date.now() + seconds * 1000; ; ) {
    const run = await client.run(number)
    if (ENDED.includes(run.state)) return run
    if (Date.now() > end) throw new Error(`Run ${number} is ${run.state} after ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Commits the files (null removes one) and pushes main. @returns what the pusher's terminal shows */
export async function push(
  platform: TestPlatform,
  tree: string,
  files: Record<string, string | null>,
  more: string[] = [],
): Promise<{ status: number; text: string; run: number | null; commit: string }> {
  const written = Object.entries(files).filter((pair): pair is [string, string] => pair[1] !== null)
  await writeFiles(tree, Object.fromEntries(written))
  for (const [path, text] of Object.entries(files)) if (text === null) await platform.git(['rm', '--quiet', path], tree)
  await platform.git(['add', '--all'], tree)
  const committed = await platform.git(['commit', '--quiet', '--allow-empty', '--message', 'change'], tree)
  if (committed.status !== 0) throw new Error(committed.stderr)
  return pushHead(platform, tree, more)
}

export async function pushHead(
  platform: TestPlatform,
  tree: string,
  more: string[] = [],
): Promise<{ status: number; text: string; run: number | null; commit: string }> {
  const commit = (await platform.git(['rev-parse', 'HEAD'], tree)).stdout.trim()
  const pushed = await platform.git(['push', ...more, 'origin', 'HEAD:main'], tree)
  const run = /\brun (\d+) /.exec(pushed.stderr)?.[1]
  return { status: pushed.status, text: pushed.stderr, run: run === undefined ? null : Number(run), commit }
}

/** A session with what `heddle connect` gives: how any reader reads. */
export async function connectAs(platform: TestPlatform, address: string, as?: string, environment?: string): Promise<pg.Client> {
  const more = [...(as ? ['--as', as] : []), ...(environment ? ['--env', environment] : [])]
  const connected = await platform.cli(['connect', address, '--json', ...more])
  if (connected.status !== 0) throw new Error(connected.stderr + connected.stdout)
  const client = new pg.Client({ connectionString: connected.json<{ url: string }>().url })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Rows of the orders as their readers see them now, from a session of its own. */
export async function servedOrders(platform: TestPlatform, as?: string): Promise<{ id: string; item: string; amount: number }[]> {
  const reader = await connectAs(platform, 'shop/orders', as)
  try {
    return (await reader.query('select id, item, amount from shop_orders_orders_v1.orders order by id')).rows
  } finally {
    await reader.end()
  }
}
