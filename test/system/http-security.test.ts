import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import type { Problem } from '../../src/client/types.ts'
import type { TestPlatform } from '../platform.ts'
import { connectAs, makeProduct, push, startSmallMesh, waitForEnd, writeSource } from '../small-mesh.ts'

const ORDERS = 'shop/orders'
const PRODUCT = '/api/v1/products/shop/orders'
const ROW = 'canary-of-a-row'

let platform: TestPlatform
let control: pg.Client
let cliToken: string
let gitToken: string
let serviceToken: string
let tree: string

before(async () => {
  platform = await startSmallMesh()
  await writeSource(platform, 'shop/orders.csv', `id,item,amount\n1,${ROW},3\n2,ink,12\n`)
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  await makeProduct(platform, 'shop/other')
  control = await platform.control()
  cliToken = (await readFile(join(platform.data, 'cli-token'), 'utf8')).trim()
  gitToken = (await platform.client().createToken(ORDERS, 'git')).token
  serviceToken = (await platform.client().createToken(ORDERS, 'service')).token
  tree = await platform.clone(ORDERS)
})
after(() => platform?.dispose())

type Answer = { status: number; headers: Record<string, string | string[] | undefined>; text: string; problem: Problem }

/** A call as it comes over the wire: fetch would correct the address and the Host header. */
function send(method: string, path: string, options: { headers?: Record<string, string>; body?: string } = {}): Promise<Answer> {
  const { hostname, port } = new URL(platform.url)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        hostname,
        port,
        method,
        path,
        headers: { ...(options.body !== undefined && { 'content-type': 'application/json' }), ...options.headers },
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text,
            problem: (text !== '' && /problem\+json/.test(response.headers['content-type'] ?? '')
              ? JSON.parse(text)
              : {}) as Problem,
          })
        })
      },
    )
    // A server that refuses a large body answers and closes while it is still being sent: the answer counts.
    request.on('error', (error) => setTimeout(() => reject(error), 1000))
    request.setTimeout(10_000, () => request.destroy(new Error(`${method} ${path} was not answered`)))
    request.end(options.body)
  })
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const changes = async () =>
  (
    await control.query(
      'select (select count(*) from audit) as audit, (select count(*) from run) as runs, (select count(*) from request) as requests, (select count(*) from token) as tokens',
    )
  ).rows[0]

type OpenApi = { paths: Record<string, Record<string, unknown>> }
const routes = async () => {
  const { paths } = JSON.parse((await send('GET', '/api/v1/openapi.json')).text) as OpenApi
  return Object.entries(paths).flatMap(([path, verbs]) =>
    Object.keys(verbs).map((method) => ({ method: method.toUpperCase(), path })),
  )
}
const filled = (path: string) =>
  path
    .replace('{domain}', 'shop')
    .replace('{product}', 'orders')
    .replace('{number}', '1')
    .replace('{name}', 'developer')
    .replace('{id}', '01900000-0000-7000-8000-000000000000')
/** Node sends a body of DELETE without its length, which no server can read. */
const bodyFor = (method: string) => (['GET', 'DELETE'].includes(method) ? {} : { body: '{}' })

test('every route of the API refuses who is not signed in', async () => {
  const open = ['/api/v1/health', '/api/v1/login']
  const all = await routes()
  assert.ok(all.length >= 30, `${all.length} routes`)
  const before = await changes()
  for (const { method, path } of all) {
    if (open.includes(path)) continue
    for (const headers of [
      {},
      bearer('hdg_wrong'),
      { cookie: 'heddle_session=wrong', 'heddle-request': '1' },
      { 'heddle-as': 'platform' },
    ]) {
      const answer = await send(method, filled(path), { headers, ...bodyFor(method) })
      assert.equal(
        answer.status,
        401,
        `${method} ${path} with ${JSON.stringify(headers)}: ${answer.status} ${answer.text.slice(0, 200)}`,
      )
      assert.equal(answer.problem.code, 'HTTP_NOT_SIGNED_IN')
    }
  }
  assert.deepEqual(await changes(), before)
  assert.equal((await send('GET', '/api/v1/health')).status, 200)
})

test('another spelling of an address is no way around', async () => {
  for (const path of [
    '/%61pi/v1/products',
    '/api/v1/%70roducts',
    '//api/v1/products',
    '/api//v1/products',
    '/api/v1/../v1/products',
    '/API/V1/products',
    '/api/v1/products/',
    '/api/v1/products;x=1',
    '/x/../api/v1/products',
    '/api/v1/products%2fshop%2forders',
    '/%2e/api/v1/products',
  ]) {
    const answer = await send('GET', path)
    assert.ok(
      [400, 401, 404].includes(answer.status) || !answer.text.includes('shop/orders'),
      `${path}: ${answer.status} ${answer.text.slice(0, 200)}`,
    )
    assert.ok(!answer.text.includes('"items"'), `${path}: ${answer.text.slice(0, 200)}`)
  }
  for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'PROPFIND']) {
    const answer = await send(method, '/api/v1/products')
    assert.ok([400, 401, 404, 405, 501].includes(answer.status), `${method}: ${answer.status}`)
  }
})

