import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { Problem } from '../../src/client/types.ts'
import type { TestPlatform } from '../platform.ts'
import { makeProduct, ORDERS_CSV, startSmallMesh, writeSource } from '../small-mesh.ts'

// The data port from outside: whatever stands in an address or a header, it answers rows to who may read them, or a problem, and nothing else happens.
const PORT = '/data/shop/orders/orders/v1'
const ORDERS = `${PORT}/orders`
const FORMULA = "=cmd|' /C calc'!A1"

let platform: TestPlatform
let database: pg.Client
let token: string

before(async () => {
  platform = await startSmallMesh()
  await writeSource(platform, 'shop/orders.csv', `${ORDERS_CSV}4,"${FORMULA}",1\n`)
  await makeProduct(platform, 'shop/orders', ['--template', 'orders'])
  database = await platform.warehouse('prod')
  token = (await readFile(join(platform.data, 'cli-token'), 'utf8')).trim()
})
after(() => platform?.dispose())

type Answer = { status: number; type: string; headers: Record<string, string | string[] | undefined>; text: string }

/** As it comes over the wire: fetch would correct the address. */
function send(
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(platform.url)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, method, path, headers: { authorization: `Bearer ${token}`, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            type: response.headers['content-type'] ?? '',
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    request.on('error', reject)
    request.setTimeout(10_000, () => request.destroy(new Error(`${method} ${path.slice(0, 100)} was not answered`)))
    request.end()
  })
}
const items = (answer: Answer) => (JSON.parse(answer.text) as { items: Record<string, unknown>[] }).items
const marks = async () =>
  (
    await database.query(
      `SELECT (SELECT count(*)::int FROM pg_class) AS relations, (SELECT count(*)::int FROM pg_roles) AS roles, (SELECT count(*)::int FROM shop_orders_orders_v1.orders) AS rows`,
    )
  ).rows[0]

const INJECTIONS = [
  "'",
  '"',
  "' OR '1'='1",
  '1; DROP TABLE shop_orders__r1.orders; --',
  "1'; DROP SCHEMA heddle CASCADE; --",
  '1) UNION SELECT rolname, rolpassword, 1 FROM pg_authid --',
  "\\'; CREATE ROLE evil SUPERUSER; --",
  "E'\\\\''",
  '$1',
  '$$x$$',
  '/* */',
  'id"; SELECT pg_sleep(5); --',
  "x' || pg_read_file('/etc/passwd') || '",
  '{"$ne":null}',
  '%',
  '_',
  '\u0000'.replace('\u0000', '%00'),
  '%c0%27',
  'ʼ OR 1=1',
]

test('text in every parameter stays text: rows that match it, or a problem, and nothing is made or lost', async () => {
  const before = await marks()
  for (const accept of ['application/json', 'text/csv'])
    for (const injection of INJECTIONS)
      for (const at of [
        (text: string) => `item=eq.${text}`,
        (text: string) => `item=like.${text}`,
        (text: string) => `item=in.(${text},a)`,
        (text: string) => `item=in.("${text}")`,
        (text: string) => `id=eq.${text}`,
        (text: string) => `id=${text}.1`,
        (text: string) => `${text}=eq.1`,
        (text: string) => `%22${text}%22=eq.1`,
        (text: string) => `select=${text}`,
        (text: string) => `select=id,%22${text}%22`,
        (text: string) => `order=${text}`,
        (text: string) => `order=id.${text}`,
        (text: string) => `limit=${text}`,
        (text: string) => `cursor=${text}`,
        (text: string) => `environment=${text}`,
      ]) {
        const text = /^%(00|c0)/.test(injection) ? injection : encodeURIComponent(injection)
        const answer = await send(`${ORDERS}?${at(text)}`, { headers: { accept } })
        const told = `${accept} ${at(text)}: ${answer.status} ${answer.text.slice(0, 200)}`
        assert.ok([200, 400, 403].includes(answer.status), told)
        if (answer.status !== 200) {
          const problem = JSON.parse(answer.text) as Problem
          assert.match(problem.code, /^(DATA_|ACCESS_NOT_GRANTED)/, told)
          assert.doesNotMatch(answer.text, /syntax error|relation|pg_|SQLSTATE/i, told)
        } else if (!/=like\./.test(at(text))) {
          const found = accept === 'text/csv' ? answer.text.trim().split('\n').length - 1 : items(answer).length
          assert.equal(found, 0, told)
        }
      }
  assert.deepEqual(await marks(), before)
  assert.equal(items(await send(ORDERS)).length, 4)
})

