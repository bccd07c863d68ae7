import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { type Handler, sendEvents } from '../client/api-double.ts'
import { sampleEvent, sampleFailedRun, samplePlan, sampleRequest, sampleRun, sampleRunSummary } from '../client/sample-answers.ts'
import type { Request, Run } from '../client/types.ts'
import { withBench } from './try-cli.ts'

const succeeded: Run = {
  ...sampleRun,
  state: 'succeeded',
  endedAt: '2026-03-01T13:07:55.000Z',
  ms: 175_000,
  served: 'r13 · 1.5.0',
  steps: sampleRun.steps.map((step) => ({ ...step, state: 'succeeded' as const, ms: step.ms ?? 108_000 })),
  actions: { retry: false, cancel: false, undo: false, approve: false },
}

/** A run that goes on when its events are read: each look shows the next state, and the stream is cut in the middle. */
function running(...states: readonly Run[]): Record<string, Handler> {
  let at = 0
  let sent = 0
  const events = [
    sampleEvent(1, 'state', { state: 'running' }),
    sampleEvent(2, 'log', { level: 'info', text: 'dbt: 1 of 2' }, 'dbt build'),
    sampleEvent(3, 'step', { state: 'succeeded' }, 'dbt build'),
    sampleEvent(4, 'end', {}),
  ]
  return {
    'GET /runs/812': () => states[Math.min(at, states.length - 1)],
    'GET /runs/812/events': ({ headers }, response) => {
      const after = Number(headers['last-event-id'] ?? 0)
      sent += 1
      if (sent >= states.length) at = states.length - 1
      else at = sent
      sendEvents(response, events.slice(after, sent === 1 && states.length > 2 ? 2 : undefined))
    },
  }
}
const deploy: Record<string, Handler> = { 'POST /products/fleet/planes/deploy': () => sampleRunSummary }

test('a deploy is followed to its end: one line for each change on stderr, the verdict on stdout', () =>
  withBench({ ...deploy, ...running(sampleRun, sampleRun, succeeded) }, async ({ heddle, double }) => {
    const { code, out, err } = await heddle(['deploy', 'fleet/planes', '--env', 'prod'])
    assert.equal(code, 0)
    assert.deepEqual(double.heard[0]!.body, { environment: 'prod' })
    assert.deepEqual(err.trimEnd().split('\n'), [
      'run 812  deploy fleet/planes -> prod   12m00s usual 2m50s',
      '  run Running',
      '  ok    copy        41.0s   3,322 rows',
      '  run   dbt build  11m19s',
      '  ok    dbt build   1m48s',
      '  ok    switch      1m48s',
    ])
    assert.equal(out, 'ok  Succeeded  2m55s  run 812  deploy fleet/planes -> prod\n  prod serves r13 · 1.5.0.\n')
  }))

test('a failed run ends with 5: the step, the cause with its place, what is still served, what to type', () =>
  withBench({ ...deploy, ...running(sampleFailedRun) }, async ({ heddle }) => {
    const { code, out } = await heddle(['deploy', 'fleet/planes'])
    assert.equal(code, 5)
    assert.equal(
      out,
      `FAIL  Failed  2m29s  run 812  deploy fleet/planes -> prod
  in step dbt build
  models/planes.yml:22:11 error[TRANSFORMATION_TEST_FAILED] test not_null_planes_tailnum found 14 rows
     fix  Correct the model or its source, and push.
  prod still serves r12; nothing was published.
  Next  heddle retry run 812   |   heddle logs 812 --failed
`,
    )
  }))

test('--json is a stream of objects that ends with the result; nothing on stderr', () =>
  withBench({ ...deploy, ...running(sampleRun, sampleRun, succeeded) }, async ({ heddle }) => {
    const { code, err, json } = await heddle(['deploy', 'fleet/planes', '--json'])
    assert.deepEqual([code, err], [0, ''])
    assert.deepEqual(
      json().map(({ type, id, kind, outcome }) => [type, id ?? outcome, kind ?? null]),
      [
        ['event', 1, 'state'],
        ['event', 2, 'log'],
        ['event', 3, 'step'],
        ['event', 4, 'end'],
        ['result', 'ended', null],
      ],
    )
    assert.deepEqual(json().at(-1)!.run, succeeded)
  }))

test('an unchanged deploy starts nothing and says so', () =>
  withBench(
    {
      'POST /products/fleet/planes/deploy': () => ({
        ...samplePlan,
        steps: [],
        affected: [],
        summary: 'Nothing to change as of 13:05',
      }),
    },
    async ({ heddle }) => {
      assert.deepEqual(
        { ...(await heddle(['deploy', 'fleet/planes'])), json: 0 },
        { code: 0, out: 'Nothing to change as of 13:05\n', err: '', json: 0 },
      )
    },
  ))

const hanging: Record<string, Handler> = {
  'GET /runs/812': () => sampleRun,
  'GET /runs/812/events': (_heard, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(': alive\n\n')
  },
}

