import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { Certificate, Request } from '../../src/client/types.ts'
import type { TestPlatform } from '../platform.ts'
import { connectAs, makeProduct, orderFiles, push, startSmallMesh, waitForRun, writeFiles } from '../small-mesh.ts'

/** Issue 4, "What it must show" 5: asked of PostgreSQL, git and the file system, not of our tables. */
const ORDERS = 'shop/orders'
const POLICIES = `        - type: data-policy
          properties:
            rowFilters:
              - {name: some, object: "*", condition: "item in subject.items", exempt: [{role: owner}]}
            columnMasks:
              - {name: no-amount, columns: [orders.amount], method: "null", exempt: [{role: owner}]}
  policies:
`

let platform: TestPlatform
let warehouse: pg.Client
let control: pg.Client
let id: string
let tree: string
let head: string
let archived: string

before(async () => {
  platform = await startSmallMesh()
  const files = orderFiles()
  await writeFiles(join(platform.data, 'work/templates/orders'), {
    'data_product_spec.yml': files['data_product_spec.yml']!.replace('  policies:\n', POLICIES),
  })
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  warehouse = await platform.warehouse('prod')
  control = await platform.control()
  id = (await control.query('select id from product')).rows[0].id
  tree = await platform.clone(ORDERS)
  const more = await push(platform, tree, {
    'dbt/models/extra.sql': `select 1 as one, E'a "quoted"\\n\\nnewline' as odd, null::text as nothing, '' as empty, '-0'::float8 as minus,
  'infinity'::date as never, '0044-03-15 BC'::timestamptz as ides, 'NaN'::numeric(10, 2) as unknown, 12.50::numeric as free, '{1,null}'::int[] as list,
  decode('00ff', 'hex') as raw, '{"a": 1.0}'::json as document, '01:02:03.000004'::time as moment\n`,
  })
  await waitForRun(platform, ORDERS, (run) => run.number === more.run && run.state === 'succeeded')
  await grantConsumer()
})
after(() => platform?.dispose())

async function grantConsumer(): Promise<void> {
  await platform.cli(['subject', 'set', 'consumer', 'items=pen,ink', '--as', 'platform'])
  const asked = await platform.cli([
    'access',
    'request',
    ORDERS,
    '--port',
    'orders',
    '--purpose',
    'analytics',
    '--as',
    'consumer',
    '--json',
  ])
  const { request } = asked.json<{ request: Request }>()
  const approved = await platform.cli(['approve', 'request', String(request.number), '--wait', '--json'])
  assert.equal(approved.status, 0, approved.stderr + approved.stdout)
}

const consumerSees = async () => {
  const reader = await connectAs(platform, ORDERS, 'consumer')
  try {
    return (await reader.query('select item, amount from shop_orders_orders_v1.orders order by id')).rows
  } finally {
    await reader.end()
  }
}
const SEEN = [
  { item: 'pen', amount: null },
  { item: 'ink', amount: null },
]

