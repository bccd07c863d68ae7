import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestPlatform } from '../platform.ts'
import {
  connectAs,
  makeProduct,
  ORDERS_SQL,
  pushHead,
  startSmallMesh,
  waitForEnd,
  waitForRun,
  writeFiles,
} from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const MODEL = 'dbt/models/orders.sql'
const SPEC = 'data_product_spec.yml'
/** One edit of a developer: the amount in words, and who may be called about it. */
const EDITED = ORDERS_SQL.replace(
  'amount::integer as amount',
  "amount::integer as amount, 'kind ' || item as kind, item as contact_email",
)

let platform: TestPlatform
let tree: string
before(async () => {
  platform = await startSmallMesh()
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  tree = await platform.clone(ORDERS)
})
after(() => platform?.dispose())

async function commitAndPush(): Promise<void> {
  await platform.git(['commit', '--quiet', '--all', '--allow-empty', '--message', 'change'], tree)
  const pushed = await pushHead(platform, tree)
  assert.equal(pushed.status, 0, pushed.text)
  assert.equal((await waitForEnd(platform, pushed.run!)).state, 'succeeded', pushed.text)
}

const servedColumns = async () =>
  Object.fromEntries(
    (await platform.client().product(ORDERS)).served[0]!.objects[0]!.columns.map(({ name, mask }) => [name, mask]),
  )

test('a column of the model that the contract does not have is not served at all', async () => {
  await writeFiles(tree, { [MODEL]: EDITED })
  await commitAndPush()
  assert.deepEqual(Object.keys(await servedColumns()), ['id', 'item', 'amount'])
  const said = await platform.cli(['validate'], { cwd: tree })
  assert.equal(said.status, 0)
  assert.match(
    said.stdout,
    /orders\.sql:1:\d+ warning\[SPEC_COLUMN_UNSERVED\] orders\.contact_email[\s\S]*\(heddle validate --fix\)/,
  )
})

test('validate --fix shows what it would write and asks; a dry run writes nothing', async () => {
  const before = await readFile(join(tree, SPEC), 'utf8')
  const asked = await platform.cli(['validate', '--fix'], { cwd: tree })
  assert.equal(asked.status, 2)
  assert.match(asked.stderr, /\+ .*\{name: kind, logicalType: string\}/)
  assert.match(asked.stderr, /CLI_INPUT_MISSING/)
  const dry = await platform.cli(['validate', '--fix', '--dry-run', '--json'], { cwd: tree })
  const { fixed, texts } = dry.json<{ fixed: number; texts: Record<string, string> }>()
  assert.equal(fixed, 2)
  assert.ok(texts[SPEC]!.includes('contact_email'))
  assert.equal(await readFile(join(tree, SPEC), 'utf8'), before)
})

test('fixed and pushed, it is served: with its mask where its name says that it is about people', async () => {
  const fixed = await platform.cli(['validate', '--fix', '--yes'], { cwd: tree })
  assert.equal(fixed.status, 0, fixed.stderr)
  assert.match(fixed.stdout, /applied 2 of 2/)
  await commitAndPush()
  assert.deepEqual(await servedColumns(), { id: null, item: null, amount: null, kind: null, contact_email: 'hash' })

  const asked = ['access', 'request', ORDERS, '--port', 'orders', '--purpose', 'analytics', '--as', 'consumer']
  assert.equal((await platform.cli([...asked, '--no-wait'])).status, 0)
  const request = (await platform.client().requests({ open: true })).items[0]!
  await platform.client('developer').decideRequest(request.number, 'approve')
  await waitForRun(platform, ORDERS, (run) => run.kind === 'grant' && run.state === 'succeeded')
  const reader = await connectAs(platform, ORDERS, 'consumer')
  try {
    const { rows } = await reader.query('select item, kind, contact_email from shop_orders_orders_v1.orders order by id')
    assert.equal(rows[0].kind, 'kind pen')
    assert.equal(rows.length, 3)
    for (const row of rows) assert.ok(row.contact_email.length > 20 && !row.contact_email.includes(row.item), 'masked')
  } finally {
    await reader.end()
  }
})