test('addresses: traversal, NUL, long and odd ones are one and the same refusal, or no address', async () => {
  for (const path of [
    '/data/..%2f..%2fetc/orders/orders/v1/passwd',
    '/data/shop/orders/orders/v1/..%2f..%2forders',
    '/data/shop%00/orders/orders/v1/orders',
    '/data/shop/orders%00/orders/v1/orders',
    '/data/shop/orders/orders%00/v1/orders',
    '/data/shop/orders/orders/v1%00/orders',
    '/data/shop/orders/orders/v1/orders%00',
    '/data/shop/orders/orders/v1/%ff',
    '/data/shop/orders/orders/v01/orders',
    '/data/shop/orders/orders/v1e0/orders',
    '/data/shop/orders/orders/1/orders',
    '/data/shop/orders/orders/v99999999999999999999/orders',
    '/data/Shop/Orders/orders/v1/orders',
    '/data/shop/orders/orders/v1/Orders',
    '/data/shop/orders/orders/v1/pg_authid',
    '/data/shop/orders/orders/v1/orders/more',
    '/data/shop/orders/orders/v1/orders"; drop',
    '/data/__proto__/constructor/toString/v1/valueOf',
    `/data/shop/orders/orders/v1/${'x'.repeat(4000)}`,
    '/data//orders/orders/v1/orders',
    '/data/shop/orders',
    '/data',
  ].map((path) => path.replaceAll(' ', '%20').replaceAll('"', '%22'))) {
    const answer = await send(path)
    if (path === '/data') continue
    assert.ok([400, 403, 404, 414].includes(answer.status), `${path}: ${answer.status} ${answer.text.slice(0, 200)}`)
    assert.equal(answer.type, 'application/problem+json', path)
    assert.notEqual((JSON.parse(answer.text) as Problem).code, 'INTERNAL_UNEXPECTED', path)
  }
  assert.equal((await send(`${ORDERS}?item=eq.${'x'.repeat(8 * 1024)}`)).status, 414)
  assert.ok([414, 431].includes((await send(`${ORDERS}?item=eq.${'x'.repeat(20_000)}`)).status))
  assert.equal((await send(`${ORDERS}?${'id=eq.1&'.repeat(60)}`)).status, 400)
  assert.equal((await send(`${ORDERS}?id=in.(${Array.from({ length: 3000 }, (_, n) => n % 10).join(',')})`)).status, 200)
})

test('methods: HEAD asks for the same right and reads nothing, all others do not exist', async () => {
  assert.equal((await send(ORDERS, { method: 'HEAD', headers: { authorization: 'Bearer nobody' } })).status, 401)
  assert.equal((await send(ORDERS, { method: 'HEAD', headers: { 'heddle-as': 'stranger' } })).status, 403)
  assert.deepEqual([(await send(ORDERS, { method: 'HEAD' })).status, (await send(ORDERS, { method: 'HEAD' })).text], [200, ''])
  for (const method of ['OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY']) {
    const answer = await send(ORDERS, { method })
    assert.ok([400, 404, 405, 422].includes(answer.status), `${method}: ${answer.status}`)
    assert.equal(answer.headers['access-control-allow-origin'], undefined)
  }
})

test('who is not who it says: no token, foreign tokens, non-sample users, another host', async () => {
  const git = (await platform.client().createToken('shop/orders', 'git')).token
  const service = (await platform.client().createToken('shop/orders', 'service')).token
  for (const [headers, status] of [
    [{ authorization: '' }, 401],
    [{ authorization: 'Bearer x' }, 401],
    [{ authorization: `Bearer ${token}x` }, 401],
    [{ authorization: '', cookie: `heddle_session=${token}` }, 401],
    [{ authorization: `Bearer ${git}` }, 403],
    [{ authorization: `Bearer ${service}` }, 403],
    [{ 'heddle-as': 'robot' }, 403],
    [{ 'heddle-as': 'nobody' }, 403],
    [{ 'heddle-as': 'stranger' }, 403],
    [{ 'heddle-as': 'platform' }, 403],
    [{ 'heddle-as': 'governance' }, 403],
    [{ host: 'evil.example' }, 421],
  ] as [Record<string, string>, number][])
    assert.equal((await send(ORDERS, { headers })).status, status, JSON.stringify(headers))
  // Switching roles by what is sent: there is no such parameter, and none is made up.
  for (const query of ['role=eq.x', 'set_role=eq.owner', 'user=eq.postgres'])
    assert.equal((JSON.parse((await send(`${ORDERS}?${query}`)).text) as Problem).code, 'DATA_COLUMN_UNKNOWN')
})

test("a cursor that was made up, changed or is another's opens nothing", async () => {
  const first = JSON.parse((await send(`${ORDERS}?limit=2`)).text) as { next: string }
  assert.equal(items(await send(`${ORDERS}?limit=2&cursor=${first.next}`)).length, 2)
  const bytes = Buffer.from(first.next, 'base64url')
  const tried = [
    'x',
    'null',
    Buffer.from(JSON.stringify([1, ['1'], 0])).toString('base64url'),
    Buffer.alloc(28).toString('base64url'),
    bytes.subarray(0, -1).toString('base64url'),
    Buffer.from(bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte))).toString('base64url'),
  ]
  for (const cursor of tried) {
    const answer = await send(`${ORDERS}?limit=2&cursor=${cursor}`)
    assert.deepEqual([answer.status, (JSON.parse(answer.text) as Problem).code], [400, 'DATA_CURSOR_INVALID'])
  }
  assert.equal((await send(`${ORDERS}?limit=2&cursor=${first.next}&item=not.null`)).status, 400)
  assert.equal((await send(`${ORDERS}?limit=2&cursor=${first.next}`, { headers: { 'heddle-as': 'stranger' } })).status, 403)
  assert.equal((await send(`${ORDERS}?cursor=${first.next}`, { headers: { accept: 'text/csv' } })).status, 400)
  // It outlives a restart: its key is the data directory's.
  await platform.kill('SIGTERM')
  await platform.start()
  database = await platform.warehouse('prod')
  assert.equal(items(await send(`${ORDERS}?limit=2&cursor=${first.next}`)).length, 2)
})

test('a formula is left as the data it is, in a file that a browser saves and does not show', async () => {
  const answer = await send(`${ORDERS}?select=item&id=eq.4`, { headers: { accept: 'text/csv' } })
  assert.equal(answer.text, `item\n${FORMULA}\n`)
  assert.deepEqual(
    [answer.headers['content-disposition'], answer.headers['x-content-type-options'], answer.headers['cache-control']],
    ['attachment; filename="orders.csv"', 'nosniff', 'private, no-cache'],
  )
})
