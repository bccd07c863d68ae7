import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { sendProblem } from '../client/api-double.ts'
import { sampleAgreement, sampleConnection, sampleProduct, sampleRunSummary, sampleSummary } from '../client/sample-answers.ts'
import { withBench } from './try-cli.ts'
import { VERBS } from './verbs.ts'

const list =
  (...items: unknown[]) =>
  () => ({ items, next: null })

test('version and help answer without a server', () =>
  withBench({}, async ({ heddle, double, folder }) => {
    assert.deepEqual({ ...(await heddle(['--version'])), json: null }, { code: 0, out: '0.1.0\n', err: '', json: null })
    const help = await heddle(['--help'], { env: { HEDDLE_DATA: join(folder, 'nowhere') } })
    assert.equal(help.code, 0)
    assert.deepEqual(help.out.split('\n').slice(0, 3), [
      '    heddle new orders --domain sales',
      '    heddle status',
      '    heddle logs --failed',
    ])
    for (const { path, hidden } of VERBS) assert.equal(help.out.includes(`  ${path} `), !hidden, path)
    assert.equal((await heddle([])).out, help.out)
    for (const { path, examples, hidden } of VERBS.filter((verb) => !verb.hidden)) {
      const one = await heddle([...path.split(' '), '--help'])
      assert.equal(one.code, 0, path)
      assert.ok(examples.length > 0 || hidden, path)
      assert.ok(one.out.startsWith(`    ${examples[0]}`), path)
    }
    assert.equal(double.heard.length, 0)
  }))

test('every example of the help can be parsed', async () => {
  const { parseArguments } = await import('./parse.ts')
  for (const { path, examples } of VERBS)
    for (const example of examples.filter((text) => text.startsWith('heddle '))) {
      const words = example
        .replace(/ [<>] .*$/, '')
        .match(/"[^"]*"|\S+/g)!
        .slice(1)
        .map((word) => word.replaceAll('"', ''))
      const parsed = parseArguments(words, VERBS, 80)
      assert.equal(parsed.kind === 'verb' && parsed.verb.path, path, example)
    }
})

test('an unknown verb or flag ends with 2 and proposes the nearest', () =>
  withBench({}, async ({ heddle }) => {
    const cases = [
      [['statsu'], "unknown command 'statsu'", 'Did you mean status?'],
      [['logs', '--folow'], "unknown option '--folow'", 'Did you mean --follow?'],
      [['status', '--jsn'], "unknown option '--jsn'", 'Did you mean --json?'],
      [['access', 'reqest'], "unknown command 'reqest'", 'Did you mean request?'],
      [['clone'], "missing required argument 'product'", '--help'],
      [['status', 'a', 'b'], 'too many arguments', '--help'],
      [['show', 'notanaddress'], 'is not a product', 'domain/product'],
      [['cancel', 'x'], 'is not the number', '--help'],
      [['status', '--timeout', '10 min'], 'is not a duration', '15m'],
    ] as const
    for (const [line, what, fix] of cases) {
      const { code, out, err } = await heddle(line)
      assert.equal(code, 2, line.join(' '))
      assert.equal(out, '')
      assert.ok(err.includes(what) && err.includes(fix), err)
    }
  }))

test('with --json an error is the one object on stdout', () =>
  withBench(
    { 'GET /me': (_heard, response) => sendProblem(response, { status: 403, code: 'HTTP_NOT_ALLOWED', detail: 'not you' }) },
    async ({ heddle }) => {
      const usage = await heddle(['statsu', '--json'])
      assert.deepEqual([usage.code, usage.json()[0]!.type, usage.json()[0]!.code], [2, 'error', 'CLI_USAGE_INVALID'])
      const denied = await heddle(['whoami', '--json'])
      assert.equal(denied.code, 4)
      assert.deepEqual(denied.json(), [
        {
          type: 'error',
          code: 'HTTP_NOT_ALLOWED',
          message: 'not you',
          why: null,
          fix: ['Do it otherwise.'],
          docs: 'https://docs.example/errors',
          requestId: 'req-1',
          retryable: false,
        },
      ])
    },
  ))

test('the data directory: flag, then HEDDLE_DATA, then the nearest upwards; none running ends with 8', () =>
  withBench(
    { 'GET /me': () => ({ name: 'dev', title: 'Dev', groups: [], platform: false, as: null, viewAs: [] }) },
    async ({ heddle, folder, double }) => {
      const deep = join(folder, 'a', 'b')
      await mkdir(deep, { recursive: true })
      assert.equal((await heddle(['whoami'], { cwd: deep })).code, 0)
      assert.equal((await heddle(['whoami', '-C', 'a/b'])).code, 0)
      const wrong = { HEDDLE_DATA: join(folder, 'other') }
      assert.equal((await heddle(['whoami'], { env: wrong })).code, 8)
      assert.equal((await heddle(['whoami', '--data', 'heddle-data'], { env: wrong })).code, 0)
      const remote = await heddle(['whoami'], { env: { ...wrong, HEDDLE_URL: double.url, HEDDLE_TOKEN: 'ci' } })
      assert.equal(remote.code, 0)
      assert.equal(double.heard.at(-1)!.headers.authorization, 'Bearer ci')
      await double.close()
      const gone = await heddle(['whoami', '--json'])
      assert.deepEqual([gone.code, gone.json()[0]!.code, gone.json()[0]!.retryable], [8, 'CLIENT_SERVER_UNREACHABLE', true])
    },
  ))

