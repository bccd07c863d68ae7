import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeddleError } from '../core/fail.ts'
import { type ApiDouble, type Handler, sendEvents, sendProblem, startApiDouble } from './api-double.ts'
import { createClient, every } from './client.ts'
import { type ClientError, isClientError } from './client-error.ts'
import { sampleEvent, sampleProduct, sampleRun, sampleRunSummary } from './sample-answers.ts'

async function withDouble(routes: Record<string, Handler>, body: (double: ApiDouble) => Promise<void>): Promise<void> {
  const double = await startApiDouble(routes)
  try {
    await body(double)
  } finally {
    await double.close()
  }
}
const clientOf = (double: ApiDouble) => createClient({ url: double.url, token: 't0ken', as: 'bob', check: true })

test('a call carries the token, the sample user and, when it writes, a key of its own', () =>
  withDouble(
    { 'GET /products/fleet/planes': () => sampleProduct, 'POST /products/fleet/planes/refresh': () => sampleRunSummary },
    async (double) => {
      const client = clientOf(double)
      assert.deepEqual(await client.product('fleet/planes'), sampleProduct)
      await client.refresh('fleet/planes', { environment: 'prod' })
      await client.refresh('fleet/planes')
      const [read, first, second] = double.heard
      assert.equal(read!.headers.authorization, 'Bearer t0ken')
      assert.equal(read!.headers['heddle-as'], 'bob')
      assert.equal(read!.headers['idempotency-key'], undefined)
      assert.deepEqual(first!.body, { environment: 'prod' })
      assert.match(String(first!.headers['idempotency-key']), /^[0-9a-f-]{36}$/)
      assert.notEqual(first!.headers['idempotency-key'], second!.headers['idempotency-key'])
    },
  ))

test('an address that could leave its path is refused before any call', () =>
  withDouble({}, async (double) => {
    assert.throws(() => clientOf(double).product('fleet/../../health'), { code: 'CORE_ADDRESS_INVALID' })
    assert.equal(double.heard.length, 0)
  }))

test('a problem document becomes an error with its facts', () =>
  withDouble(
    {
      'GET /me': (_heard, response) =>
        sendProblem(response, {
          status: 403,
          code: 'HTTP_CALLER_DENIED',
          detail: 'bob may not do this',
          why: 'he is no owner',
          fix: 'Ask ana.',
          requestId: 'r-9',
        }),
    },
    async (double) => {
      const thrown: unknown = await clientOf(double)
        .me()
        .catch((error: unknown) => error)
      assert.ok(isClientError(thrown))
      const { code, message, why, fix, status, requestId, docs } = thrown as ClientError
      assert.deepEqual(
        { code, message, why, fix, status, requestId, docs },
        {
          code: 'HTTP_CALLER_DENIED',
          message: 'bob may not do this',
          why: 'he is no owner',
          fix: 'Ask ana.',
          status: 403,
          requestId: 'r-9',
          docs: 'https://docs.example/errors',
        },
      )
    },
  ))

test('an answer in another shape is refused where answers are checked, a foreign page always', () =>
  withDouble(
    {
      'GET /me': () => ({ name: 'dev' }),
      'GET /health': (_heard, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<html>'),
      'GET /domains': (_heard, response) => void response.writeHead(200).end('<html>'),
    },
    async (double) => {
      await assert.rejects(clientOf(double).me(), { code: 'CLIENT_ANSWER_INVALID' })
      assert.equal((await createClient({ url: double.url, token: 't' }).me()).name, 'dev')
      await assert.rejects(clientOf(double).health(), { code: 'CLIENT_ANSWER_INVALID' })
      await assert.rejects(clientOf(double).domains(), { code: 'CLIENT_ANSWER_INVALID' })
    },
  ))

test('a server that is not there, or does not answer, is unreachable and not a crash', async () => {
  const double = await startApiDouble({ 'GET /me': () => undefined })
  double.routes['GET /me'] = (_heard, response) => void response.writeHead(200).flushHeaders()
  await assert.rejects(createClient({ url: double.url, token: 't', timeoutMs: 50 }).me(), { code: 'CLIENT_SERVER_UNREACHABLE' })
  await double.close()
  await assert.rejects(createClient({ url: double.url, token: 't' }).me(), (error: unknown) => {
    assert.ok(error instanceof HeddleError)
    assert.equal(error.code, 'CLIENT_SERVER_UNREACHABLE')
    assert.equal(error.why, 'ECONNREFUSED')
    return true
  })
})

test('every walks all pages', () =>
  withDouble(
    {
      'GET /runs': ({ query }) =>
        query.get('cursor') === 'c1'
          ? { items: [{ ...sampleRunSummary, number: 2 }], next: null }
          : { items: [sampleRunSummary], next: 'c1' },
    },
    async (double) => {
      const runs = await every((cursor) => clientOf(double).runs({ cursor, limit: 1 }))
      assert.deepEqual(
        runs.map((run) => run.number),
        [812, 2],
      )
    },
  ))

test('a lost event stream is resumed behind the last event, without a gap and without a repetition', () => {
  const all = [1, 2, 3, 4, 5].map((id) => sampleEvent(id, id === 5 ? 'end' : 'log', { text: `line ${id}` }))
  let opened = 0
  return withDouble(
    {
      'GET /runs/812/events': ({ headers }, response) => {
        opened += 1
        if (opened === 2) return sendProblem(response, { status: 503, code: 'HTTP_NOT_READY', detail: 'starting' })
        const after = Number(headers['last-event-id'] ?? 0)
        sendEvents(response, all.slice(after, opened === 1 ? 2 : undefined))
        return undefined
      },
    },
    async (double) => {
      const seen: number[] = []
      for await (const event of clientOf(double).runEvents(812, { retryMs: 1 })) seen.push(event.id)
      assert.deepEqual(seen, [1, 2, 3, 4, 5])
      assert.equal(opened, 3)
    },
  )
})

test('a server that stays away ends the events with an error; a refusal ends them at once; an abort ends them silently', async () => {
  const double = await startApiDouble({
    'GET /runs/1/events': (_heard, response) => sendEvents(response, [sampleEvent(1, 'log')]),
  })
  const client = clientOf(double)
  const seen: number[] = []
  const gone = (async () => {
    for await (const event of client.runEvents(1, { retryMs: 1, giveUpMs: 20 })) {
      seen.push(event.id)
      await double.close()
    }
  })()
  await assert.rejects(gone, { code: 'CLIENT_SERVER_UNREACHABLE' })
  assert.deepEqual(seen, [1])

  await withDouble({}, async (other) => {
    await assert.rejects(clientOf(other).runEvents(1).next(), { code: 'HTTP_ROUTE_UNKNOWN' })
    assert.equal(other.heard.length, 1)
  })

  await withDouble({ 'GET /runs/1/events': (_heard, response) => void response.writeHead(200).flushHeaders() }, async (other) => {
    const stop = new AbortController()
    const next = clientOf(other).runEvents(1, { signal: stop.signal }).next()
    setTimeout(() => stop.abort(), 20)
    assert.deepEqual(await next, { value: undefined, done: true })
  })
})

test('the sample answers are valid, so that tests cannot drift from the API', () =>
  withDouble({ 'GET /runs/812': () => sampleRun }, async (double) => assert.equal((await clientOf(double).run(812)).number, 812)))
