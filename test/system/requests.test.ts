import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { NewRequest, Request } from '../../src/client/types.ts'
import type { HeddleError } from '../../src/core/fail.ts'
import { findBrokenLink } from '../../src/store/audit.ts'
import { openControl } from '../../src/store/control.ts'
import type { TestPlatform } from '../platform.ts'
import { connectAs, startSmallMesh, waitForRun } from '../small-mesh.ts'

let platform: TestPlatform
let control: pg.Client

before(async () => {
  platform = await startSmallMesh()
  control = await platform.control()
})
after(() => platform?.dispose())

const counts = async () =>
  (
    await control.query(
      'select (select count(*) from request) as requests, (select count(*) from product) as products, (select count(*) from run) as runs, (select count(*) from plan) as plans, (select count(*) from audit) as audit',
    )
  ).rows[0]
const product = (domain: string, name: string, more: Record<string, string> = {}): NewRequest => ({
  kind: 'product',
  payload: { domain, name, ...more },
})
const refused = (code: string) => (error: HeddleError) => error.code === code || assert.fail(`${error.code}: ${error.message}`)

async function done(number: number): Promise<Request> {
  for (const end = Date.now() + 20_000; ; ) {
    const request = await platform.client().request(number)
    if (['done', 'failed', 'withdrawn', 'denied'].includes(request.state)) return request
    if (Date.now() > end) throw new Error(`request ${number} is ${request.state}: ${request.next}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test('a dry run shows the plan and stores nothing', async () => {
  const before = await counts()
  const dry = await platform.cli(['new', 'shop/fresh', '--dry-run', '--json'])
  assert.equal(dry.status, 0, dry.stderr)
  const { request } = dry.json<{ request: Request }>()
  assert.deepEqual(
    request.plan!.steps.map((step) => step.command),
    [
      'provision-budget',
      'provision-roles',
      'provision-schemas',
      'create-namespace',
      'create-community',
      'draft-entry',
      'create-repository',
    ],
  )
  assert.deepEqual(request.approvers, ['developer'])
  assert.deepEqual(await counts(), before)
})

test("an owner's request is approved by asking; the scaffold deploys green untouched", async () => {
  const made = await platform.cli(['new', 'shop/fresh', '--yes', '--json'])
  assert.equal(made.status, 0, made.stderr)
  await waitForRun(platform, 'shop/fresh', (run) => run.kind === 'deploy' && run.state === 'succeeded')
  const { items } = await platform.client().runs({ product: 'shop/fresh' })
  assert.deepEqual(
    items.map((run) => [run.kind, run.state]),
    [
      ['deploy', 'succeeded'],
      ['bootstrap', 'succeeded'],
    ],
  )
  const shown = (await platform.cli(['show', 'shop/fresh', '--json'])).json<{
    repository: { cloneUrl: string }
    served: { port: string; schema: string; objects: unknown[] }[]
    environments: { name: string; state: string; release: unknown }[]
  }>()
  assert.match(shown.repository.cloneUrl, /^http:\/\/127\.0\.0\.1:\d+\/git\/shop\/fresh\.git$/)
  assert.deepEqual(
    shown.served.map(({ port, schema }) => ({ port, schema })),
    [{ port: 'fresh', schema: 'shop_fresh_fresh_v1' }],
  )
  assert.equal(shown.environments[0]!.state, 'active')
  const status = (await platform.cli(['status', '--json'])).json<{ products: Record<string, unknown>[] }>()
  const row = status.products.find((each) => each.address === 'shop/fresh')!
  assert.deepEqual(Object.keys(row).filter((key) => ['address', 'state', 'release', 'slo', 'freshness'].includes(key)).length, 5)
  const tree = await platform.clone('shop/fresh')
  assert.equal((await platform.cli(['validate'], { cwd: tree })).status, 0)
  assert.match((await platform.cli(['plan'], { cwd: tree })).stdout, /Nothing to change/)
})

test("a stranger's request waits for an owner of the domain; others may not decide it", async () => {
  const stranger = platform.client('stranger')
  const asked = await platform.cli(['new', 'shop/wished', '--yes', '--json', '--as', 'stranger'])
  assert.equal(asked.status, 6, `${asked.status} ${asked.stderr}`)
  const { items } = await stranger.requests({ mine: true })
  const [request] = items
  assert.equal(request!.state, 'submitted')
  assert.deepEqual(request!.approvers, ['developer'])
  const runs = (await counts()).runs
  await assert.rejects(stranger.decideRequest(request!.number, 'approve'), refused('APPROVAL_NOT_YOURS'))
  await assert.rejects(platform.client('owner').decideRequest(request!.number, 'approve'), refused('APPROVAL_NOT_YOURS'))
  await assert.rejects(platform.client('owner').decideRequest(request!.number, 'deny'), refused('APPROVAL_NOT_YOURS'))
  await assert.rejects(platform.client('consumer').decideRequest(request!.number, 'withdraw'), refused('APPROVAL_NOT_YOURS'))
  await assert.rejects(platform.client('consumer').editRequest(request!.number, { title: 'Mine' }), refused('APPROVAL_NOT_YOURS'))
  assert.equal((await counts()).runs, runs)
  const edited = await platform.cli([
    'request',
    'edit',
    String(request!.number),
    'title=Wished for',
    '--as',
    'stranger',
    '--json',
  ])
  assert.equal(edited.json<Request>().payload.title, 'Wished for', edited.stderr)
  const approved = await platform.cli(['approve', String(request!.number), '--note', 'welcome', '--json'])
  assert.equal(approved.status, 0, approved.stderr)
  assert.equal((await done(request!.number)).state, 'done')
  await assert.rejects(platform.client().decideRequest(request!.number, 'deny'), refused('REQUEST_STATE_WRONG'))
  const made = await platform.client().product('shop/wished')
  assert.deepEqual([made.title, made.owner], ['Wished for', 'stranger'])
  assert.deepEqual(made.roles.find(({ role }) => role === 'owner')!.subjects, ['developer', 'stranger'])
})

test('deny and withdraw end a request; what is asked must exist', async () => {
  const stranger = platform.client('stranger')
  const first = await stranger.createRequest(product('shop', 'denied'))
  assert.equal((await platform.client().decideRequest(first.number, 'deny', 'no')).state, 'denied')
  const second = await stranger.createRequest(product('shop', 'withdrawn'))
  assert.equal((await stranger.decideRequest(second.number, 'withdraw')).state, 'withdrawn')
  for (const number of [first.number, second.number])
    await assert.rejects(platform.client().decideRequest(number, 'approve'), refused('REQUEST_STATE_WRONG'))
  await assert.rejects(stranger.createRequest(product('nowhere', 'x')), refused('DOMAIN_UNKNOWN'))
  await assert.rejects(stranger.createRequest(product('shop', 'Not-A-Name')), refused('CORE_NAME_INVALID'))
  await assert.rejects(stranger.createRequest(product('shop', 'x', { owner: 'nobody' })), refused('SUBJECT_UNKNOWN'))
  await assert.rejects(stranger.createRequest(product('shop', 'x', { template: '../../etc' })), refused('TEMPLATE_UNKNOWN'))
  await assert.rejects(platform.client().product('shop/denied'), refused('PRODUCT_UNKNOWN'))
})

test('an edited request is judged anew', async () => {
  const stranger = platform.client('stranger')
  const request = await stranger.createRequest(product('shop', 'moves'))
  const moved = await stranger.editRequest(request.number, { domain: 'clinic' })
  assert.deepEqual(moved.approvers, ['owner'])
  await assert.rejects(platform.client().decideRequest(request.number, 'approve'), refused('APPROVAL_NOT_YOURS'))
  await assert.rejects(stranger.editRequest(request.number, { name: 7 }), refused('HTTP_INPUT_INVALID'))
  await assert.rejects(stranger.editRequest(request.number, { domain: 'shop', name: 'fresh' }), refused('PRODUCT_NAME_TAKEN'))
  assert.deepEqual((await stranger.editRequest(request.number, { levels: [['stranger']] })).approvers, ['owner'])
  await stranger.decideRequest(request.number, 'withdraw')
})

test('twenty requests for one name at once make one product', async () => {
  const tried = await Promise.allSettled(
    Array.from({ length: 20 }, () => platform.client().createRequest(product('shop', 'raced'))),
  )
  const made = tried.filter((each) => each.status === 'fulfilled')
  const codes = tried.filter((each) => each.status === 'rejected').map((each) => (each.reason as HeddleError).code)
  assert.equal(made.length, 1)
  assert.deepEqual([...new Set(codes)], ['PRODUCT_NAME_TAKEN'])
  await waitForRun(platform, 'shop/raced', (run) => run.kind === 'deploy' && run.state === 'succeeded')
  const rows = await control.query(
    "select (select count(*) from product where name = 'raced') as products, (select count(*) from run join product on product.id = run.product where product.name = 'raced' and kind = 'bootstrap') as bootstraps",
  )
  assert.deepEqual(rows.rows, [{ products: '1', bootstraps: '1' }])
  const repositories = (await readdir(join(platform.data, 'repos'))).filter((name) => name.endsWith('.git'))
  assert.equal(repositories.length, Number((await counts()).products))
})

test('a domain is asked for by anyone and approved by the platform', async () => {
  const stranger = platform.client('stranger')
  const domain = (name: string, owners: string[]): NewRequest => ({
    kind: 'domain',
    payload: { name, title: 'Logistics', owners },
  })
  const request = await stranger.createRequest(domain('logistics', ['stranger']))
  assert.deepEqual([request.state, request.approvers], ['submitted', ['platform']])
  await assert.rejects(platform.client().decideRequest(request.number, 'approve'), refused('APPROVAL_NOT_YOURS'))
  await assert.rejects(stranger.createRequest(product('logistics', 'trucks')), refused('DOMAIN_UNKNOWN'))
  assert.equal((await platform.client('platform').decideRequest(request.number, 'approve')).state, 'done')
  await assert.rejects(platform.client('consumer').createRequest(domain('logistics', ['consumer'])), refused('DOMAIN_NAME_TAKEN'))
  await assert.rejects(stranger.createRequest(domain('shop', ['stranger'])), refused('DOMAIN_NAME_TAKEN'))
  await assert.rejects(stranger.createRequest(domain('other', ['nobody'])), refused('SUBJECT_UNKNOWN'))
  await assert.rejects(stranger.createRequest(domain('other', [])), refused('HTTP_INPUT_INVALID'))
  const trucks = await stranger.createRequest(product('logistics', 'trucks'))
  assert.equal(trucks.state, 'approved')
  await waitForRun(platform, 'logistics/trucks', (run) => run.kind === 'deploy' && run.state === 'succeeded')
  assert.deepEqual((await control.query("select owners from domain where name in ('shop', 'logistics') order by name")).rows, [
    { owners: ['stranger'] },
    { owners: ['developer'] },
  ])
})

test('the three roles: consumers read ports, owners read all of the product and edit its metadata', async () => {
  const asked = await platform
    .client('consumer')
    .createRequest({ kind: 'access', payload: { product: 'shop/fresh', port: 'fresh', purpose: 'analytics' } })
  await platform.client().decideRequest(asked.number, 'approve')
  assert.equal((await done(asked.number)).state, 'done')
  const refusedIn = async (client: pg.Client, sql: string) =>
    client.query(sql).then(
      () => assert.fail(`allowed: ${sql}`),
      (error: { code?: string }) => assert.equal(error.code, '42501', sql),
    )
  const inside = ['shop_fresh__r1.example', 'shop_fresh__build.example', 'heddle.attribute']

  const consumer = await connectAs(platform, 'shop/fresh', 'consumer')
  assert.equal((await consumer.query('select * from shop_fresh_fresh_v1.example')).rowCount, 3)
  for (const table of inside) await refusedIn(consumer, `select 1 from ${table}`)
  await refusedIn(consumer, 'create table shop_fresh_fresh_v1.mine (id int)')
  await refusedIn(consumer, 'create temp table mine (id int)')
  await refusedIn(consumer, 'select 1 from shop_wished_wished_v1.example')
  await consumer.end()

  const owner = await connectAs(platform, 'shop/fresh')
  assert.equal((await owner.query('select * from shop_fresh_fresh_v1.example')).rowCount, 3)
  assert.equal((await owner.query('select * from shop_fresh__r1.example')).rowCount, 3)
  for (const sql of [
    'delete from shop_fresh__r1.example',
    'update shop_fresh_fresh_v1.example set label = null',
    'drop table shop_fresh__r1.example',
    'select 1 from heddle.mask_key',
  ])
    await refusedIn(owner, sql)
  await owner.end()
  // The owner that the request named, without being an owner of the domain.
  const named = await connectAs(platform, 'shop/wished', 'stranger')
  assert.equal((await named.query('select * from shop_wished__r1.example')).rowCount, 3)
  await named.end()
  const denied = await platform.cli(['connect', 'shop/fresh', '--as', 'stranger'])
  assert.equal(denied.status, 4)
  assert.match(denied.stderr, /ACCESS_NOT_GRANTED|no active agreement/)

  const service = await (await platform.warehouse('prod')).query(
    "select rolname, rolcanlogin from pg_roles where rolname like 'prod\\_\\_shop\\_\\_fresh\\_\\_%' order by 1",
  )
  assert.ok(
    ['consumer', 'owner', 'service'].every((kind) => service.rows.some((row) => row.rolname === `prod__shop__fresh__${kind}`)),
  )
  assert.deepEqual(
    service.rows.filter((row) => row.rolcanlogin),
    [],
  )

  await platform.client().putMetadata('shop/fresh', { steward: 'Dana' })
  assert.deepEqual((await platform.client().product('shop/fresh')).catalog!.metadata, { steward: 'Dana' })
  for (const name of ['consumer', 'stranger'])
    await assert.rejects(platform.client(name).putMetadata('shop/fresh', { steward: name }), refused('HTTP_NOT_ALLOWED'))
  await assert.rejects(platform.client().postMetrics('shop/fresh', { rows: 3 }), refused('HTTP_NOT_ALLOWED'))
})

test('everything that was decided stands in the audit, with both names, and its chain holds', async () => {
  const { items } = await platform.client('governance').audit()
  const approvedBy = items.filter((row) => row.action === 'request.approved').map((row) => `${row.actor}<${row.onBehalfOf}`)
  assert.ok(
    approvedBy.includes('developer<null') &&
      approvedBy.includes('platform<developer') &&
      approvedBy.includes('stranger<developer'),
    approvedBy.join(),
  )
  for (const action of [
    'request.product',
    'request.domain',
    'request.access',
    'request.denied',
    'request.withdrawn',
    'request.edited',
    'agreement.active',
    'access.connect',
    'product.metadata',
    'mesh.applied',
  ]) {
    assert.ok(
      items.some((row) => row.action === action),
      action,
    )
  }
  const key = await readFile(join(platform.data, 'secrets.key'))
  const listen = (JSON.parse(await readFile(join(platform.data, 'postgres.json'), 'utf8')) as { listen: number }).listen
  const opened = openControl(
    {
      host: '127.0.0.1',
      port: listen,
      database: 'heddle',
      user: 'heddle_control',
      password: createHmac('sha256', key).update('control').digest('base64url'),
    },
    { max: 1, log: () => {} },
  )
  try {
    assert.equal(await findBrokenLink(opened.db), null)
    // The control plane's own login cannot change what stands.
    await control.query('update audit set body = body')
    await control.query('delete from audit')
    assert.equal(await findBrokenLink(opened.db), null)
    const seq = Number((await control.query('select seq from audit order by seq offset 3 limit 1')).rows[0].seq)
    await control.query('drop rule audit_no_update on audit')
    await control.query("update audit set body = replace(body, 'developer', 'somebody') where seq = $1", [seq])
    assert.equal(await findBrokenLink(opened.db), seq)
  } finally {
    await opened.close()
  }
})
