import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { TestPlatform } from '../platform.ts'
import { connectAs, makeProduct, startSmallMesh, waitForEnd } from '../small-mesh.ts'

// What a start makes right: counting that fell behind or ran ahead.
const ORDERS = 'shop/orders'

let platform: TestPlatform
before(async () => {
  platform = await startSmallMesh()
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
})
after(() => platform?.dispose())

async function refresh(): Promise<number> {
  const { number } = await platform.client().refresh(ORDERS)
  const run = await waitForEnd(platform, number)
  assert.equal(run.state, 'succeeded', JSON.stringify(run.problem))
  return number
}

async function restart(change: (control: pg.Client) => Promise<unknown>): Promise<void> {
  await change(await platform.control())
  await platform.stop()
  await platform.start()
}

test('a control database restored from a copy counts on from the epochs that its environments have seen', async () => {
  await refresh()
  const warehouse = await platform.warehouse('prod')
  const held = Number((await warehouse.query('select max(epoch) as epoch from heddle.lease')).rows[0].epoch)
  assert.ok(held > 1)
  await restart((control) => control.query("select setval('run_epoch', 1)"))
  assert.ok(
    platform.did().some((line) => line.includes(`${held - 1} epochs behind prod`)),
    platform.did().join('\n'),
  )
  await refresh()
})

test('after a crash that ran ahead of the numbers the next run has the next number', async () => {
  const last = await refresh()
  await restart((control) => control.query("select setval(pg_get_serial_sequence('run', 'number'), $1::bigint + 32)", [last]))
  assert.equal(await refresh(), last + 1)
})

test('a budget changed in mesh.yml is that of every login from the next start on', async () => {
  const settings = async () => {
    const reader = await connectAs(platform, ORDERS)
    const { rows } = await reader.query(
      `select rolconnlimit as connections, current_setting('statement_timeout') as statement, current_setting('temp_file_limit') as files
       from pg_roles where rolname = current_user`,
    )
    await reader.end()
    return rows[0]
  }
  assert.deepEqual(await settings(), { connections: 8, statement: '30s', files: '512MB' })
  const file = `${platform.data}/mesh.yml`
  const text = await readFile(file, 'utf8')
  await restart(() =>
    writeFile(
      file,
      text.replace(
        'budget: {connections: 8, statement: 30s, tempFiles: 512MB}',
        'budget: {connections: 5, statement: 7s, tempFiles: 64MB}',
      ),
    ),
  )
  assert.ok(platform.did().includes('gave shop its new budget in prod'), platform.did().join('\n'))
  // Without a grant or a new password: the login as it stands.
  const { rows } = await (await platform.warehouse('prod')).query(
    `select distinct r.rolconnlimit, array_to_string(s.setconfig, ',') as settings from heddle.login l join pg_roles r on r.rolname = l.role
     join pg_db_role_setting s on s.setrole = r.oid where l.domain = 'shop'`,
  )
  assert.equal(rows.length, 1, JSON.stringify(rows))
  assert.equal(rows[0].rolconnlimit, 5)
  assert.match(rows[0].settings, /statement_timeout=7000ms,temp_file_limit=65536kB/)
  assert.deepEqual(await settings(), { connections: 5, statement: '7s', files: '64MB' })
  await refresh()
  await restart(async () => {})
  assert.ok(!platform.did().some((line) => line.includes('budget')))
})
