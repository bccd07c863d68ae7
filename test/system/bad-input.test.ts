import assert from 'node:assert/strict'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { TestPlatform } from '../platform.ts'
import {
  connectAs,
  makeProduct,
  ORDERS_CSV,
  ORDERS_SQL,
  orderFiles,
  push,
  servedOrders,
  startSmallMesh,
  waitForEnd,
  writeSource,
} from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const SPEC = 'data_product_spec.yml'
const DEPLOY = 'data_product_deploy.yml'
const MODEL = 'dbt/models/orders.sql'
const CANARY = 'canary-in-the-environment'
const files = orderFiles()

let platform: TestPlatform
let control: pg.Client
let prod: pg.Client
let tree: string
let rows: unknown

before(async () => {
  platform = await startSmallMesh({ env: { HEDDLE_CANARY: CANARY, DBT_CANARY: CANARY, DBT_ENV_SECRET_CANARY: CANARY } })
  await writeSource(platform, 'clinic/patients.csv', 'id,name\n1,canary-of-the-clinic\n')
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  await makeProduct(platform, 'shop/other')
  control = await platform.control()
  prod = await platform.warehouse('prod')
  tree = await platform.clone(ORDERS)
  rows = await servedOrders(platform)
})
after(() => platform?.dispose())

const head = async () => (await platform.client().product(ORDERS)).repository.head
const runs = async () => Number((await control.query('select count(*) from run')).rows[0].count)

/** Whatever was pushed: consumers read the same rows, and no login of a product is left open. */
async function assertNothingLost(): Promise<void> {
  assert.deepEqual(await servedOrders(platform), rows)
  const open = await prod.query("select rolname from pg_roles where rolname like 'prod\\_\\_%\\_\\_service' and rolcanlogin")
  assert.deepEqual(open.rows, [], 'a service login stands open')
  const sessions = await prod.query("select usename from pg_stat_activity where usename like '%\\_\\_service'")
  assert.deepEqual(sessions.rows, [], 'a session of a service login is left')
}

/** The push is refused in the pusher's terminal and main does not move. */
async function assertRefused(changed: Record<string, string | null>, expected: RegExp[]): Promise<string> {
  const before = { head: await head(), runs: await runs() }
  const pushed = await push(platform, tree, changed)
  await platform.git(['reset', '--quiet', '--hard', 'origin/main'], tree)
  assert.notEqual(pushed.status, 0, pushed.text)
  for (const pattern of expected) assert.match(pushed.text, pattern)
  assert.deepEqual({ head: await head(), runs: await runs() }, before)
  return pushed.text
}

/** The push is taken, its run fails with the code and a fix, and nothing of it is served. */
async function assertRunFails(changed: Record<string, string>, code: string | RegExp, says: RegExp): Promise<string> {
  const pushed = await push(platform, tree, changed)
  assert.equal(pushed.status, 0, pushed.text)
  assert.notEqual(pushed.run, null, pushed.text)
  const run = await waitForEnd(platform, pushed.run!)
  assert.equal(run.state, 'failed')
  const problem = run.problem!
  assert.match(problem.code, code instanceof RegExp ? code : new RegExp(`^${code}$`), JSON.stringify(problem))
  assert.match(JSON.stringify(problem), says)
  assert.ok(problem.fix.length > 0)
  const logs = await platform.cli(['logs', String(run.number)])
  assert.match(logs.stdout + logs.stderr, new RegExp(problem.code))
  assert.ok((logs.stdout + logs.stderr).includes(problem.fix), `the fix is shown: ${logs.stdout}${logs.stderr}`)
  await assertNothingLost()
  return JSON.stringify(run)
}

/** The next case starts from what is served; the files that were pushed are put back with it. */
const clean = (changed: Record<string, string>) => ({ ...files, ...changed })
const spec = (from: string, to: string) => {
  assert.ok(files[SPEC]!.includes(from), from)
  return { [SPEC]: files[SPEC]!.replace(from, to) }
}
const model = (sql: string) => ({ [MODEL]: sql })