/** Every table of the served revision, whatever it is called now. */
async function checksums(): Promise<unknown[]> {
  const { rows } = await warehouse.query(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r'
       and n.nspname = (select 'shop_orders__r' || revision from heddle.served where product = $1 and state = 'live') order by 2`,
    [id],
  )
  const found = []
  for (const { schema, name } of rows) {
    const sum = await warehouse.query(
      `select count(*) as n, md5(string_agg(t::text, ',' order by t::text)) as md5 from "${schema}"."${name}" t`,
    )
    found.push({ name, ...sum.rows[0] })
  }
  return found
}

async function whatStands(): Promise<Record<string, string[]>> {
  const ask = async (sql: string) => (await warehouse.query<{ name: string }>(sql)).rows.map(({ name }) => name)
  return {
    schemas: await ask(
      `select nspname as name from pg_namespace where nspname like 'shop\\_orders%' or obj_description(oid, 'pg_namespace') like '%${id}%'`,
    ),
    relations: await ask(
      `select n.nspname || '.' || relname as name from pg_class c join pg_namespace n on n.oid = relnamespace where n.nspname like 'shop\\_orders%'`,
    ),
    roles: await ask(
      `select rolname as name from pg_roles where rolname like 'prod\\_\\_shop\\_%' or shobj_description(oid, 'pg_authid') like '%${id}%'`,
    ),
    grants: await ask(
      `select u.rolname || ' in ' || g.rolname as name from pg_auth_members m join pg_roles g on g.oid = m.roleid join pg_roles u on u.oid = m.member where u.rolname like 'prod\\_\\_u\\_\\_%'`,
    ),
    logins: await ask(`select rolname as name from pg_roles where rolcanlogin and rolname like 'prod\\_\\_%'`),
    policies: await ask(`select tablename || '.' || policyname as name from pg_policies where schemaname like 'shop\\_%'`),
    dangling: await ask(
      `select d.objid::text as name from pg_shdepend d where d.refclassid = 'pg_authid'::regclass and not exists (select from pg_authid a where a.oid = d.refobjid)`,
    ),
    repositories: (await readdir(join(platform.data, 'repos'))).filter((name) => name.startsWith(id)),
    folders: (await readdir(join(platform.data, 'work'), { recursive: true })).filter((name) => name.includes(id)),
  }
}
const nothing = (stands: Record<string, string[]>) =>
  assert.deepEqual(
    Object.entries(stands).filter(([, names]) => names.length > 0),
    [],
  )

async function retire(...more: string[]) {
  return platform.cli(['retire', ORDERS, '--json', '--because', 'nobody reads it', ...more])
}

test('a dry run names who is hit and every step; an active agreement refuses the retirement', async () => {
  const dry = await retire('--dry-run')
  assert.equal(dry.status, 0, dry.stderr)
  const { plan } = dry.json<{ plan: NonNullable<Request['plan']> }>()
  assert.deepEqual(plan.affected, ['consumer'])
  assert.equal(plan.diagnostics[0]!.code, 'RETIRE_CONSUMERS_ACTIVE')
  assert.deepEqual(
    plan.steps.map((step) => step.id),
    ['stop', 'archive', 'check', 'monitors@prod', 'delist', 'remove@prod', 'repository', 'rows', 'certificate'],
  )
  const refused = await platform.cli(['retire', ORDERS, '--confirm', ORDERS])
  assert.notEqual(refused.status, 0)
  assert.match(refused.stderr, /RETIRE_CONSUMERS_ACTIVE[\s\S]*consumer[\s\S]*heddle access revoke/)
  assert.deepEqual(await consumerSees(), SEEN)
})

test('the name must be typed: another name or --yes alone is not enough', async () => {
  const [agreement] = (await platform.client().agreements({ product: ORDERS })).items
  const revoked = await platform.cli(['access', 'revoke', String(agreement!.number), '--yes'])
  assert.equal(revoked.status, 0, revoked.stderr)
  for (const more of [['--yes'], ['--confirm', 'shop/other']]) {
    const refused = await retire(...more)
    assert.notEqual(refused.status, 0)
  }
  assert.equal((await platform.client('consumer').product(ORDERS)).state, 'active')
  const stranger = await platform.client('stranger').createRequest({ kind: 'retire', payload: { product: ORDERS } })
  assert.equal(stranger.state, 'submitted', 'owners decide')
  await platform.client('stranger').decideRequest(stranger.number, 'withdraw')
})

test('an archive that cannot be written, and a source that cannot be read whole, stop it before anything is removed', async (t) => {
  const before = await checksums()
  const file = join(platform.data, 'archive/shop')
  await writeFile(file, 'in the way')
  const failed = await retire('--confirm', ORDERS)
  assert.notEqual(failed.status, 0)
  assert.match(failed.stdout + failed.stderr, /ARCHIVE_WRITE_FAILED/)
  await rm(file)

  // A lost policy: the prober would read no row, without any error.
  const { rows } = await warehouse.query(
    `select schemaname || '.' || tablename as at, roles::text[] as roles from pg_policies where policyname = 'heddle_platform' and schemaname ~ 'r2$'`,
  )
  await warehouse.query(`drop policy heddle_platform on ${rows[0].at}`)
  const [run] = (await platform.client().runs({ product: ORDERS })).items
  const unread = await platform.cli(['retry', 'run', String(run!.number), '--wait', '--json'])
  assert.match(unread.stdout + unread.stderr, /WAREHOUSE_EXPORT_INCOMPLETE/)
  await warehouse.query(`create policy heddle_platform on ${rows[0].at} for select to ${rows[0].roles.join(', ')} using (true)`)
  assert.deepEqual(await checksums(), before)
  assert.equal((await platform.client().product(ORDERS)).served.length, 1)
  assert.deepEqual(
    await readdir(join(platform.data, 'archive/shop/orders')).then((names) =>
      names.filter((name) => !name.endsWith('.unfinished')),
    ),
    [],
  )
  t.diagnostic(`after ${run!.number}`)
})

test('retire goes on from where it stopped; afterwards nothing stands but the tombstone and the archive', async (t) => {
  archived = JSON.stringify(await checksums())
  head = (await platform.client().product(ORDERS)).repository.head!
  const owner = await connectAs(platform, ORDERS)
  await owner.query('begin')
  await owner.query('select * from shop_orders_orders_v1.orders')
  const began = performance.now()
  const [run] = (await platform.client().runs({ product: ORDERS })).items
  const retired = await platform.cli(['retry', 'run', String(run!.number), '--wait', '--json'])
  assert.equal(retired.status, 0, retired.stderr + retired.stdout)
  t.diagnostic(`archive to certificate: ${Math.round(performance.now() - began)} ms with the command`)
  nothing(await whatStands())
  await assert.rejects(owner.query('select 1'), 'the session of a reader has ended')

  const client = platform.client()
  const shown = await client.product(ORDERS)
  assert.equal(shown.state, 'retired')
  assert.equal(shown.catalog!.state, 'delisted')
  assert.deepEqual(shown.monitors, [])
  assert.deepEqual(shown.served, [])
  const { document } = (await control.query('select document from entry where product = $1', [id])).rows[0]
  assert.equal(document.tombstone.because, 'nobody reads it')
  assert.equal(document.tombstone.archive, `shop/orders/run-${run!.number}`)
  for (const table of ['monitor', 'inventory', 'batch', 'handled_push'])
    assert.equal((await control.query(`select from ${table} where product = $1`, [id])).rowCount, 0, table)
  assert.equal((await control.query('select from token where product = $1 and revoked_at is null', [id])).rowCount, 0)
  assert.ok(!(await client.products()).items.some((each) => each.address === ORDERS))
  // what is shared stays
  assert.equal((await warehouse.query(`select from heddle.budget where domain = 'shop'`)).rowCount, 1)
  assert.equal((await control.query(`select from namespace n join community c using (domain) where domain = 'shop'`)).rowCount, 1)

  const certificate = (await platform.cli(['api', 'GET', `/products/${ORDERS}/certificate`])).json<Certificate>()
  assert.ok(certificate.findings.length >= 9)
  assert.ok(certificate.findings.every((finding) => finding.found.length === 0))
  assert.match(certificate.text, /Certificate of retirement: shop\/orders[\s\S]*budget of shop/)
  assert.equal(await readFile(join(certificate.archive.place, 'certificate.txt'), 'utf8'), certificate.text)
})

test('nothing comes in any more, and the name is kept', async () => {
  for (const args of [
    ['connect', ORDERS],
    ['deploy', ORDERS],
    ['refresh', ORDERS],
    ['rollback', ORDERS, '--yes'],
    ['access', 'request', ORDERS, '--port', 'orders', '--purpose', 'analytics', '--as', 'consumer'],
    ['retire', ORDERS, '--confirm', ORDERS],
  ]) {
    const refused = await platform.cli(args)
    assert.notEqual(refused.status, 0)
    assert.match(refused.stderr, /PRODUCT_RETIRED[\s\S]*heddle restore shop\/orders/, args.join(' '))
  }
  const again = await platform.cli(['new', ORDERS, '--yes'])
  assert.match(again.stderr, /PRODUCT_NAME_TAKEN[\s\S]*retired[\s\S]*heddle restore/)
  const pushed = await push(platform, tree, { 'README.md': '# late\n' })
  assert.notEqual(pushed.status, 0)
  await platform.git(['reset', '--hard', '--quiet', 'HEAD~1'], tree)
  // a start finds nothing to catch up with
  await platform.kill('SIGKILL')
  await platform.start()
  warehouse = await platform.warehouse('prod')
  control = await platform.control()
  nothing(await whatStands())
})

test('a damaged archive is not restored: one flipped byte in any file, and nothing is made', async () => {
  const place = join(platform.data, 'archive/shop/orders')
  const folder = join(place, (await readdir(place)).find((name) => !name.endsWith('.unfinished'))!)
  const files = (await readdir(folder, { recursive: true })).filter((name) =>
    /orders\.parquet$|bundle$|manifest\.json$/.test(name),
  )
  assert.equal(files.length, 3)
  for (const file of files) {
    const path = join(folder, file)
    const bytes = await readFile(path)
    const flipped = Buffer.from(bytes)
    flipped[Math.floor(bytes.length / 2)]! ^= 1
    await writeFile(path, flipped)
    const refused = await platform.cli(['restore', ORDERS, '--yes', '--json'])
    assert.notEqual(refused.status, 0, file)
    assert.match(refused.stdout + refused.stderr, /ARCHIVE_DAMAGED/, file)
    nothing(await whatStands())
    await writeFile(path, bytes)
  }
})

test('restore brings back the same rows, the same release and repository, and its policies; agreements are asked again', async (t) => {
  const began = performance.now()
  const restored = await platform.cli(['restore', ORDERS, '--yes', '--json'])
  assert.equal(restored.status, 0, restored.stderr + restored.stdout)
  t.diagnostic(`restore: ${Math.round(performance.now() - began)} ms with the command`)
  assert.equal(JSON.stringify(await checksums()), archived)
  const shown = await platform.client().product(ORDERS)
  assert.equal(shown.state, 'active')
  assert.equal(shown.repository.head, head)
  assert.equal(shown.catalog!.state, 'listed')
  assert.equal(shown.environments[0]!.release!.number, 2)
  assert.equal(shown.monitors.length, 3)
  assert.equal((await control.query('select id from product where domain = $1 and name = $2', ['shop', 'orders'])).rows[0].id, id)
  const refused = await platform.cli(['connect', ORDERS, '--as', 'consumer'])
  assert.match(refused.stderr, /ACCESS_NOT_GRANTED/)
  await grantConsumer()
  assert.deepEqual(await consumerSees(), SEEN)
  const pulled = await platform.cli(['clone', ORDERS, join(platform.data, '../again')])
  assert.equal(pulled.status, 0, pulled.stderr)
  assert.equal((await platform.cli(['refresh', ORDERS, '--json'])).status, 0, 'and it goes on')
  assert.equal(JSON.stringify(await checksums()), archived)
})

test('it can be retired again, into an archive of its own', async () => {
  const [agreement] = (await platform.client().agreements({ product: ORDERS })).items
  assert.equal((await platform.cli(['access', 'revoke', String(agreement!.number), '--yes'])).status, 0)
  const retired = await retire('--confirm', ORDERS)
  assert.equal(retired.status, 0, retired.stderr + retired.stdout)
  nothing(await whatStands())
  assert.equal((await readdir(join(platform.data, 'archive/shop/orders'))).length, 2)
  await mkdir(join(platform.data, 'archive'), { recursive: true })
})

test('a retirement that races with a refresh, a deploy, a push and a grant is refused or complete, never half (F21)', async (t) => {
  const outcomes: string[] = []
  for (const delay of [0, 60, 300]) {
    if ((await platform.client().product(ORDERS)).state === 'retired')
      assert.equal((await platform.cli(['restore', ORDERS, '--yes', '--json'])).status, 0)
    const client = platform.client()
    const later = <T>(ms: number, act: () => Promise<T>) => new Promise((resolve) => setTimeout(resolve, ms)).then(act)
    const [asked] = await Promise.allSettled([
      later(delay, () => client.createRequest({ kind: 'retire', payload: { product: ORDERS } })),
      client.refresh(ORDERS),
      later(30, () => client.deploy(ORDERS)),
      later(10, async () => {
        const payload = { product: ORDERS, port: 'orders', purpose: 'analytics' }
        const access = await platform.client('consumer').createRequest({ kind: 'access', payload })
        return client.decideRequest(access.number, 'approve')
      }),
    ])
    if (asked.status === 'rejected') {
      outcomes.push((asked.reason as { code: string }).code)
      for (const end = Date.now() + 30_000; ; ) {
        const open = (await client.agreements({ product: ORDERS })).items.filter((each) =>
          ['applying', 'active'].includes(each.state),
        )
        if (open.every((each) => each.state === 'active')) {
          for (const each of open) await platform.cli(['access', 'revoke', String(each.number), '--yes'])
          break
        }
        assert.ok(Date.now() < end)
      }
      continue
    }
    const run = await waitForRun(
      platform,
      ORDERS,
      (each) => each.number === asked.value.run && ['succeeded', 'failed'].includes(each.state),
    )
    outcomes.push(`${run.state} ${run.problem?.code ?? ''}`.trim())
    assert.equal(run.state, 'succeeded', JSON.stringify(run.problem))
    nothing(await whatStands())
  }
  t.diagnostic(outcomes.join(', '))
  assert.ok(
    outcomes.every((outcome) => /^(succeeded|RETIRE_CONSUMERS_ACTIVE)$/.test(outcome)),
    outcomes.join(', '),
  )
})
