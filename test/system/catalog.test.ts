import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { candidates } from '../../src/cli/complete.ts'
import { VERBS } from '../../src/cli/verbs.ts'
import type { Lineage } from '../../src/client/types.ts'
import type { TestPlatform } from '../platform.ts'
import { makeProduct, orderFiles, push, SMALL_MESH, startSmallMesh, waitForEnd, waitForRun, writeFiles } from '../small-mesh.ts'

/** Two products, one reading the other, built by real dbt: what can be found of them, and where each column comes from. */
const [ORDERS, TOTALS] = ['shop/orders', 'shop/totals']
const MARKUP = `<img src=x onerror="window.__x=1"> Totals`
const SECRET = 'literal-4711'
let platform: TestPlatform
let control: pg.Client

const MESH = SMALL_MESH.replace(
  'shop: {title: Shop, owners: [developer],',
  'shop: {title: Shop, owners: [developer, owner],',
).replace('subjects:', `  totals: {title: Totals, path: "{data}/work/templates/totals"}\nsubjects:`)

/** The orders with a view between source and port, and a mask on what is served. */
function orders(): Record<string, string> {
  const files = orderFiles()
  const spec = files['data_product_spec.yml']!.replace(
    '      traits:\n',
    `      traits:
        - type: data-policy
          properties:
            columnMasks: [{name: no-item, columns: [orders.item], method: hash, exempt: [{role: owner}]}]
`,
  )
  return {
    ...files,
    'data_product_spec.yml': spec,
    'dbt/models/cleaned.sql': `{{ config(materialized='view') }}
select id, item, amount::integer as amount, '${SECRET}' as origin from {{ source('staging', 'orders') }}\n`,
    'dbt/models/positive.sql': `{{ config(materialized='ephemeral') }}\nselect * from {{ ref('cleaned') }} where amount > 0\n`,
    'dbt/models/orders.sql': `select id::bigint as id, upper(item) as item, amount from {{ ref('positive') }}\n`,
  }
}

function totals(): Record<string, string> {
  const deep = `select ${'('.repeat(600)}1${')'.repeat(600)} as one`
  return {
    'data_product_spec.yml': `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: totals, namespace: shop}
spec:
  components:
    - name: orders
      type: data-product-input-port
      properties:
        dataProduct: {domain: shop, name: orders}
        outputPort: orders
        version: "^1.0.0"
        expects:
          - name: orders
            properties:
              - {name: item, logicalType: string, required: true}
              - {name: amount, logicalType: integer}
    - name: build
      type: dbt-transformation
      dependsOn: [orders]
    - name: totals
      type: sql-output-port
      dependsOn: [build]
      properties:
        version: "1.0.0"
        contract:
          schema:
            - name: totals
              description: Sums per thing that was bought.
              dataGranularityDescription: One row per item
              properties:
                - {name: item, logicalType: string, primaryKey: true, required: true, unique: true, description: What was bought}
                - {name: total, logicalType: integer, description: How many of it}
                - {name: lines, logicalType: integer, description: Orders that name it}
  policies:
    - name: product
      type: data-product
      properties: {title: ${JSON.stringify(MARKUP)}, status: draft, description: {purpose: Sums for whoever counts.}, tags: [sums]}
    - name: internal-use
      type: data-sharing-agreement
      properties: {purpose: [analytics], classification: internal, duration: {default: 90d, max: 180d}}
`,
    'data_product_deploy.yml': `apiVersion: heddle.dev/v1alpha1
kind: Pipeline
metadata: {name: totals}
triggers: {push: {branches: [main]}}
environments: {prod: {protected: false}}
`,
    'dbt/dbt_project.yml': `name: totals
version: "1.0.0"
config-version: 2
profile: heddle
model-paths: [models]
models: {totals: {+materialized: table}}
`,
    'dbt/models/sources.yml': `version: 2
sources:
  - name: orders
    schema: "{{ var('heddle_private', target.schema) }}"
    tables: [{name: orders, identifier: orders__orders}]
`,
    'dbt/models/totals.sql': `with sold as (select item, amount from {{ source('orders', 'orders') }})
select item, sum(amount)::bigint as total, count(*)::bigint as lines from sold group by item\n`,
    'dbt/models/deep.sql': `${deep}\n`,
    'dbt/models/large.sql': `select 1 as one /* ${'x'.repeat(1_000_000)} */\n`,
  }
}