const health = (services: object[]) => () => ({ state: 'ready', version: '0.1.0', services })

test('status says what is on its way, such as the past of the sample', () =>
  withBench(
    {
      'GET /products': list(sampleSummary),
      'GET /health': health([
        { name: 'database', state: 'up', detail: '127.0.0.1:1' },
        { name: 'replay', state: 'starting', detail: 'replaying day 7 of 25' },
      ]),
    },
    async ({ heddle }) => {
      assert.equal((await heddle(['status'])).out.split('\n')[2], 'replay: replaying day 7 of 25')
      assert.deepEqual((await heddle(['status', '--json'])).json()[0]!.coming, [
        { name: 'replay', state: 'starting', detail: 'replaying day 7 of 25' },
      ])
    },
  ))

test('status, show, runs and access print a table for people and one object for scripts', () =>
  withBench(
    {
      'GET /products': list(sampleSummary, {
        ...sampleSummary,
        address: 'fleet/engines',
        state: 'degraded',
        slo: 'at-risk',
        freshness: null,
        release: null,
        reason: 'late source',
      }),
      'GET /health': health([]),
      'GET /products/fleet/planes': () => sampleProduct,
      'GET /runs': list({
        ...sampleRunSummary,
        state: 'failed',
        ms: 108_000,
        problem: { code: 'X', message: 'test failed', fix: 'y' },
      }),
      'GET /agreements/42': () => sampleAgreement,
      'POST /products/fleet/planes/connect': () => sampleConnection,
    },
    async ({ heddle, double }) => {
      assert.deepEqual((await heddle(['status'])).out.split('\n'), [
        'PRODUCT        RELEASE      STATE       FRESH  SLO        OWNER       WHY',
        'fleet/planes   r12 · 1.5.0  ok Active     12m  ok Met     fleet-team  -',
        'fleet/engines  -            ! Degraded      -  ! At risk  fleet-team  late source',
        '',
      ])
      const status = (await heddle(['status', '--json'])).json() as [{ products: object[] }]
      assert.deepEqual(status[0].products[0], sampleSummary)
      assert.deepEqual((await heddle(['show', 'fleet/planes', '--json'])).json(), [sampleProduct])
      const { out } = await heddle(['show', 'fleet/planes'])
      for (const part of [
        'state           ok Active since 13:05 UTC',
        'schema fleet_planes_planes_v1  revision 14',
        '1 column, masked: tailnum, 3,322 rows',
        'prod  ok Active  r12',
      ])
        assert.ok(out.includes(part), `${part} in\n${out}`)
      assert.ok((await heddle(['runs', '--failed'])).out.includes('FAIL Failed  dbt build: test failed  12m  1m48s'))
      assert.equal(double.heard.at(-1)!.query.get('state'), 'failed')
      assert.ok((await heddle(['access', 'show', '42'])).out.includes('  ok    reads planes: works (logged in as bob)'))
      const connected = await heddle(['connect', 'fleet/planes', '--env', 'prod', '--as', 'consumer', '--json'])
      assert.equal(connected.json()[0]!.url, sampleConnection.url)
      assert.deepEqual(
        [double.heard.at(-1)!.headers['heddle-as'], double.heard.at(-1)!.body],
        ['consumer', { environment: 'prod' }],
      )
    },
  ))

test('a token is the only thing on stdout, and its kind is one of two', () =>
  withBench(
    {
      'POST /products/fleet/planes/tokens': () => ({ token: 'hdt_1', kind: 'service', expiresAt: '2026-05-30T13:05:00.000Z' }),
    },
    async ({ heddle }) => {
      const token = await heddle(['token', 'create', 'fleet/planes', '--kind', 'service'])
      assert.equal(token.out, 'hdt_1\n')
      assert.equal((await heddle(['token', 'create', 'fleet/planes', '--kind', 'other'])).code, 2)
    },
  ))

test('--dry-run of anything that writes calls nothing but GET', () =>
  withBench(
    { 'GET /products/fleet/planes': () => sampleProduct, 'GET /agreements/42': () => sampleAgreement, 'GET /subjects': list() },
    async ({ heddle, double }) => {
      const lines = [
        ['refresh', 'fleet/planes'],
        ['connect', 'fleet/planes'],
        ['access', 'revoke', '42'],
        ['token', 'create', 'fleet/planes', '--kind', 'git'],
        ['subject', 'set', 'bob', 'facility_ids=f1,f2'],
        ['clone', 'fleet/planes'],
        ['api', 'POST', '/domains', '--body', '{}'],
      ]
      for (const line of lines) {
        const tried = await heddle([...line, '--dry-run'])
        assert.equal(tried.code, 0, `${line.join(' ')}: ${tried.err}`)
        assert.match(tried.out, /^Would /)
      }
      assert.deepEqual([...new Set(double.heard.map(({ method }) => method))], ['GET'])
    },
  ))

