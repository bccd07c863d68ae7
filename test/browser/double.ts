import { createReadStream, existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import type { z } from 'zod'
import * as shapes from '../../src/http/schemas.ts'
import { findAnswer } from './find-fixtures.ts'
import { type Fixtures, makePlan } from './fixtures.ts'
import { answerOperate } from './operate-double.ts'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** As the real server sends it: whatever the portal does must work under it. */
export const POLICY = "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; form-action 'self'"

export type Received = { method: string; path: string; body: unknown; headers: Record<string, string | undefined> }
type Event = z.infer<typeof shapes.RunEvent>
type Answer = { status: number; body: unknown }

/**
 * The built portal with a double of the API behind it: answers from fixtures, keeps what was sent, and lets a test push run events. `answers` overrides a
 * `METHOD /path`; the path is without /api/v1 and without the query.
 */
export async function startDouble(fixtures: Fixtures, root: string) {
  const received: Received[] = []
  const answers = new Map<string, (request: Received, query: URLSearchParams) => Answer>()
  const listeners = new Map<number, Set<ServerResponse>>()
  const history = new Map<number, Event[]>([[fixtures.run.failed.number, fixtures.failedEvents]])

  const push = (run: number, event: Event) => {
    history.set(run, [...(history.get(run) ?? []), event])
    for (const response of listeners.get(run) ?? []) send(response, event)
  }

  const events = (run: number, request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(': hello\n\n')
    const after = Number(request.headers['last-event-id'] ?? 0)
    // As the server does: the end is said again to whoever comes after it, with the id of the last event.
    for (const event of history.get(run) ?? []) if (event.id > after || event.kind === 'end') send(response, event)
    if (history.get(run)?.at(-1)?.kind === 'end') return void response.end()
    const set = listeners.get(run) ?? new Set()
    listeners.set(run, set.add(response))
    request.on('close', () => set.delete(response))
  }

  const answer = (request: Received, query: URLSearchParams): Answer => {
    const own = answers.get(`${request.method} ${request.path}`)
    if (own) return own(request, query)
    const body =
      answerOperate(fixtures, request, query) ?? findAnswer(fixtures.find, request, query) ?? read(fixtures, request, query)
    return body === undefined
      ? problem(404, 'HTTP_ROUTE_UNKNOWN', `Nothing answers ${request.method} ${request.path}`)
      : { status: 200, body }
  }

  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://double')
      if (!url.pathname.startsWith('/api/v1')) return file(root, url.pathname, response)
      const path = url.pathname.slice('/api/v1'.length)
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      const one: Received = {
        method: request.method ?? 'GET',
        path,
        body: text ? JSON.parse(text) : undefined,
        headers: request.headers as Received['headers'],
      }
      received.push(one)
      const run = /^\/runs\/(\d+)\/events$/.exec(path)
      if (run) return events(Number(run[1]), request, response)
      const { status, body } = answer(one, url.searchParams)
      response.writeHead(status, {
        'content-type': status < 400 ? 'application/json' : 'application/problem+json',
        'x-request-id': 'req-7f3a',
      })
      response.end(status === 204 ? '' : JSON.stringify(body))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: listen } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${listen}`,
    received,
    answers,
    push,
    /** Ends every open stream without an end event, as a restart of the server would. */
    dropStreams: () => {
      for (const set of listeners.values()) for (const response of set) response.destroy()
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

export function problem(
  status: number,
  code: string,
  detail: string,
  more: Partial<z.infer<typeof shapes.Problem>> = {},
): Answer {
  const body = {
    type: `https://heddle.dev/errors/${code}`,
    title: detail,
    status,
    code,
    detail,
    fix: 'Ask its owner.',
    docs: `/docs/errors#${code}`,
    requestId: 'req-7f3a',
    ...more,
  }
  return { status, body: shapes.Problem.parse(body) }
}

function read(fixtures: Fixtures, request: Received, query: URLSearchParams): unknown {
  const list = (items: unknown[]) => ({ items, next: null })
  const { method, path } = request
  const number = Number(/^\/(?:runs|requests)\/(\d+)/.exec(path)?.[1])
  const asked = fixtures.requests.find((item) => item.number === number)
  if (method === 'GET') {
    if (path === '/me') return { ...fixtures.me, as: request.headers['heddle-as'] ?? null }
    if (path === '/health') return fixtures.health
    if (path === '/domains') return list(fixtures.domains)
    if (path === '/products')
      return list(fixtures.products.filter((product) => !query.get('domain') || product.domain === query.get('domain')))
    if (path === `/products/${fixtures.product.address}`) return fixtures.product
    if (path === `/products/${fixtures.product.address}/access`) return list(fixtures.agreements)
    if (path === '/runs') {
      const [state, product] = [query.get('state'), query.get('product')]
      return list(fixtures.runs.filter((run) => (!state || run.state === state) && (!product || run.product === product)))
    }
    if (path === '/requests') return list(fixtures.requests)
    if (/^\/runs\/\d+$/.test(path)) return Object.values(fixtures.run).find((run) => run.number === number)
    if (/^\/requests\/\d+$/.test(path)) return asked
    if (path === '/agreements') return list(query.get('subject') === 'consumer' ? fixtures.otherAgreements : [])
  }
  if (method === 'POST') {
    if (path === '/login') return fixtures.me
    if (path === `/products/${fixtures.product.address}/connect`) return fixtures.connection
    if (path === '/requests') return created(fixtures, request.body, query.get('dry-run') === 'true')
    if (/^\/requests\/\d+\/approve$/.test(path) && asked) {
      const { note } = shapes.Decision.parse(request.body)
      Object.assign(asked, {
        state: 'approved',
        next: 'The grant is being applied.',
        actions: { ...asked.actions, approve: false, deny: false },
      })
      asked.approvals.push({ by: 'dev', at: new Date().toISOString(), decision: 'approved', note: note ?? null })
      return asked
    }
  }
  return undefined
}

function created(fixtures: Fixtures, body: unknown, dry: boolean): unknown {
  const request = shapes.NewRequest.parse(body)
  const base = fixtures.requests[1]!
  const product = request.kind === 'product' ? `${request.payload.domain}/${request.payload.name}` : ''
  return shapes.Request.parse({
    ...base,
    number: 57,
    kind: request.kind,
    payload: request.payload,
    state: dry ? 'draft' : 'approved',
    approvers: [],
    run: dry ? null : fixtures.run.live.number,
    title: `new product ${product}`,
    next: 'You own the domain: created at once.',
    plan: makePlan(Date.now(), 'bootstrap', product, [
      ['provision', `Schemas of ${product}`, 'a product has private schemas'],
      ['provision', 'Roles consumer, service and owner', 'three roles a product'],
      ['monitors', 'Namespace of the domain', 'exists, shared by the domain'],
      ['catalog', 'Draft entry in the catalog', 'a product is found from its first day'],
      ['repository', `Repository ${product} with a scaffold of 9 files`, 'deploys green untouched'],
    ]),
  })
}

function send(response: ServerResponse, event: Event): void {
  response.write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`)
}

function file(root: string, path: string, response: ServerResponse): void {
  const wanted = join(root, normalize(path))
  const found = extname(wanted) && existsSync(wanted) ? wanted : join(root, 'index.html')
  response.writeHead(200, {
    'content-type': TYPES[extname(found)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  })
  createReadStream(found).pipe(response)
}