test("another host's name is refused, so a rebound name reads nothing", async () => {
  for (const path of ['/api/v1/products', '/api/v1/health', '/', '/git/shop/orders.git/info/refs?service=git-upload-pack']) {
    for (const host of ['evil.example.org', 'evil.example.org:80', 'localhost.evil.example.org', '127.0.0.1.evil.example.org']) {
      const answer = await send('GET', path, { headers: { ...bearer(cliToken), host } })
      assert.ok([400, 421].includes(answer.status), `${path} as ${host}: ${answer.status}`)
    }
  }
  const own = new URL(platform.url).host
  assert.equal((await send('GET', '/api/v1/me', { headers: { ...bearer(cliToken), host: own } })).status, 200)
})

test('a one-time address works once; its cookie changes nothing without our own header', async () => {
  const once = new URL((await platform.client().once()).url).searchParams.get('once')!
  const logins = await Promise.all(
    Array.from({ length: 5 }, () => send('POST', '/api/v1/login', { body: JSON.stringify({ once }) })),
  )
  assert.deepEqual(logins.map((login) => login.status).sort(), [200, 401, 401, 401, 401])
  assert.equal(logins.find((login) => login.status === 401)!.problem.code, 'HTTP_ONCE_SPENT')
  const set = String(logins.find((login) => login.status === 200)!.headers['set-cookie'])
  assert.match(set, /HttpOnly/)
  assert.match(set, /SameSite=Strict/)
  const cookie = set.split(';')[0]!
  assert.equal((await send('GET', '/api/v1/me', { headers: { cookie } })).status, 200)
  const before = await changes()
  for (const { method, path } of await routes()) {
    if (method === 'GET' || path.endsWith('/login')) continue
    const answer = await send(method, filled(path), { headers: { cookie }, ...bodyFor(method) })
    assert.equal(answer.problem.code, 'HTTP_FORGERY_REFUSED', `${method} ${path}: ${answer.status}`)
  }
  assert.deepEqual(await changes(), before)
  // The once token and a session are no bearer of the other's kind.
  assert.equal((await send('GET', '/api/v1/me', { headers: bearer(once) })).status, 401)
  assert.equal((await send('POST', '/api/v1/logout', { headers: { cookie, 'heddle-request': '1' } })).status, 204)
  assert.equal((await send('GET', '/api/v1/me', { headers: { cookie } })).status, 401)
})

test('only sample users are played, and the audit holds both names', async () => {
  for (const as of ['robot', 'nobody', "x' or true --"]) {
    const answer = await send('GET', '/api/v1/me', { headers: { ...bearer(cliToken), 'heddle-as': as } })
    assert.equal(answer.problem.code, 'HTTP_AS_REFUSED', `${as}: ${answer.text}`)
  }
  assert.equal((await send('GET', '/api/v1/me', { headers: { ...bearer(gitToken), 'heddle-as': 'platform' } })).status, 403)
  await platform.client('platform').setAttributes('consumer', { facility_ids: ['F01'] })
  const { items } = await platform.client('platform').audit()
  const row = items.find((each) => each.action === 'subject.attributes')
  assert.deepEqual([row?.actor, row?.onBehalfOf], ['platform', 'developer'])
  assert.equal((await send('GET', '/api/v1/audit', { headers: { ...bearer(cliToken), 'heddle-as': 'stranger' } })).status, 403)
})

