import { fail } from '../core/fail.ts'
import { clientError, foreignAnswer, unreachable } from './client-error.ts'
import type { Problem, SchemaName } from './types.ts'

export type CallOptions = {
  /** where the control plane listens, e.g. `http://127.0.0.1:4000` */
  url: string
  /** null: the browser's session cookie speaks for the caller */
  token: string | null
  /** a sample user to act as */
  as?: string
  fetch?: typeof fetch
  /** parse every answer with its schema (tests and development) */
  check?: boolean
  /** milliseconds until a call without an answer is given up; default 60000 */
  timeoutMs?: number
}

export type Answer = SchemaName | { list: SchemaName } | { oneOf: readonly SchemaName[] } | 'none' | 'any'
export type Call = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
  answer: Answer
  signal?: AbortSignal
}

/** @throws ClientError (the server's problem document), CLIENT_SERVER_UNREACHABLE, CLIENT_ANSWER_INVALID */
export async function call(options: CallOptions, request: Call): Promise<unknown> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? 60_000)
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout
  const response = await send(options, request, { accept: 'application/json', signal })
  const text = await response.text().catch((error: unknown) => {
    throw unreachable(options.url, error)
  })
  if (request.answer === 'none' || (text === '' && request.answer === 'any')) return undefined
  const body = readJson(text)
  if (body === undefined) throw foreignAnswer(options.url, response.status)
  if (options.check) await checkAnswer(request, body)
  return body
}

/** The open response of a server-sent stream. */
export function openStream(
  options: CallOptions,
  path: string,
  lastEventId: number | null,
  signal: AbortSignal,
): Promise<Response> {
  const headers = lastEventId === null ? {} : { 'Last-Event-ID': String(lastEventId) }
  return send(options, { method: 'GET', path, answer: 'none' }, { accept: 'text/event-stream', signal, headers })
}

async function send(
  options: CallOptions,
  { method, path, query, body }: Call,
  { accept, signal, headers }: { accept: string; signal: AbortSignal; headers?: Record<string, string> },
): Promise<Response> {
  let response: Response
  try {
    response = await (options.fetch ?? fetch)(callUrl(options.url, path, query), {
      method,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      credentials: options.token === null ? 'same-origin' : 'omit',
      headers: {
        Accept: accept,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(options.token === null ? { 'Heddle-Request': '1' } : { Authorization: `Bearer ${options.token}` }),
        ...(options.as !== undefined && { 'Heddle-As': options.as }),
        ...(method === 'POST' && { 'Idempotency-Key': crypto.randomUUID() }),
        ...headers,
      },
    })
  } catch (error) {
    throw unreachable(options.url, error)
  }
  if (response.ok) return response
  const problem = readJson(await response.text().catch(() => ''))
  throw isProblem(problem) ? clientError(problem) : foreignAnswer(options.url, response.status)
}

function callUrl(base: string, path: string, query: Call['query']): string {
  const url = new URL(`${base.replace(/\/+$/, '')}/api/v1${path}`)
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) url.searchParams.set(name, String(value))
  return url.href
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isProblem(body: unknown): body is Problem {
  const problem = body as Partial<Problem> | null | undefined
  return typeof problem?.code === 'string' && typeof problem.detail === 'string' && typeof problem.fix === 'string'
}

async function checkAnswer({ method, path, answer }: Call, body: unknown): Promise<void> {
  if (answer === 'any' || answer === 'none') return
  const schemas = await import('../http/schemas.ts')
  const candidates =
    typeof answer === 'string'
      ? [schemas[answer]]
      : 'list' in answer
        ? [schemas.List(schemas[answer.list])]
        : answer.oneOf.map((name) => schemas[name])
  const results = candidates.map((schema) => schema.safeParse(body))
  if (results.some((result) => result.success)) return
  const issue = results[0]!.error!.issues[0]!
  throw fail('CLIENT_ANSWER_INVALID', {
    what: `${method} ${path} answered ${issue.path.join('.') || 'something'} in another shape: ${issue.message}`,
  })
}
