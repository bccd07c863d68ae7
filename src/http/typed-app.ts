import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Caller } from './authenticate.ts'

/** Every route says who may call it; one without a rule stops the start. `signed-in` routes check the object themselves where it matters. */
export type Rule = 'anyone' | 'signed-in'

declare module 'fastify' {
  interface FastifyContextConfig {
    rule?: Rule
  }
  interface FastifyRequest {
    caller: Caller | null
  }
}

/** Fastify whose routes take their types from zod schemas. */
export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>
