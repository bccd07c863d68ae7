import type { HttpDeps } from '../deps.ts'
import type { App } from '../typed-app.ts'

/** `/git/<domain>/<product>.git/…`: the body goes to git as it comes, so this scope parses nothing. */
export async function mountGit(app: App, deps: HttpDeps): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.route({
      method: ['GET', 'POST'],
      url: '/git/:domain/:repository/*',
      config: { rule: 'anyone' },
      schema: { hide: true },
      bodyLimit: Number.MAX_SAFE_INTEGER,
      async handler(request, reply) {
        const { domain, repository, '*': rest } = request.params as { domain: string; repository: string; '*': string }
        reply.hijack()
        await deps.git.handle(request.raw, reply.raw, { domain, product: repository.replace(/\.git$/, ''), rest })
      },
    })
  })
}