test('a token of a product opens its own routes and nothing else', async () => {
  const waiting = await platform.client('stranger').createRequest({ kind: 'product', payload: { domain: 'shop', name: 'waits' } })
  assert.equal(waiting.state, 'submitted')
  const before = await changes()
  const allowed: Record<string, string[]> = {
    [gitToken]: [
      'GET /api/v1/me',
      'GET /api/v1/products/{domain}/{product}',
      'POST /api/v1/products/{domain}/{product}/plan',
      'POST /api/v1/products/{domain}/{product}/deploy',
    ],
    [serviceToken]: [
      'GET /api/v1/me',
      'GET /api/v1/products/{domain}/{product}',
      'PUT /api/v1/products/{domain}/{product}/metadata',
      'POST /api/v1/products/{domain}/{product}/metrics',
    ],
  }
  for (const [token, own] of Object.entries(allowed)) {
    for (const { method, path } of await routes()) {
      if (path.endsWith('/health') || path.endsWith('/login')) continue
      const body = bodyFor(method)
      const elsewhere = path
        .replace('{domain}', 'shop')
        .replace('{product}', 'other')
        .replace('{number}', String(waiting.number))
        .replace('{name}', 'developer')
        .replace('{id}', '01900000-0000-7000-8000-000000000000')
      if (!own.includes(`${method} ${path}`)) {
        const answer = await send(method, filled(path), { headers: bearer(token), ...body })
        assert.equal(answer.status, 403, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 200)}`)
      }
      if (path.includes('{')) {
        const answer = await send(method, elsewhere, { headers: bearer(token), ...body })
        assert.equal(answer.status, 403, `${method} ${elsewhere}: ${answer.status} ${answer.text.slice(0, 200)}`)
      }
    }
  }
  assert.deepEqual(await changes(), before)
  assert.equal((await platform.client().request(waiting.number)).state, 'submitted')

  assert.equal(
    (await send('PUT', `${PRODUCT}/metadata`, { headers: bearer(serviceToken), body: '{"steward": "Ola"}' })).status,
    204,
  )
  assert.equal((await send('POST', `${PRODUCT}/metrics`, { headers: bearer(serviceToken), body: '{"rows": 2}' })).status, 204)
  const { catalog } = await platform.client().product(ORDERS)
  assert.deepEqual([catalog!.metadata, catalog!.metrics], [{ steward: 'Ola' }, { rows: 2 }])

  // git over HTTP: each token its own repository; a service token none.
  const basic = (token: string) => ({ authorization: `Basic ${Buffer.from(`git:${token}`).toString('base64')}` })
  const refs = (product: string, service: string) => `/git/shop/${product}.git/info/refs?service=${service}`
  assert.equal((await send('GET', refs('orders', 'git-receive-pack'), { headers: basic(gitToken) })).status, 200)
  for (const [product, token, status] of [
    ['other', gitToken, 404],
    ['orders', serviceToken, 404],
    ['orders', 'hdg_wrong', 401],
    ['nothing', cliToken, 404],
  ] as const) {
    for (const service of ['git-receive-pack', 'git-upload-pack'])
      assert.equal((await send('GET', refs(product, service), { headers: basic(token) })).status, status, `${product} ${service}`)
  }
  assert.equal((await send('GET', refs('orders', 'git-upload-pack'))).status, 401)
  for (const path of [
    '/git/shop/../../secrets.key',
    '/git/shop/orders.git/config',
    '/git/shop/orders.git/objects/../config',
    '/git/shop/orders.git/HEAD',
    '/git/../cli-token',
  ]) {
    const answer = await send('GET', path, { headers: basic(gitToken) })
    assert.ok(answer.status === 404 || !answer.text.includes('[core]'), `${path}: ${answer.status}`)
    assert.ok(!answer.text.includes(cliToken))
  }
})

test('the portal serves nothing but its own files', async () => {
  for (const path of [
    '/../cli-token',
    '/..%2fcli-token',
    '/%2e%2e/cli-token',
    '/assets/../../../package.json',
    '/assets/%2e%2e/%2e%2e/%2e%2e/package.json',
    '/..%5c..%5cpackage.json',
    '/%00',
    '/%',
    '/assets/%E0%A4%A',
  ]) {
    const answer = await send('GET', path)
    assert.ok(!answer.text.includes(cliToken) && !answer.text.includes('"dependencies"'), path)
    assert.ok(answer.status < 500, `${path}: ${answer.status}`)
  }
  const page = await send('GET', '/')
  assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/)
  assert.equal(page.headers['access-control-allow-origin'], undefined)
  const crossed = await send('OPTIONS', '/api/v1/products', {
    headers: { origin: 'https://evil.example.org', 'access-control-request-method': 'GET' },
  })
  assert.equal(crossed.headers['access-control-allow-origin'], undefined)
})

test('errors are problem documents with code, fix and the id of the request', async () => {
  const cases: [string, string, string | undefined, number, string][] = [
    ['GET', '/api/v1/products/shop/nothing', undefined, 404, 'PRODUCT_UNKNOWN'],
    ['GET', '/api/v1/runs/999999', undefined, 404, 'RUN_UNKNOWN'],
    ['GET', '/api/v1/runs/x', undefined, 422, 'HTTP_INPUT_INVALID'],
    ['GET', '/api/v1/runs/99999999999999999999', undefined, 422, 'HTTP_INPUT_INVALID'],
    ['GET', '/api/v1/nothing', undefined, 404, 'HTTP_ROUTE_UNKNOWN'],
    ['POST', '/api/v1/requests', '{"kind": "product"', 422, 'HTTP_INPUT_INVALID'],
    ['POST', '/api/v1/requests', '{"kind": "product", "payload": {"domain": "shop"}}', 422, 'HTTP_INPUT_INVALID'],
    ['POST', '/api/v1/requests', '{"kind": "product", "payload": {"domain": "nowhere", "name": "x"}}', 422, 'DOMAIN_UNKNOWN'],
    ['POST', '/api/v1/requests', `{"__proto__": {"platform": true}, "kind": "domain", "payload": {}}`, 422, 'HTTP_INPUT_INVALID'],
    ['POST', `${PRODUCT}/deploy`, '{"commit": "0000000000000000000000000000000000000000"}', 404, 'REPOSITORY_COMMIT_MISSING'],
    ['POST', `${PRODUCT}/deploy`, '{"environment": "nowhere"}', 404, 'ENVIRONMENT_UNKNOWN'],
    ['POST', `${PRODUCT}/connect`, '{"environment": "nowhere"}', 404, 'ENVIRONMENT_UNKNOWN'],
    ['PUT', `${PRODUCT}/metadata`, '"text"', 422, 'HTTP_INPUT_INVALID'],
    ['GET', '/api/v1/audit?after=-1e9', undefined, 200, ''],
  ]
  for (const [method, path, body, status, code] of cases) {
    const answer = await send(method, path, { headers: bearer(cliToken), ...(body !== undefined && { body }) })
    if (code === '') continue
    assert.equal(answer.problem.code, code, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`)
    assert.ok(Math.floor(answer.status / 100) === Math.floor(status / 100), `${method} ${path}: ${answer.status}`)
    assert.ok(answer.problem.fix.length > 0 && answer.problem.docs.startsWith('docs/errors.md#'))
    assert.equal(answer.problem.requestId, answer.headers['x-request-id'])
    assert.ok(!/\.ts:\d+|node_modules|select .* from/i.test(answer.text), answer.text)
  }
  const large = await send('POST', `${PRODUCT}/plan`, {
    headers: bearer(cliToken),
    body: JSON.stringify({ files: { 'dbt/x': 'x'.repeat(9 * 1024 * 1024) } }),
  })
  assert.equal(large.status, 413)
  assert.equal(large.problem.code, 'HTTP_INPUT_TOO_LARGE')
  const bounded = await send('POST', `${PRODUCT}/plan`, {
    headers: bearer(cliToken),
    body: JSON.stringify({ files: { 'data_product_spec.yml': 'x'.repeat(2 * 1024 * 1024), 'data_product_deploy.yml': '' } }),
  })
  assert.ok(bounded.status >= 400 && bounded.status < 500, bounded.text.slice(0, 200))
})