test('a broken spec is refused with file, line, column, code and fix', async () => {
  const text = await assertRefused(spec('  name: orders\n', '  name: [orders\n'), [
    /data_product_spec\.yml:\d+:\d+/,
    /SPEC_YAML_INVALID/,
    /fix/,
  ])
  assert.ok(!/\bat .*\.ts:\d+/.test(text), 'no stack trace')
})
test('an unknown type is refused with the nearest one', async () => {
  await assertRefused(spec('type: dbt-transformation', 'type: dbt-transformatoin'), [
    /data_product_spec\.yml:\d+:\d+/,
    /SPEC_TYPE_UNKNOWN/,
    /dbt-transformation/,
  ])
})
test('an unknown key and a wrong value are both told at once', async () => {
  const broken = files[SPEC]!.replace('      dependsOn: [ingest]', '      dependOn: [ingest]').replace(
    'logicalType: integer, description: How many',
    'logicalType: wrong, description: How many',
  )
  await assertRefused({ [SPEC]: broken }, [/SPEC_KEY_UNKNOWN/, /SPEC_VALUE_INVALID/])
})
test('a deploy file that names an unknown environment is refused', async () => {
  await assertRefused({ [DEPLOY]: files[DEPLOY]!.replace('prod:', 'staging:') }, [
    /data_product_deploy\.yml:\d+:\d+/,
    /SPEC_[A-Z_]+/,
  ])
})
test('a spec that speaks for another product or domain is refused', async () => {
  await assertRefused(spec('namespace: shop', 'namespace: clinic'), [/SPEC_METADATA_MISMATCH/])
  await assertRefused(spec('  name: orders\n', '  name: other\n'), [/SPEC_METADATA_MISMATCH/])
})
test('a missing spec is refused', async () => {
  await assertRefused({ [SPEC]: null }, [/data_product_spec\.yml is missing/, /fix/])
})
test('a spec that is too large is refused quickly', async () => {
  const began = performance.now()
  await assertRefused({ [SPEC]: `${files[SPEC]}# ${'x'.repeat(400_000)}\n` }, [/SPEC_FILE_TOO_LARGE/])
  assert.ok(performance.now() - began < 5000)
})
test('a source of another domain, or a path that leaves its source, is refused', async () => {
  await assertRefused(spec('shop-files/orders.csv', 'clinic-files/patients.csv'), [/SPEC_[A-Z_]+/, /clinic-files/])
  await assertRefused(spec('shop-files/orders.csv', 'shop-files/../clinic/patients.csv'), [/SPEC_[A-Z_]+/])
  await assertRefused(spec('shop-files/orders.csv', '/etc/passwd'), [/SPEC_[A-Z_]+/])
})
test('a symbolic link and a submodule are refused', async () => {
  await symlink('/etc/passwd', join(tree, 'dbt/models/link.sql'))
  await assertRefused({}, [/dbt\/models\/link\.sql/, /symbolic links and submodules are not accepted/, /fix/])
  const commit = (await platform.git(['rev-parse', 'HEAD'], tree)).stdout.trim()
  await platform.git(['update-index', '--add', '--cacheinfo', `160000,${commit},vendored`], tree)
  await mkdir(join(tree, 'vendored'))
  await platform.git(['commit', '--quiet', '--message', 'submodule'], tree)
  const pushed = await platform.git(['push', 'origin', 'HEAD:main'], tree)
  assert.notEqual(pushed.status, 0)
  assert.match(pushed.stderr, /vendored.*symbolic links and submodules are not accepted/)
  await rm(join(tree, 'vendored'), { recursive: true })
  await platform.git(['reset', '--quiet', '--hard', 'origin/main'], tree)
})
test('a name that is taken, or that would collide in the warehouse, is refused with what to do', async () => {
  const taken = await platform.cli(['new', ORDERS, '--yes', '--json'])
  assert.notEqual(taken.status, 0)
  assert.match(taken.stdout + taken.stderr, /PRODUCT_NAME_TAKEN/)
  assert.match(taken.stdout + taken.stderr, /heddle show shop\/orders/)
  const before = await runs()
  await makeProduct(platform, 'shop/orders-x')
  const collides = await platform.cli(['new', 'shop-orders/x', '--yes', '--json'])
  assert.notEqual(collides.status, 0, collides.stdout)
  assert.match(collides.stdout + collides.stderr, /PRODUCT_NAME_TAKEN/)
  assert.ok((await runs()) >= before + 2)
  const bad = await platform.cli(['new', 'shop/Bad__Name', '--yes', '--json'])
  assert.notEqual(bad.status, 0)
  assert.match(bad.stdout + bad.stderr, /CORE_(NAME|ADDRESS)_INVALID/)
})

