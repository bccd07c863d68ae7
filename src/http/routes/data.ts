import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { hashOf } from '../../core/canonical.ts'
import { fail, HeddleError } from '../../core/fail.ts'
import { findReadable, keyOf, notReadable, type ReadablePort } from '../../lifecycle/read-port.ts'
import type { PageRead, PortRead, PortShape } from '../../platform/port-read.ts'
import { type CursorContent, openCursor, sealCursor } from '../data/cursor.ts'
import { comparableType, environmentOf, type PortQuery, parseQuery } from '../data/parse-query.ts'
import { portUrl } from '../data/port-url.ts'
import { splitQuery } from '../data/query-text.ts'
import { jsonForm, writePage } from '../data/write-page.ts'
import type { HttpDeps } from '../deps.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000
const MAX_CSV_LIMIT = 2 ** 31 - 1
/** Each try meets a port that was switched under the one before; publications do not come that fast. */
const TRIES = 3

const PortParams = z.object({ domain: z.string(), product: z.string(), port: z.string(), version: z.string() })
const ObjectParams = PortParams.extend({ object: z.string() })
type Format = 'json' | 'csv'
const TYPES: Record<Format, string> = { json: 'application/json; charset=utf-8', csv: 'text/csv; charset=utf-8; header=present' }

const DESCRIPTION = `Rows of a served object, read by the caller's own login: its masks and row filters apply. Needs an active agreement on the port, or to own the product.

\`select=a,b\` · filters \`column=eq.value\` (\`ne lt lte gt gte like\`), \`column=in.(a,b)\`, \`column=is.null\`, \`column=not.null\` · \`order=a.desc,b\` · \`limit\` (JSON: ${DEFAULT_LIMIT}, at most ${MAX_LIMIT}; CSV: all) · \`cursor\` = \`next\` of the page before · \`environment\` (default: the last). Answers \`application/json\` or \`text/csv\`, as \`Accept\` asks. See docs/data-port.md.`