test('no password, token or row value is left in logs, events, plans or the audit', async () => {
  const broken = await push(platform, tree, {
    'dbt/models/orders.sql':
      "select (item || 'x')::bigint as id, item, amount::integer as amount from {{ source('staging', 'orders') }}\n",
  })
  const run = await waitForEnd(platform, broken.run!)
  assert.equal(run.state, 'failed')
  const reader = await connectAs(platform, ORDERS)
  const url = await platform.client().connect(ORDERS)
  const password = new URL(url.url).password
  await reader.end()
  const kept = JSON.parse(await readFile(join(platform.data, 'postgres.json'), 'utf8')) as { password: string }
  const key = await readFile(join(platform.data, 'secrets.key'))
  const secrets = [ROW, cliToken, gitToken, serviceToken, password, kept.password, key.toString('base64'), key.toString('hex')]
  const assertClean = (text: string, where: string) => {
    for (const [index, secret] of secrets.entries()) assert.ok(!text.includes(secret), `secret ${index} in ${where}`)
  }
  for (const table of [
    'event',
    'plan',
    'run',
    'step',
    'audit',
    'request',
    'evidence',
    'batch',
    'publication',
    'entry',
    'token',
    'release',
  ]) {
    assertClean(
      (await control.query(`select coalesce(string_agg(t::text, ''), '') as all from ${table} t`)).rows[0].all,
      `table ${table}`,
    )
  }
  const logs = (await readdir(platform.data, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && /(^|\/)logs(\/|$)/.test(`${entry.parentPath}/`) && !entry.parentPath.includes('/repos/'),
  )
  assert.ok(logs.length > 0, 'there are logs')
  for (const entry of logs)
    assertClean(await readFile(join(entry.parentPath, entry.name), 'utf8'), join(entry.parentPath, entry.name))
  assertClean(await readFile(join(platform.data, '../stderr.log'), 'utf8').catch(() => ''), 'stderr')
  assertClean(await platform.cli(['logs', String(run.number)]).then((ran) => ran.stdout + ran.stderr), 'heddle logs')
})