test('a dbt project that does not parse', async () => {
  await assertRunFails(
    clean(model("select * from {{ ref('orders_that_are_not_there') }}\n")),
    'TRANSFORM_PROJECT_UNPARSABLE',
    /orders_that_are_not_there/,
  )
  await assertRunFails(clean(model('select {% if %} 1\n')), 'TRANSFORM_PROJECT_UNPARSABLE', /orders\.sql/)
  await assertRunFails(clean({ 'dbt/dbt_project.yml': 'name: [\n' }), 'TRANSFORM_PROJECT_UNPARSABLE', /dbt_project/)
})
test('SQL that fails', async () => {
  await assertRunFails(
    clean(model("select id::bigint as id, item, nothing_of_the_kind as amount from {{ source('staging', 'orders') }}\n")),
    'TRANSFORM_MODEL_FAILED',
    /nothing_of_the_kind/,
  )
})
test('a source that cannot be read is never taken for empty', async () => {
  const source = join(platform.data, 'work/sources/shop/orders.csv')
  const change = (n: number) => clean({ 'dbt/macros/note.sql': `{# ${n} #}\n` })
  await rm(source)
  await assertRunFails(change(1), 'INGEST_SOURCE_UNREADABLE', /there is no such file/)
  await mkdir(source)
  await assertRunFails(change(2), 'INGEST_SOURCE_UNREADABLE', /not a file/)
  await rm(source, { recursive: true })
  await writeFile(source, '')
  await assertRunFails(change(3), 'INGEST_SOURCE_UNREADABLE', /empty/)
  await writeFile(source, ORDERS_CSV.replace('amount', 'quantity'))
  await assertRunFails(change(4), 'INGEST_COLUMNS_CHANGED', /missing: amount.*not declared: quantity/)
  await writeFile(source, `${ORDERS_CSV}4,canary-row-value\n`)
  assert.ok(!(await assertRunFails(change(5), 'WAREHOUSE_BATCH_INVALID', /row|line|column/)).includes('canary-row-value'))
  await writeFile(source, 'id,item,amount\n')
  await assertRunFails(change(6), 'VERIFY_QUALITY_FAILED', /has-rows/)
  await rm(source)
  await symlink(join(platform.data, 'work/sources/clinic/patients.csv'), source)
  const told = await assertRunFails(change(7), 'INGEST_SOURCE_FORBIDDEN', /leads out of source/)
  assert.ok(!told.includes('canary-of-the-clinic'))
  await rm(source)
  await writeFile(source, ORDERS_CSV)
})
test("a macro that reads another product's schema, or the platform's own", async () => {
  for (const relation of ['shop_other_other_v1.example', 'shop_other__r1.example', 'heddle.mask_key', 'pg_catalog.pg_authid']) {
    await assertRunFails(
      clean({
        ...model(`select id::bigint as id, item, {{ read_elsewhere() }} as amount from {{ source('staging', 'orders') }}\n`),
        'dbt/macros/read.sql': `{% macro read_elsewhere() %}(select count(*)::integer from ${relation}){% endmacro %}\n`,
      }),
      'TRANSFORM_MODEL_FAILED',
      /permission denied/,
    )
  }
})
test('a grants config, and a grant in a hook', async () => {
  await assertRunFails(
    clean(model(`{{ config(grants={'select': ['public']}) }}\n${ORDERS_SQL}`)),
    'TRANSFORM_GRANTS_REFUSED',
    /orders/,
  )
  await assertRunFails(
    clean(model(`{{ config(post_hook="grant select on {{ this }} to public") }}\n${ORDERS_SQL}`)),
    /VERIFY_GRANTED|TRANSFORM_MODEL_FAILED/,
    /orders/,
  )
  // The build schema is not dbt's own, so PostgreSQL warns and grants nothing.
  const hooked = await push(
    platform,
    tree,
    clean(model(`{{ config(post_hook="grant usage on schema {{ target.schema }} to public") }}\n${ORDERS_SQL}`)),
  )
  assert.equal((await waitForEnd(platform, hooked.run!)).state, 'succeeded')
  const granted = await prod.query(
    "select nspname from pg_namespace, aclexplode(nspacl) where grantee = 0 and nspname like 'shop%'",
  )
  assert.deepEqual(granted.rows, [])
})
test('a port built as a view, a model in another schema, a contract that does not fit', async () => {
  await assertRunFails(clean(model(`{{ config(materialized='view') }}\n${ORDERS_SQL}`)), 'TRANSFORM_PORT_NOT_A_TABLE', /view/)
  await assertRunFails(
    clean(model(`{{ config(schema='elsewhere') }}\n${ORDERS_SQL}`)),
    'TRANSFORM_NODE_OUTSIDE_BUILD',
    /elsewhere/,
  )
  await assertRunFails(
    clean(model("select id::bigint as id, item from {{ source('staging', 'orders') }}\n")),
    'VERIFY_COLUMN_MISSING',
    /amount/,
  )
  await assertRunFails(
    clean(model("select id::bigint as id, item, amount from {{ source('staging', 'orders') }}\n")),
    'VERIFY_COLUMN_TYPE',
    /amount/,
  )
  await assertRunFails(
    clean(
      spec(
        '            - name: orders\n              description: Orders by number.',
        '            - name: orders\n              from: not_built\n              description: Orders by number.',
      ),
    ),
    'TRANSFORM_PORT_MODEL_MISSING',
    /not_built/,
  )
})
test('a macro that reads the environment finds nothing there', async () => {
  const sql = `select id::bigint as id, {{ read_environment() }} as item, amount::integer as amount from {{ source('staging', 'orders') }}\n`
  const macro = (name: string) => ({
    'dbt/macros/read.sql': `{% macro read_environment() %}'{{ env_var("${name}", "nothing") }}'{% endmacro %}\n`,
  })
  for (const name of ['HEDDLE_CANARY', 'DBT_CANARY']) {
    const pushed = await push(platform, tree, clean({ ...model(sql), ...macro(name) }))
    const run = await waitForEnd(platform, pushed.run!)
    assert.equal(run.state, 'succeeded', JSON.stringify(run.problem))
    assert.deepEqual([...new Set((await servedOrders(platform)).map((row) => row.item))], ['nothing'])
  }
  const secret = await push(platform, tree, clean({ ...model(sql), ...macro('DBT_ENV_SECRET_CANARY') }))
  const run = await waitForEnd(platform, secret.run!)
  assert.equal(run.state, 'failed')
  const told = await control.query('select data::text from event')
  assert.ok(!told.rows.some((row) => row.data.includes(CANARY)))
})
test('after all of it a good push is served', async () => {
  const pushed = await push(platform, tree, clean({ 'dbt/macros/read.sql': '{# nothing #}\n' }))
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded')
  await assertNothingLost()
  const stranger = await connectAs(platform, ORDERS)
    .then((client) => client.query('select count(*) from shop_other__build.example').finally(() => client.end()))
    .catch((error: Error) => error.message)
  assert.match(String(stranger), /permission denied|does not exist/)
})
