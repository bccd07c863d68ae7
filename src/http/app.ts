import { randomUUID } from 'node:crypto'
import swagger from '@fastify/swagger'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { ERRORS } from '../core/errors.ts'
import { asHeddleError, fail, type HeddleError } from '../core/fail.ts'
import { isConnectionLost } from '../store/lost-connection.ts'
import { authenticate } from './authenticate.ts'
import type { HttpDeps } from './deps.ts'
import { needBound } from './permissions.ts'
import { accessRoutes } from './routes/access.ts'
import { catalogRoutes } from './routes/catalog.ts'
import { dataRoutes } from './routes/data.ts'
import { mountGit } from './routes/git.ts'
import { identityRoutes } from './routes/identity.ts'
import { mountPortal } from './routes/portal.ts'
import { productRoutes } from './routes/products.ts'
import { promotionRoutes } from './routes/promotion.ts'
import { releaseRoutes } from './routes/releases.ts'
import { requestRoutes } from './routes/requests.ts'
import { runRoutes } from './routes/runs.ts'
import { serviceLevelRoutes } from './routes/service-levels.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { usageRoutes } from './routes/usage.ts'
import type { App } from './typed-app.ts'

export const PREFIX = '/api/v1'
const BODY_LIMIT = 8 * 1024 * 1024
/** The supervisor has the database back within this time, unless something is wrong with it. */
const RETRY_AFTER_S = 2

export async function createApp(deps: HttpDeps): Promise<App> {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    genReqId: () => randomUUID(),
    // An address that cannot even be decoded reaches no handler.
    frameworkErrors: (_error, request, reply) => {
      const unreadable = fail('HTTP_ROUTE_UNKNOWN', { what: 'The address cannot be read' })
      const { status, body } = problemDocument(unreadable, request.id)
      const plain = reply as unknown as FastifyReply
      plain.status(status).type('application/problem+json').serializer(JSON.stringify).send(body)
    },
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Heddle', version: deps.version } },
    transform: jsonSchemaTransform,
  })

  app.addHook('onRoute', (route) => {
    if (route.method !== 'HEAD' && route.method !== 'OPTIONS' && !route.config?.rule)
      throw fail('HTTP_ROUTE_WITHOUT_RULE', { what: `${route.method} ${route.url} says not who may call it` })
  })
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    refuseForeignHost(request)
    // The route that was found, not the text of the address: that may be written in several ways.
    const { config } = request.routeOptions
    if (config.rule !== 'signed-in') return
    request.caller = await authenticate(deps, request)
    if (!request.caller) {
      throw fail('HTTP_NOT_SIGNED_IN', {
        what: 'Nobody is signed in',
        fix: 'Open the address that `heddle open` prints, or send the token of the data directory.',
      })
    }
    await needBound(deps, request.caller, config.tokens ?? [], request.params as { domain?: string; product?: string })
  })
  app.setErrorHandler((thrown, request, reply) => {
    const error = translate(thrown)
    if (error.code === 'INTERNAL_UNEXPECTED')
      deps.log(
        `${request.id} ${request.method} ${request.routeOptions.url ?? ''}: ${String((error.cause as Error | undefined)?.stack ?? error.cause)}`,
      )
    const { status, body } = problemDocument(error, request.id)
    if (error.code === 'STORE_UNREACHABLE') reply.header('retry-after', RETRY_AFTER_S)
    return reply.status(status).type('application/problem+json').serializer(JSON.stringify).send(body)
  })
  app.setNotFoundHandler((request) => {
    throw unknownRoute(request)
  })

  await app.register(
    async (api) => {
      const typed = api.withTypeProvider<ZodTypeProvider>() as App
      identityRoutes(typed, deps)
      productRoutes(typed, deps)
      promotionRoutes(typed, deps)
      releaseRoutes(typed, deps)
      requestRoutes(typed, deps)
      runRoutes(typed, deps)
      accessRoutes(typed, deps)
      serviceLevelRoutes(typed, deps)
      catalogRoutes(typed, deps)
      usageRoutes(typed, deps)
      tokenRoutes(typed, deps)
      typed.get('/openapi.json', { config: { rule: 'anyone' }, schema: { hide: true } }, async () => app.swagger())
      // Else the portal's page would answer whatever the API does not have.
      typed.get('/*', { config: { rule: 'anyone' }, schema: { hide: true } }, async (request) => {
        throw unknownRoute(request)
      })
    },
    { prefix: PREFIX },
  )
  await app.register(async (data) => {
    dataRoutes(data.withTypeProvider<ZodTypeProvider>() as App, deps)
    data.get('/data/*', { config: { rule: 'anyone' }, schema: { hide: true } }, async (request) => {
      throw unknownRoute(request)
    })
  })
  await mountGit(app, deps)
  await mountPortal(app, deps)
  return app
}

/** A page of another site can make a browser call loopback under its own host name; only our own names are answered. */
function refuseForeignHost(request: FastifyRequest): void {
  const host = request.headers.host?.replace(/:\d+$/, '')
  if (host === 'localhost' || host === '127.0.0.1' || host === '[::1]') return
  throw fail('HTTP_HOST_REFUSED', {
    what: `This server is not "${String(host).slice(0, 80)}"`,
    fix: 'Use http://127.0.0.1 or http://localhost.',
  })
}

function unknownRoute(request: FastifyRequest): HeddleError {
  return fail('HTTP_ROUTE_UNKNOWN', { what: `There is no ${request.method} ${request.url.split('?')[0]!.slice(0, 200)}` })
}

function translate(thrown: unknown): HeddleError {
  const error = thrown as { validation?: { message?: string; instancePath?: string }[]; statusCode?: number; message: string }
  if (error.validation) {
    const [first] = error.validation
    return fail('HTTP_INPUT_INVALID', {
      what: `${first?.instancePath?.replace(/^\//, '').replaceAll('/', '.') || 'input'}: ${first?.message ?? error.message}`,
    })
  }
  if (error.statusCode === 413) return fail('HTTP_INPUT_TOO_LARGE', { what: 'The request is larger than 8 MB' })
  if (error.statusCode === 400 || error.statusCode === 415) return fail('HTTP_INPUT_INVALID', { what: error.message })
  const known = asHeddleError(thrown)
  if (known.code === 'INTERNAL_UNEXPECTED' && isConnectionLost(known.cause))
    return fail('STORE_UNREACHABLE', {
      what: 'The database of the control plane does not answer',
      why: 'it ended or is being started again; whether the last call took effect is not known',
      fix: 'Try again in a few seconds; when it stays away: heddle doctor',
      cause: known.cause,
    })
  return known
}

function problemDocument(error: HeddleError, requestId: string) {
  const { status, summary } = ERRORS[error.code]
  const docs = `docs/errors.md#${error.code.toLowerCase()}`
  return {
    status,
    body: {
      type: docs,
      title: summary,
      status,
      code: error.code,
      detail: error.message,
      ...(error.why && { why: error.why }),
      fix: error.fix,
      docs,
      requestId,
      ...(error.at && { at: error.at }),
      ...(error.details.length > 0 && { details: error.details }),
    },
  }
}
