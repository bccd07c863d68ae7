import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Problem, RunEvent } from './types.ts'

/** For tests only: a server that answers with prepared bodies. Its answers are checked by the client's own schemas (`check: true`). */
export type Heard = { method: string; path: string; query: URLSearchParams; headers: IncomingMessage['headers']; body: unknown }
export type Handler = (heard: Heard, response: ServerResponse) => unknown
export type ApiDouble = { url: string; heard: Heard[]; routes: Record<string, Handler>; close(): Promise<void> }

/** @param routes `GET /products/fleet/planes` → what to answer; undefined where the handler wrote the response itself */
export async function startApiDouble(routes: Record<string, Handler>): Promise<ApiDouble> {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const url = new URL(request.url!, 'http://double')
    const path = url.pathname.replace(/^\/api\/v1/, '')
    const call = {
      method: request.method!,
      path,
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
    heard.push(call)
    const handler = routes[`${call.method} ${path}`]
    if (!handler) return sendProblem(response, { status: 404, code: 'HTTP_ROUTE_UNKNOWN', detail: `No ${call.method} ${path}` })
    const body = handler(call, response)
    if (body === undefined && !response.headersSent && !response.writableEnded) response.writeHead(204).end()
    else if (body !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    routes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function sendProblem(
  response: ServerResponse,
  problem: Partial<Problem> & { status: number; code: string; detail: string },
): void {
  const whole = {
    type: 'about:blank',
    title: 'Refused',
    fix: 'Do it otherwise.',
    docs: 'https://docs.example/errors',
    requestId: 'req-1',
    ...problem,
  }
  response.writeHead(problem.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(whole))
}

/** Sends events and closes the stream behind the last one, which is how a lost connection looks when none of them is `end`. */
export function sendEvents(response: ServerResponse, events: readonly RunEvent[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(': alive\n\n')
  for (const event of events) response.write(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`)
  response.end()
}