test('"applied 2 of 3; 1 needs you": what is mechanical is mended, the rest is left with its place', async () => {
  const spec = await readFile(join(tree, SPEC), 'utf8')
  const wrong = spec
    .replace('threshold: 24h', 'threshold: 24 hrs')
    .replace('availability:', 'avalability:')
    .replace('metric: rowCount', 'metric: lines')
  await writeFiles(tree, { [SPEC]: wrong })
  const fixed = await platform.cli(['validate', '--fix', '--yes'], { cwd: tree })
  assert.equal(fixed.status, 3)
  assert.match(fixed.stdout, /applied 2 of 3; 1 needs you/)
  assert.match(fixed.stdout, /SPEC_VALUE_INVALID\] metric is "lines"/)
  assert.equal(await readFile(join(tree, SPEC), 'utf8'), spec.replace('metric: rowCount', 'metric: lines'))
  await writeFiles(tree, { [SPEC]: spec })
})

test('a clone knows whose it is: another name in the spec is said here, not only by the push', async () => {
  const spec = await readFile(join(tree, SPEC), 'utf8')
  await writeFiles(tree, { [SPEC]: spec.replace('namespace: shop', 'namespace: clinic') })
  const said = await platform.cli(['validate', '--json'], { cwd: tree })
  assert.equal(said.status, 3)
  const { product, diagnostics } = said.json<{ product: string; diagnostics: { code: string }[] }>()
  assert.equal(product, ORDERS)
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['SPEC_METADATA_MISMATCH'],
  )
  assert.equal((await platform.cli(['validate', '--fix', '--yes'], { cwd: tree })).status, 0)
  assert.equal(await readFile(join(tree, SPEC), 'utf8'), spec)
})

test('asking for the same access again is the same request, and says so', async () => {
  const asked = ['access', 'request', ORDERS, '--port', 'orders', '--purpose', 'operations', '--as', 'stranger', '--no-wait']
  const first = (await platform.cli([...asked, '--json'])).json<{ request: { number: number; next: string } }>().request
  assert.match(first.next, new RegExp(`heddle approve request ${first.number}`))
  const again = await platform.cli([...asked, '--justification', 'it is urgent'])
  assert.match(again.stderr, new RegExp(`asked for already, by request ${first.number}`))
  const [one, two] = await Promise.all([0, 1].map(() => platform.cli([...asked, '--until', '30d', '--json'])))
  const numbers = [one!, two!].map((ran) => ran.json<{ request: { number: number } }>().request.number)
  assert.equal(numbers[0], numbers[1], 'two at once are one')
  assert.notEqual(numbers[0], first.number, 'another time is another request')
})

test('a plain number is enough where it means one thing; where it means two, both ways to say it are named', async () => {
  const { items } = await platform.client().requests({ open: true })
  const [first, second] = items
  const denied = await platform.cli(['deny', 'request', String(first!.number), '--note', 'no', '--json'])
  assert.equal(denied.json<{ request: { number: number; state: string } }>().request.state, 'denied', denied.stderr)
  // The runs of that number ended long ago: only the request can be decided.
  const plain = await platform.cli(['deny', String(second!.number), '--json'])
  assert.equal(plain.json<{ request: { state: string } }>().request.state, 'denied', plain.stderr)
  const over = await platform.cli(['deny', String(second!.number)])
  assert.equal(over.status, 2)
  assert.match(over.stderr, new RegExp(`heddle deny run ${second!.number}, or heddle deny request\\s+${second!.number}`))
})

test('a name that is another product or port in the warehouse is refused when it is asked for', async () => {
  const twin = await platform.cli(['new', 'shop/orders-orders-v1', '--yes'])
  assert.equal(twin.status, 1)
  assert.match(twin.stderr, /PRODUCT_NAME_TAKEN[\s\S]*shop_orders_orders_v1[\s\S]*the port orders\s+of shop\/orders/)
  assert.equal((await platform.cli(['new', 'shop-orders/x', '--yes', '--no-wait'])).status, 0)
  const same = await platform.cli(['new', 'shop/orders-x', '--dry-run'])
  assert.match(same.stderr, /PRODUCT_NAME_TAKEN[\s\S]*shop_orders_x[\s\S]*the\s+product\s+shop-orders\/x/)
})