test('a run that is not over in time goes on; so it does after Ctrl-C; --no-wait does not follow at all', () =>
  withBench({ ...deploy, ...hanging }, async ({ heddle, interrupt }) => {
    const late = await heddle(['deploy', 'fleet/planes', '--timeout', '1s'])
    assert.equal(late.code, 6)
    assert.equal(late.out, 'Run 812 is not over in the time given.\n  Next  heddle logs 812 -f   |   heddle cancel 812\n')
    setTimeout(interrupt, 100)
    const left = await heddle(['deploy', 'fleet/planes'])
    assert.deepEqual(
      [left.code, left.out],
      [130, 'Run 812 goes on without you.\n  Next  heddle logs 812 -f   |   heddle cancel 812\n'],
    )
    const accepted = await heddle(['deploy', 'fleet/planes', '--no-wait'])
    assert.deepEqual([accepted.code, accepted.out.split('\n')[0]], [0, 'Run 812 was accepted.'])
  }))

test('a run that waits for approval ends with 6 and says whose', () =>
  withBench(
    { ...deploy, ...hanging, 'GET /runs/812': () => ({ ...sampleRun, state: 'waiting', approvers: ['ana', 'eve'] }) },
    async ({ heddle }) => {
      const { code, out } = await heddle(['deploy', 'fleet/planes'])
      assert.deepEqual([code, out.split('\n')[0]], [6, 'Run 812 waits for the approval of ana or eve.'])
    },
  ))

test('on a terminal the block is painted over, and its last state stays', () =>
  withBench({ ...deploy, ...running(sampleRun, sampleRun, succeeded) }, async ({ heddle }) => {
    const { code, err } = await heddle(['deploy', 'fleet/planes'], {
      isTty: { stdin: true, stdout: true, stderr: true },
      columns: 80,
    })
    assert.equal(code, 0)
    assert.ok(err.includes('\u001b[4A\r\u001b[J'), JSON.stringify(err))
    assert.deepEqual(stripVTControlCharacters(err).trimEnd().split('\n').slice(-3), [
      '  ok    copy        41.0s   3,322 rows',
      '  ok    dbt build   1m48s',
      '  ok    switch      1m48s',
    ])
    const ci = await heddle(['deploy', 'fleet/planes'], {
      isTty: { stdin: true, stdout: true, stderr: true },
      columns: 80,
      env: { CI: '1', NO_COLOR: '1', HEDDLE_DATA: 'heddle-data' },
    })
    assert.equal(`${ci.out}${ci.err}`.includes('\u001b'), false)
  }))

test('new shows the plan, asks, requests, follows the bootstrap and ends with the clone', () =>
  withBench(
    {
      'POST /requests': ({ query }) =>
        query.has('dry-run')
          ? { ...sampleRequest, number: 0, state: 'draft', run: null }
          : { ...sampleRequest, plan: null, run: null },
      'GET /requests/55': () => ({ ...sampleRequest, state: 'done', plan: null }),
      ...running({ ...succeeded, kind: 'bootstrap', environment: '*', served: null }),
    },
    async ({ heddle, double }) => {
      const { code, out, err } = await heddle(['new', 'planes', '--domain', 'fleet', '--title', 'Planes', '--yes'])
      assert.equal(code, 0, err)
      assert.ok(
        err.startsWith(
          'Plan for fleet/planes in prod   as of 13:05 UTC\nprovision\n  + safe        schema fleet_planes  it is not there yet\n',
        ),
        err,
      )
      assert.equal(
        out,
        'ok  Succeeded  2m55s  run 812  bootstrap fleet/planes\nCreated fleet/planes.\n  Next  heddle clone fleet/planes\n',
      )
      const [dry, made] = double.heard.filter(({ method }) => method === 'POST')
      assert.equal(dry!.query.get('dry-run'), 'true')
      assert.deepEqual(made!.body, { kind: 'product', payload: { domain: 'fleet', name: 'planes', title: 'Planes' } })

      double.heard.length = 0
      const looked = await heddle(['new', 'fleet/planes', '--dry-run'])
      assert.equal(looked.code, 0)
      assert.ok(looked.out.endsWith('Nothing was asked for yet.\n'))
      assert.equal((await heddle(['new', 'fleet/planes'])).code, 2)
      assert.equal((await heddle(['new', 'planes', '--no-input'])).code, 2)
      assert.deepEqual(
        double.heard.map(({ query }) => query.get('dry-run')),
        ['true', 'true'],
      )
    },
  ))