before(async () => {
  platform = await startSmallMesh({ mesh: MESH })
  await writeFiles(join(platform.data, 'work/templates/orders'), orders())
  await writeFiles(join(platform.data, 'work/templates/totals'), totals())
  control = await platform.control()
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  const made = await platform.cli(['new', TOTALS, '--yes', '--template', 'totals'])
  assert.equal(made.status, 0, made.stderr + made.stdout)
  await waitForRun(platform, TOTALS, (run) => run.kind === 'deploy' && run.state === 'succeeded')
  const asked = await platform.client('consumer').createRequest({
    kind: 'access',
    payload: { product: TOTALS, port: 'totals', purpose: 'analytics', justification: 'test' },
  })
  await platform.client('owner').decideRequest(asked.number, 'approve')
  await waitForRun(platform, TOTALS, (run) => run.kind === 'grant' && run.state === 'succeeded')
})
after(() => platform?.dispose())

const edgesOf = ({ edges }: Lineage) => edges.map(({ from, to, kind }) => `${from} ${kind} ${to}`).sort()
const nodeOf = ({ nodes }: Lineage, address: string) => nodes.find((node) => node.address === address)

test('product level: source, upstream, product, consumer, with states and counters', async () => {
  const graph = await platform.client().lineage({ of: TOTALS, up: 2 })
  assert.deepEqual([graph.focus, graph.level, graph.environment], [TOTALS, 'product', 'prod'])
  assert.deepEqual(edgesOf(graph), [
    'shop/orders reads shop/totals',
    'shop/totals consumes consumer:consumer',
    'source:shop/orders/orders-file reads shop/orders',
  ])
  const own = nodeOf(graph, TOTALS)!
  assert.deepEqual([own.kind, own.state, own.up, own.down, own.slo], ['product', 'active', 1, 1, null])
  const upstream = nodeOf(graph, ORDERS)!
  assert.deepEqual([upstream.state, upstream.up, upstream.down], ['active', 1, 1])
  assert.ok(upstream.slo)
  assert.equal(nodeOf(graph, 'source:shop/orders/orders-file')!.name, 'shop-files/orders.csv')
  assert.equal(nodeOf(graph, 'consumer:consumer')!.state, 'active')
  const near = await platform.client().lineage({ of: TOTALS, down: 0 })
  assert.deepEqual(edgesOf(near), ['shop/orders reads shop/totals'])
  // What is not drawn is still counted.
  assert.equal(nodeOf(near, TOTALS)!.down, 1)
})

test('object level: models between ports, ephemeral ones seen through', async () => {
  const graph = await platform.client().lineage({ of: `${TOTALS}/totals.totals`, up: 5, down: 5 })
  assert.equal(graph.level, 'object')
  assert.deepEqual(edgesOf(graph), [
    'shop/orders#cleaned builds shop/orders/orders.orders',
    'shop/orders/orders.orders reads shop/totals/totals.totals',
    'shop/totals/totals.totals consumes consumer:consumer',
    'source:shop/orders/orders-file reads shop/orders#cleaned',
  ])
  assert.equal(nodeOf(graph, 'shop/orders#cleaned')!.kind, 'model')
  const whole = await platform.client().lineage({ of: TOTALS, level: 'object', up: 0, down: 0 })
  assert.deepEqual(
    whole.nodes.map(({ address }) => address),
    ['shop/totals#deep', 'shop/totals#large', 'shop/totals/totals.totals'],
  )
})

test('column level: one column across two products down to the file, through a mask', async () => {
  const total = await platform.client().lineage({ of: `${TOTALS}/totals.totals.total`, up: 9, down: 9 })
  assert.deepEqual(edgesOf(total), [
    'shop/orders#cleaned.amount builds shop/orders/orders.orders.amount',
    'shop/orders/orders.orders.amount reads shop/totals/totals.totals.total',
    'shop/totals/totals.totals.total consumes consumer:consumer',
    'source:shop/orders/orders-file.amount reads shop/orders#cleaned.amount',
  ])
  const masked = await platform.client().lineage({ of: `${ORDERS}/orders.orders.item`, up: 9 })
  assert.deepEqual(edgesOf(masked), [
    'shop/orders#cleaned.item builds shop/orders/orders.orders.item',
    'shop/orders/orders.orders.item reads shop/totals/totals.totals.item',
    'source:shop/orders/orders-file.item reads shop/orders#cleaned.item',
  ])
  // A count of rows comes from no column, and is there.
  const lines = await platform.client().lineage({ of: `${TOTALS}/totals.totals.lines` })
  assert.deepEqual([lines.nodes.length, nodeOf(lines, `${TOTALS}/totals.totals.lines`)!.up], [2, 0])
})

