import type { z } from 'zod'
import * as shapes from '../../src/http/schemas.ts'
import type { Received } from './double.ts'
import type { Fixtures } from './fixtures.ts'

/** How many releases each product has had. */
const RELEASES: Record<string, number> = { 'operations/flights': 5, 'clinical-care/encounters': 3, 'fleet/planes': 1 }

/** The routes that the pages for running a product ask; undefined: not one of them. */
export function answerOperate(fixtures: Fixtures, { method, path, body }: Received, query: URLSearchParams): unknown {
  const { operate } = fixtures
  const list = (items: unknown[]) => ({ items, next: null })
  const address = /^\/products\/([^/]+\/[^/]+)/.exec(path)?.[1] ?? ''
  const product = operate.products[address as keyof typeof operate.products]
  const rest = path.slice(`/products/${address}`.length)
  if (method === 'GET') {
    if (path === '/incidents')
      return list(
        operate.incidents.filter(
          (incident) =>
            (query.get('open') !== 'true' || incident.state !== 'resolved') &&
            (!query.get('product') || incident.product === query.get('product')),
        ),
      )
    if (/^\/incidents\/\d+$/.test(path)) return operate.incidents.find((incident) => path.endsWith(`/${incident.number}`))
    // fleet/planes promises nothing; of products that are only found, find-fixtures.ts tells.
    if (rest === '/slo' && (operate.levels[address] || address === 'fleet/planes')) return list(operate.levels[address] ?? [])
    if (rest === '/releases') return list(operate.releases.slice(0, RELEASES[address] ?? 0))
    if (rest === '/certificate' && address === 'fleet/stations') return operate.certificate
    if (product && rest === '') return product
    if (product && rest === '/access')
      return list(
        address === 'operations/flights'
          ? fixtures.agreements.map((one) => ({ ...one, product: address, port: 'daily', major: 1 }))
          : [],
      )
  }
  if (method === 'POST') {
    const taken = /^\/incidents\/(\d+)\/acknowledge$/.exec(path)
    if (taken) {
      const incident = operate.incidents.find((one) => one.number === Number(taken[1]))!
      return Object.assign(incident, {
        state: 'acknowledged',
        acknowledgedAt: new Date().toISOString(),
        acknowledgedBy: 'dev',
        actions: { acknowledge: false },
      })
    }
    if (rest === '/rollback')
      return query.get('dry-run') === 'true' ? operate.rollback : fixtures.runs.find((run) => run.number === 816)
    if (rest === '/refresh') return fixtures.runs.find((run) => run.number === 816)
    if (path === '/requests') return requested(fixtures, body, query.get('dry-run') === 'true')
  }
  return undefined
}

function requested(fixtures: Fixtures, body: unknown, dry: boolean): z.infer<typeof shapes.Request> | undefined {
  const asked = shapes.NewRequest.parse(body)
  if (asked.kind !== 'retire' && asked.kind !== 'restore') return undefined
  const { product } = asked.payload
  const blocked = product === 'operations/flights'
  const plan = fixtures.operate.retirement
  return shapes.Request.parse({
    ...fixtures.requests[1]!,
    number: dry ? 0 : 58,
    kind: asked.kind,
    state: dry ? 'draft' : 'approved',
    by: 'dev',
    title: `${asked.kind === 'retire' ? 'Retire' : 'Restore'} ${product}`,
    payload: asked.payload,
    approvers: ['team-fleet'],
    run: dry ? null : 816,
    plan: {
      ...plan,
      product,
      affected: blocked ? ['analytics-users'] : [],
      diagnostics: blocked
        ? [
            {
              severity: 'error',
              code: 'RETIRE_CONSUMERS_ACTIVE',
              what: 'operations/flights is read by analytics-users',
              fix: 'End their agreements first: heddle access revoke 42',
            },
          ]
        : [],
    },
  })
}