test('a request that waits for people ends with 6 and says what happens next; a decided one is not followed', () => {
  const waiting: Request = {
    ...sampleRequest,
    state: 'submitted',
    run: null,
    plan: null,
    next: 'ana decides.',
    actions: { ...sampleRequest.actions, withdraw: true },
  }
  return withBench(
    {
      'POST /requests': () => waiting,
      'GET /requests/55': () => waiting,
      'POST /requests/55/withdraw': () => ({ ...waiting, state: 'withdrawn', next: '', actions: sampleRequest.actions }),
    },
    async ({ heddle }) => {
      const asked = await heddle([
        'access',
        'request',
        'fleet/planes',
        '--port',
        'planes',
        '--purpose',
        'analytics',
        '--until',
        '90d',
      ])
      assert.equal(asked.code, 6)
      assert.equal(
        asked.out,
        'request 55  wait Waiting for approval  New product fleet/planes\n  ana decides.\n  Watch  heddle request show 55\n  Next  heddle request withdraw 55\n',
      )
      assert.equal((await heddle(['access', 'request', 'fleet/planes', '--port', 'p', '--purpose', 'x', '--no-wait'])).code, 0)
      assert.equal((await heddle(['access', 'request', 'fleet/planes', '--port', 'p'])).code, 2)
      assert.equal(
        (await heddle(['access', 'request', 'fleet/planes', '--port', 'p', '--purpose', 'x', '--until', 'forever'])).code,
        2,
      )
      assert.equal((await heddle(['request', 'withdraw', '55'])).out, 'request 55  . Withdrawn  New product fleet/planes\n')
    },
  )
})

test('a number that a run and a request share means the one the action is open for, else the noun must be said', () => {
  const open = { approve: true }
  const routes: Record<string, Handler> = {
    'GET /runs/55': () => ({ ...sampleRun, number: 55, state: 'waiting' }),
    'GET /requests/55': () => ({
      ...sampleRequest,
      state: 'submitted',
      run: null,
      actions: { ...sampleRequest.actions, ...open },
    }),
    'POST /requests/55/approve': () => ({ ...sampleRequest, run: null, state: 'approved' }),
    'POST /runs/55/approve': () => ({ ...sampleRunSummary, number: 55 }),
  }
  return withBench(routes, async ({ heddle, double }) => {
    const posted = () => double.heard.filter(({ method }) => method === 'POST').map(({ path, body }) => [path, body])
    assert.equal((await heddle(['approve', '55', '--note', 'fine'])).code, 0)
    assert.deepEqual(posted(), [['/requests/55/approve', { note: 'fine' }]])
    assert.equal((await heddle(['approve', 'run', '55'])).code, 0)
    assert.deepEqual(posted().at(-1), ['/runs/55/approve', {}])
    const both = await heddle(['retry', '55'])
    assert.deepEqual([both.code, both.err.includes('heddle retry run 55, or heddle retry request 55')], [2, true])
    assert.equal((await heddle(['approve', 'nonsense', '55'])).code, 2)
    assert.equal((await heddle(['approve', '77'])).code, 1)
  })
})

test('logs: the newest failed run is named, its failed step alone is shown; -f follows to the exit code of the run', () => {
  const routes: Record<string, Handler> = {
    'GET /runs': () => ({ items: [{ ...sampleRunSummary, state: 'failed' }], next: null }),
    'GET /runs/812': () => sampleFailedRun,
    'GET /runs/812/events': (_heard, response) =>
      sendEvents(response, [
        sampleEvent(1, 'log', { level: 'info', text: 'copied\n3,322 rows' }, 'copy'),
        sampleEvent(2, 'log', { level: 'error', text: '\u001b[31mtest failed\u001b[0m\u0007' }, 'dbt build'),
        sampleEvent(3, 'end', {}),
      ]),
  }
  return withBench(routes, async ({ heddle }) => {
    const failed = await heddle(['logs', '--failed'])
    assert.equal(failed.code, 0)
    assert.equal(failed.out, '13:05:00 UTC  dbt build  error: test failed\n')
    assert.ok(failed.err.startsWith('run 812, the newest failed: deploy fleet/planes -> prod\n'))
    const all = await heddle(['logs', '812', '-f'])
    assert.deepEqual([all.code, all.out.split('\n').length], [5, 4])
    assert.equal((await heddle(['logs', '812', '--tail', '1'])).out, failed.out)
    assert.equal((await heddle(['logs', '812', '--grep', 'COPIED'])).out.split('\n')[0], '13:05:00 UTC  copy  copied')
    assert.equal((await heddle(['logs', '812', '--step', 'nosuch'])).code, 2)
    assert.deepEqual(
      (await heddle(['logs', '812', '--json'])).json().map(({ type }) => type),
      ['event', 'event', 'result'],
    )
  })
})

test('logs of a run that goes on are read as far as they go', () =>
  withBench(
    {
      ...hanging,
      'GET /runs/812/events': (_heard, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`id: 1\ndata: ${JSON.stringify(sampleEvent(1, 'log', { text: 'so far' }))}\n\n`)
      },
    },
    async ({ heddle }) => {
      const { code, out } = await heddle(['logs', '812'])
      assert.deepEqual([code, out], [0, '13:05:00 UTC  so far\n'])
    },
  ))