test('SQL that cannot be read is named, the rest is whole, and the deploy was none the worse', async () => {
  const graph = await platform.client().lineage({ of: `${TOTALS}/totals.totals` })
  assert.deepEqual(graph.missing, [
    'shop/totals: deep: its SQL is nested too deeply',
    'shop/totals: large: its SQL is longer than 200 kB',
  ])
  const { items } = await platform.client().runs({ product: TOTALS })
  const run = await platform.client().run(items.find(({ kind }) => kind === 'deploy')!.number)
  assert.equal(run.steps.find(({ command }) => command === 'transform')!.attempt, 1)
})

test('reading the lineage takes little of a deploy', async (t) => {
  const { rows } = await control.query(`select id, domain || '/' || name as address from product order by 2`)
  for (const { id, address } of rows) {
    const file = join(platform.data, 'work/dbt/targets', id, 'prod/target/lineage.json')
    const { ms } = JSON.parse(await readFile(file, 'utf8')) as { ms: number }
    t.diagnostic(`${address}: ${ms} ms`)
    assert.ok(ms < 2_000, `${address}: ${ms} ms`)
  }
})

test('no SQL and nothing out of it is stored', async () => {
  for (const table of ['lineage_document', 'lineage_node', 'lineage_edge', 'lineage_gap', 'search_entry', 'search_text']) {
    const { rows } = await control.query(`select count(*)::int as n from ${table} t where t::text ~* $1`, [
      `${SECRET}|select |xxxx`,
    ])
    assert.equal(rows[0].n, 0, table)
  }
})

test('what is not there is refused with the next step', async () => {
  for (const of of [
    'shop/nothing',
    `${TOTALS}/totals.totals.nothing`,
    `${TOTALS}/x`,
    'nonsense',
    "';--",
    '%',
    'source:a/b/c',
    `${TOTALS}#gone`,
  ])
    await assert.rejects(platform.client().lineage({ of }), { code: 'LINEAGE_ADDRESS_UNKNOWN' }, of)
  await assert.rejects(platform.client().lineage({ of: TOTALS, environment: 'moon' }), { code: 'ENVIRONMENT_UNKNOWN' })
  await assert.rejects(platform.client().lineage({ of: TOTALS, up: 21 }), { code: 'HTTP_INPUT_INVALID' })
})

test('search finds by column, title and full name; markup is text', async () => {
  const hits = async (q: string, more = {}) => (await platform.client('stranger').search({ q, ...more })).items
  const [first, ...others] = await hits('lines')
  assert.equal(others.length, 0)
  assert.equal(first!.product.address, TOTALS)
  assert.equal(first!.product.state, 'active')
  assert.equal(first!.product.release, 'r1 · 1.0.0')
  assert.deepEqual(first!.match, { field: 'column', address: `${TOTALS}/totals.totals.lines`, text: 'lines' })
  assert.deepEqual([first!.community, first!.consumers], ['shop', 1])
  assert.equal((await hits(`${TOTALS}/totals.totals.total`))[0]!.match.address, `${TOTALS}/totals.totals.total`)
  const [marked] = await hits('<img src=x')
  assert.deepEqual([marked!.product.address, marked!.match.text], [TOTALS, MARKUP])
  assert.deepEqual(
    (await hits('', { sort: 'name' })).map(({ product }) => product.address),
    [ORDERS, TOTALS],
  )
  assert.deepEqual(
    (await hits('', { sort: 'freshness' })).map(({ product }) => product.address),
    [TOTALS, ORDERS],
  )
  assert.ok(!JSON.stringify(await hits('')).includes(SECRET))
  for (const q of ['%', '_', "' or 1=1 --", '\\', '\u0000', '(((', 'x'.repeat(1000)]) assert.deepEqual(await hits(q), [], q)
  await assert.rejects(platform.client().search({ q: '', cursor: 'W10' }), { code: 'CATALOG_CURSOR_INVALID' })
  const other = await fetch(`${platform.url}/api/v1/search?q=orders`)
  assert.equal(other.status, 401)
})