/** `/data/<domain>/<product>/<port>/v<major>[/<object>]`, outside /api/v1. */
export function dataRoutes(app: App, deps: HttpDeps): void {
  const { lifecycle } = deps

  async function readableOf(request: FastifyRequest, environment: string | null): Promise<ReadablePort> {
    const { version, ...names } = request.params as z.infer<typeof PortParams>
    const major = /^v[1-9]\d{0,3}$/.test(version) ? Number(version.slice(1)) : 0
    const last = Object.keys(lifecycle.mesh().environments).at(-1)!
    return findReadable(lifecycle, request.caller!.subject, { ...names, major, environment: environment ?? last })
  }

  async function shapeOf({ at, environment }: ReadablePort): Promise<PortShape> {
    const shape = await lifecycle.warehouse(environment).describePort(at)
    if (shape) return shape
    throw fail('ACCESS_PORT_UNKNOWN', { what: `Nothing is published at ${at.port} v${at.major} in ${environment}` })
  }

  app.get(
    '/data/:domain/:product/:port/:version',
    {
      config: { rule: 'signed-in', tokens: ['read'] },
      schema: {
        params: PortParams,
        description: 'Objects of a port with their columns, for whoever may read it. `environment`: default the last.',
        response: { 200: shapes.DataPort },
      },
    },
    async (request, reply) => {
      const readable = await readableOf(request, environmentOf(splitQuery(queryOf(request))))
      const { publication, publishedAt, objects } = await shapeOf(readable)
      const { product, environment, at } = readable
      const http = portUrl(lifecycle.url(), at)
      privately(reply)
      return {
        product: `${product.domain}/${product.name}`,
        environment,
        port: at.port,
        major: at.major,
        publication,
        asOf: publishedAt,
        objects: objects.map(({ name, columns }) => ({
          name,
          http: `${http}/${encodeURIComponent(name)}`,
          columns: columns.map((column) => ({ ...column, json: jsonForm(column.type) })),
        })),
      }
    },
  )

  app.get(
    '/data/:domain/:product/:port/:version/:object',
    { config: { rule: 'signed-in', tokens: ['read'] }, schema: { params: ObjectParams, description: DESCRIPTION } },
    async (request, reply) => {
      const pairs = splitQuery(queryOf(request))
      const readable = await readableOf(request, environmentOf(pairs))
      const format = formatOf(request)
      for (let tries = 1; ; tries++) {
        const shape = await shapeOf(readable)
        const object = shape.objects.find(({ name }) => name === (request.params as { object: string }).object)
        if (!object) throw fail('DATA_OBJECT_UNKNOWN', { what: `${readable.at.port} v${readable.at.major} has no such object` })
        const query = parseQuery(pairs, object.columns, format === 'csv' ? MAX_CSV_LIMIT : MAX_LIMIT)
        const done = await answer(request, reply, { readable, shape, object, query, format })
        if (done) return reply
        if (tries === TRIES)
          throw fail('DATA_READERS_BUSY', {
            what: 'The port was published anew while it was read',
            why: `${TRIES} times in a row.`,
          })
      }
    },
  )

  type Asked = {
    readable: ReadablePort
    shape: PortShape
    object: PortShape['objects'][number]
    query: PortQuery
    format: Format
  }

  /** @returns false when the port was switched meanwhile */
  async function answer(request: FastifyRequest, reply: FastifyReply, asked: Asked): Promise<boolean> {
    const { readable, shape, format } = asked
    const { subject } = request.caller!
    // Rows change with a publication, and with what the subject is and may: a copy kept from before is good only for both.
    const seen = hashOf([subject.name, subject.attributes, subject.groups, readable.isOwner, format]).slice(0, 12)
    const tag = `"${shape.publication}-${seen}"`
    const send = (body: string | Readable | null, status = 200) => {
      privately(reply)
      reply
        .status(status)
        .header('vary', 'Accept, Authorization, Cookie, Heddle-As')
        .header('heddle-publication', String(shape.publication))
        .header('etag', tag)
        .type(TYPES[format])
      void reply.send(body ?? '')
      return true
    }
    if (matches(request.headers['if-none-match'], tag)) return send(null, 304)
    if (request.method === 'HEAD') return send(null)

    const gone = new AbortController()
    const stop = () => gone.abort(fail('WAREHOUSE_CANCELLED', 'The caller went away'))
    reply.raw.once('close', stop)
    const read: PortRead = {
      subject: subject.name,
      at: readable.at,
      publication: shape.publication,
      object: asked.object.name,
      select: asked.query.select,
      where: asked.query.where,
      order: asked.query.order,
      signal: gone.signal,
    }
    try {
      if (format === 'json') {
        const page = await readPage(asked, read)
        return page !== null && send(page)
      }
      const csv = await readCsv(asked, read)
      if (csv) reply.header('content-disposition', `attachment; filename="${read.object.replace(/[^\w.-]/g, '_')}.csv"`)
      return csv !== null && send(csv)
    } catch (error) {
      throw await asRefused(request, readable, error)
    } finally {
      if (format === 'json') reply.raw.off('close', stop)
    }
  }

  async function readPage({ readable, shape, object, query }: Asked, read: PortRead): Promise<string | null> {
    const scope = hashOf([read.subject, readable.at, readable.environment, read.object, query.select, query.where, query.order])
    const cursor = query.cursor === null ? null : openCursor(deps.cursorKey, scope, query.cursor)
    if (cursor) needSamePublication(cursor, shape)
    const names = await keyOf(lifecycle, readable, object)
    const key = names.flatMap((column) => {
      const type = comparableType(object.columns.find(({ name }) => name === column)!.type)
      return type ? [{ column, type, descending: false }] : []
    })
    const paged: PageRead = {
      ...read,
      key: key.length === names.length ? key : [],
      limit: query.limit ?? DEFAULT_LIMIT,
      after: cursor?.after ?? null,
    }
    const page = await lifecycle.warehouse(readable.environment).readPage(paged)
    if (!page) return null
    const { publication } = page
    const columns = query.select.map((name) => ({
      name,
      form: jsonForm(object.columns.find((column) => column.name === name)!.type),
    }))
    const next = page.next && sealCursor(deps.cursorKey, scope, { publication, after: page.next })
    return writePage(columns, page.rows, { next, publication, asOf: page.publishedAt })
  }

  async function readCsv({ readable, query }: Asked, read: PortRead): Promise<Readable | null> {
    if (query.cursor !== null)
      throw fail('DATA_QUERY_INVALID', {
        what: 'CSV has no pages',
        fix: 'Leave the cursor out: text/csv gives everything at once.',
      })
    const found = await lifecycle.warehouse(readable.environment).readCsv({ ...read, limit: query.limit })
    return found?.csv ?? null
  }

  /** A session that was refused or ended may be a revocation on its way: then that is the answer. */
  async function asRefused(request: FastifyRequest, readable: ReadablePort, error: unknown): Promise<unknown> {
    if (!(error instanceof HeddleError)) return error
    if (error.code === 'ACCESS_NOT_GRANTED') return notReadable(request.caller!.subject)
    if (error.code !== 'WAREHOUSE_UNREACHABLE') return error
    return readableOf(request, readable.environment).then(
      () => error,
      (refused: unknown) => refused,
    )
  }
}

function needSamePublication(cursor: CursorContent, shape: PortShape): void {
  if (cursor.publication === shape.publication) return
  throw fail('DATA_CURSOR_OUTDATED', {
    what: `The cursor belongs to publication ${cursor.publication}; publication ${shape.publication} is served now`,
  })
}

function formatOf(request: FastifyRequest): Format {
  const accepted = (request.headers.accept ?? '*/*').split(',').map((part) => {
    const [type, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const weight = parameters.find((text) => text.startsWith('q='))
    return { type: type!, weight: weight === undefined ? 1 : Number(weight.slice(2)) }
  })
  const weightOf = (format: string, group: string) =>
    Math.max(0, ...accepted.filter(({ type }) => [format, group, '*/*'].includes(type)).map(({ weight }) => weight))
  const explicit = (type: string) => accepted.find((each) => each.type === type)?.weight
  const json = explicit('application/json') ?? weightOf('application/json', 'application/*')
  const csv = explicit('text/csv') ?? weightOf('text/csv', 'text/*')
  if (json > 0 && json >= csv) return 'json'
  if (csv > 0) return 'csv'
  throw fail('DATA_FORMAT_UNKNOWN', { what: 'Neither application/json nor text/csv is accepted' })
}

function queryOf(request: FastifyRequest): string {
  const url = request.raw.url ?? ''
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

/** Nobody between keeps it, and a browser neither shows it as something else. */
function privately(reply: FastifyReply): void {
  reply.header('cache-control', 'private, no-cache').header('x-content-type-options', 'nosniff')
}

function matches(header: string | undefined, tag: string): boolean {
  return (header ?? '').split(',').some((part) => part.trim().replace(/^W\//, '') === tag)
}