test('where the question cannot be asked, a verb that needs a yes ends with 2 and has changed nothing', () =>
  withBench({ 'GET /agreements/42': () => sampleAgreement }, async ({ heddle, double }) => {
    const { code, err } = await heddle(['access', 'revoke', '42'])
    assert.equal(code, 2)
    assert.ok(err.includes('Add --yes'))
    assert.equal(
      double.heard.every(({ method }) => method === 'GET'),
      true,
    )
  }))

test('api sends what it is given and prints what came', () =>
  withBench(
    {
      'POST /products/fleet/planes/refresh': ({ body }) => ({ body }),
      'GET /runs': ({ query }) => ({ limit: query.get('limit') }),
    },
    async ({ heddle }) => {
      assert.deepEqual(
        JSON.parse(
          (await heddle(['api', 'post', '/api/v1/products/fleet/planes/refresh', '--body', '-'], { input: '{"a":1}' })).out,
        ),
        { body: { a: 1 } },
      )
      assert.deepEqual((await heddle(['api', 'GET', 'runs?limit=3', '--json'])).json(), [{ limit: '3' }])
      assert.equal((await heddle(['api', 'FETCH', '/runs'])).code, 2)
      assert.equal((await heddle(['api', 'POST', '/runs', '--body', '{'])).code, 2)
    },
  ))

test('explain knows every code and the nearest of a wrong one', () =>
  withBench({}, async ({ heddle }) => {
    assert.ok((await heddle(['explain', 'core_duration_invalid'])).out.startsWith('CORE_DURATION_INVALID  Not a duration'))
    const wrong = await heddle(['explain', 'CORE_DURATON_INVALID'])
    assert.deepEqual([wrong.code, wrong.err.includes('Did you mean CORE_DURATION_INVALID?')], [2, true])
  }))

test('completion answers verbs, flags, choices and names, and is silent when offline', () =>
  withBench({ 'GET /products': list(sampleSummary) }, async ({ heddle, double }) => {
    const complete = async (...words: string[]) => (await heddle(['complete', '--', ...words])).out.trimEnd().split('\n')
    assert.deepEqual(await complete('sta'), ['start', 'status'])
    assert.deepEqual(await complete('access', 'r'), ['request', 'revoke'])
    assert.deepEqual(await complete('logs', '--fa'), ['--failed'])
    assert.deepEqual(await complete('token', 'create', 'fleet/planes', '--kind', ''), ['git', 'read', 'service'])
    assert.deepEqual(await complete('show', 'fl'), ['fleet/planes'])
    assert.deepEqual(await complete('--env', 'p'), ['prod'])
    await double.close()
    assert.deepEqual(await complete('show', 'fl'), ['fleet/planes'])
    assert.deepEqual(
      { ...(await heddle(['complete', '--', 'show', ''], { env: { HEDDLE_DATA: '/nonexistent' } })), json: 0 },
      { code: 0, out: '', err: '', json: 0 },
    )
  }))

test('a mistyped number to listen on is refused before a folder is made', () =>
  withBench({}, async ({ heddle, folder }) => {
    for (const number of ['abc', '70000', '-1', '1e3', '']) {
      const tried = await heddle(['start', '--data', 'fresh', `--listen=${number}`, '--empty'])
      assert.equal(tried.code, 2, number)
      assert.match(tried.err, /--listen .*is no TCP number/)
    }
    assert.ok(!(await readdir(folder)).includes('fresh'))
  }))

test('names of a minute ago are answered at once, and asked anew beside', () => {
  let calls = 0
  const products = () => {
    calls++
    return { items: [], next: null }
  }
  return withBench({ 'GET /products': products }, async ({ heddle, folder }) => {
    const kept = { at: Date.parse('2026-03-01T13:00:00.000Z'), products: ['fleet/planes'], environments: ['prod'] }
    await writeFile(join(folder, 'heddle-data/work/completion.json'), JSON.stringify(kept))
    const asked: (readonly string[])[] = []
    const background = (args: readonly string[]) => void asked.push(args)
    assert.equal((await heddle(['complete', '--', 'show', ''], { background })).out, 'fleet/planes\n')
    assert.deepEqual([asked, calls], [[['complete', '--fill']], 0])
    assert.equal((await heddle(['complete', '--fill'])).out, '')
    assert.equal((await heddle(['complete', '--', 'show', ''], { background })).out, '')
    assert.deepEqual([asked.length, calls], [1, 1])
  })
})