test('the command line shows the tree and the next command', async () => {
  const tree = await platform.cli(['lineage', `${TOTALS}/totals.totals.total`, '--up', '3', '--no-color'])
  assert.equal(tree.status, 0, tree.stderr)
  assert.deepEqual(tree.stdout.trimEnd().split('\n'), [
    'shop/totals/totals.totals.total',
    'comes from',
    '  └─ shop/orders/orders.orders.amount',
    '     └─ shop/orders#cleaned.amount',
    '        └─ source:shop/orders/orders-file.amount',
    'read by',
    '  └─ consumer:consumer',
    '',
    'Not shown',
    '  shop/totals: deep: its SQL is nested too deeply',
    '  shop/totals: large: its SQL is longer than 200 kB',
    '',
    'Next:  heddle show shop/totals',
  ])
  const json = (await platform.cli(['lineage', TOTALS, '--level', 'object', '--json'])).json<Lineage>()
  assert.equal(json.level, 'object')
  const found = await platform.cli(['search', 'total', 'bought', '--no-color'])
  assert.match(found.stdout, /shop\/totals/)
  assert.match(found.stdout, /1 product\. {2}Next: {2}heddle show shop\/totals/)
  const none = await platform.cli(['search', 'zzzz'])
  assert.deepEqual([none.status, /Nothing is called/.test(none.stdout)], [0, true])
  const refused = await platform.cli(['lineage', TOTALS, '--up', 'many'])
  assert.equal(refused.status, 2)
  const complete = (...words: string[]) => candidates(words, VERBS, { products: [TOTALS], environments: [] })
  assert.deepEqual(complete('search', '--sort', ''), ['freshness', 'name', 'rank'])
  assert.deepEqual(complete('lineage', '--level', 'c'), ['column'])
  assert.deepEqual(complete('lineage', ''), [TOTALS])
})

async function builtOf(address: string) {
  const { rows } = await control.query(
    `select built -> 'prod' as built from entry join product p on p.id = product where p.domain || '/' || p.name = $1`,
    [address],
  )
  return rows[0].built
}

test('every run writes what it built into the entry', async () => {
  const deployed = await builtOf(ORDERS)
  assert.deepEqual(deployed.objects, [{ port: 'orders', major: 1, object: 'orders', rows: 3, columns: ['id', 'item', 'amount'] }])
  assert.match(deployed.lineage, /^[0-9a-f]{64}$|^sha/)
  await writeFiles(join(platform.data, 'work/sources'), {
    'shop/orders.csv': 'id,item,amount\n1,pen,3\n2,ink,12\n3,paper,7\n4,pen,1\n',
  })
  const run = await platform.client().refresh(ORDERS)
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
  const refreshed = await builtOf(ORDERS)
  assert.deepEqual([refreshed.run, refreshed.objects[0].rows, refreshed.lineage], [run.number, 4, deployed.lineage])
})

test('a changed model changes the lineage of what is served, a roll back brings the former', async () => {
  const tree = await platform.clone(ORDERS)
  const pushed = await push(platform, tree, {
    'dbt/models/orders.sql': `select id::bigint as id, upper(item) as item, length(item) as amount from {{ ref('positive') }}\n`,
  })
  assert.equal(pushed.status, 0, pushed.text)
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded')
  const of = `${ORDERS}/orders.orders.amount`
  assert.deepEqual(edgesOf(await platform.client().lineage({ of, down: 0 })), [
    'shop/orders#cleaned.item builds shop/orders/orders.orders.amount',
  ])
  const back = await platform.client().rollback(ORDERS)
  assert.equal((await waitForEnd(platform, back.number)).state, 'succeeded')
  assert.deepEqual(edgesOf(await platform.client().lineage({ of, down: 0 })), [
    'shop/orders#cleaned.amount builds shop/orders/orders.orders.amount',
  ])
  assert.equal((await builtOf(ORDERS)).run, back.number)
})

test('a retired product leaves the graph and is found only as what it was', async () => {
  const { items } = await platform.client('consumer').agreements({ product: TOTALS })
  await platform.client('owner').revokeAgreement(items.find(({ state }) => state === 'active')!.number, 'done')
  await waitForRun(platform, TOTALS, (run) => run.kind === 'revoke' && run.state === 'succeeded')
  const retired = await platform.cli(['retire', TOTALS, '--confirm', TOTALS, '--json'])
  assert.equal(retired.status, 0, retired.stderr + retired.stdout)
  const graph = await platform.client().lineage({ of: ORDERS })
  assert.deepEqual(edgesOf(graph), ['source:shop/orders/orders-file reads shop/orders'])
  assert.equal(nodeOf(graph, ORDERS)!.down, 0)
  await assert.rejects(platform.client().lineage({ of: TOTALS }), { code: 'LINEAGE_ADDRESS_UNKNOWN' })
  const hits = async (state?: string) => (await platform.client().search({ q: 'totals', state })).items
  assert.deepEqual(await hits(), [])
  const [gone] = await hits('delisted')
  assert.deepEqual([gone!.product.address, gone!.product.state], [TOTALS, 'retired'])
})
