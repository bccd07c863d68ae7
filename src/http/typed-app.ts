import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Caller } from './authenticate.ts'

/** Every route says who may call it; one without a rule stops the start. `signed-in` routes check the object themselves where it matters. */
export type Rule = 'anyone' | 'signed-in'
/** Tokens bound to a product, or to reading, which a route must name to be open to them. */
export type BoundToken = 'git' | 'service' | 'read'

declare module 'fastify' {
  interface FastifyContextConfig {
    rule?: Rule
    tokens?: readonly BoundToken[]
  }
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** Fastify whose routes take their types from zod schemas. */
export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>
