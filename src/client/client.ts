import { parseProductAddress } from '../core/address.ts'
import { type Answer, type Call, type CallOptions, call, openStream } from './call.ts'
import { type EventOptions, runEvents } from './run-events.ts'
import type * as Api from './types.ts'

type Environment = { environment?: string | undefined }

/**
 * One method per route of `docs/decisions/0002-http-api.md`. A product is named by its address `domain/product`. Lists are one page; `every` walks all.
 * Every method throws a ClientError with the server's code, why, fix, docs and request id, or CLIENT_SERVER_UNREACHABLE.
 */
export type Client = ReturnType<typeof createClient>

/** @example createClient({ url: 'http://127.0.0.1:4000', token }).product('fleet/planes') */
export function createClient(options: CallOptions) {
  const send = async <T>(
    method: Call['method'],
    path: string,
    answer: Answer,
    more: Pick<Call, 'query' | 'body' | 'signal'> = {},
  ): Promise<T> => (await call(options, { method, path, answer, ...more })) as T
  const list = <T>(path: string, item: Api.SchemaName, query: Call['query'] = {}) =>
    send<Api.Page<T>>('GET', path, { list: item }, { query })
  const decide = <T>(noun: 'requests' | 'runs', number: number, verb: string, answer: Answer, note?: string) =>
    send<T>('POST', `/${noun}/${number}/${verb}`, answer, { body: note === undefined ? {} : { note } })

  return {
    health: () => send<Api.Health>('GET', '/health', 'Health'),
    me: () => send<Api.Me>('GET', '/me', 'Me'),
    login: (once: string) => send<Api.Me>('POST', '/login', 'Me', { body: { once } }),
    /** A one-time address for the browser; only for the holder of the data directory. */
    once: () => send<{ url: string }>('POST', '/once', 'any', { body: {} }),
    logout: () => send<void>('POST', '/logout', 'none', { body: {} }),

    domains: () => list<Api.Domain>('/domains', 'Domain'),
    subjects: () => list<Api.Subject>('/subjects', 'Subject'),
    setAttributes: (name: string, attributes: Record<string, string[]>) =>
      send<Api.Subject>('PUT', `/subjects/${encodeURIComponent(name)}/attributes`, 'Subject', { body: attributes }),

    products: (query: { domain?: string | undefined; cursor?: string | undefined } = {}) =>
      list<Api.ProductSummary>('/products', 'ProductSummary', query),
    product: (address: string) => send<Api.Product>('GET', productPath(address), 'Product'),
    plan: (address: string, { environment, files }: Environment & { files: Record<string, string> }) =>
      send<Api.Plan>('POST', `${productPath(address)}/plan`, 'Plan', { query: { environment }, body: { files } }),
    deploy: (address: string, body: Environment & { commit?: string | undefined } = {}) =>
      send<Api.RunSummary | Api.Plan>('POST', `${productPath(address)}/deploy`, { oneOf: ['RunSummary', 'Plan'] }, { body }),
    refresh: (address: string, body: Environment = {}) =>
      send<Api.RunSummary>('POST', `${productPath(address)}/refresh`, 'RunSummary', { body }),
    rollback: (address: string, body: Environment & { to?: number | undefined } = {}) =>
      send<Api.RunSummary>('POST', `${productPath(address)}/rollback`, 'RunSummary', { body }),
    planRollback: (address: string, body: Environment & { to?: number | undefined } = {}) =>
      send<Api.Plan>('POST', `${productPath(address)}/rollback`, 'Plan', { query: { 'dry-run': true }, body }),
    certificate: (address: string) => send<Api.Certificate>('GET', `${productPath(address)}/certificate`, 'Certificate'),
    connect: (address: string, body: Environment = {}) =>
      send<Api.Connection>('POST', `${productPath(address)}/connect`, 'Connection', { body }),
    createToken: (address: string, kind: 'git' | 'service') =>
      send<Api.IssuedToken>('POST', `${productPath(address)}/tokens`, 'IssuedToken', { body: { kind } }),
    /** A token of the caller's own for a program that reads data, e.g. `until: '90d'`. */
    createReadToken: (body: { name: string; until?: string | undefined }) =>
      send<Api.IssuedToken>('POST', '/tokens', 'IssuedToken', { body }),
    readTokens: () => list<Api.ReadToken>('/tokens', 'ReadToken'),
    revokeReadToken: (id: string) => send<void>('DELETE', `/tokens/${encodeURIComponent(id)}`, 'none'),
    putMetadata: (address: string, document: Record<string, unknown>) =>
      send<void>('PUT', `${productPath(address)}/metadata`, 'none', { body: document }),
    postMetrics: (address: string, document: Record<string, unknown>) =>
      send<void>('POST', `${productPath(address)}/metrics`, 'none', { body: document }),
    productAccess: (address: string) => list<Api.Agreement>(`${productPath(address)}/access`, 'Agreement'),
    serviceLevels: (address: string, query: Environment = {}) =>
      list<Api.ServiceLevel>(`${productPath(address)}/slo`, 'ServiceLevel', query),

    releases: (address: string) => list<Api.PastRelease>(`${productPath(address)}/releases`, 'PastRelease'),
    promote: (address: string, body: { from?: string | undefined; to?: string | undefined } = {}) =>
      send<Api.RunSummary>('POST', `${productPath(address)}/promote`, 'RunSummary', { body }),
    unpin: (address: string, body: Environment = {}) =>
      send<Api.RunSummary | Api.Plan>('POST', `${productPath(address)}/unpin`, { oneOf: ['RunSummary', 'Plan'] }, { body }),
    usage: (address: string) => send<Api.Usage>('GET', `${productPath(address)}/usage`, 'Usage'),
    proposals: () => list<Api.RetirementProposal>('/proposals', 'RetirementProposal'),
    search: (query: {
      q: string
      domain?: string | undefined
      state?: string | undefined
      sort?: string | undefined
      cursor?: string | undefined
    }) => list<Api.SearchHit>('/search', 'SearchHit', query),
    /** `of`: a product, an object or a column by its address */
    lineage: (query: {
      of: string
      level?: string | undefined
      up?: number | undefined
      down?: number | undefined
      environment?: string | undefined
    }) => send<Api.Lineage>('GET', '/lineage', 'Lineage', { query }),

    requests: (query: { mine?: boolean | undefined; open?: boolean | undefined; cursor?: string | undefined } = {}) =>
      list<Api.Request>('/requests', 'Request', query),
    createRequest: (request: Api.NewRequest, { dryRun = false }: { dryRun?: boolean } = {}) =>
      send<Api.Request>('POST', '/requests', 'Request', { query: { 'dry-run': dryRun || undefined }, body: request }),
    request: (number: number) => send<Api.Request>('GET', `/requests/${number}`, 'Request'),
    editRequest: (number: number, payload: Record<string, unknown>) =>
      send<Api.Request>('PATCH', `/requests/${number}`, 'Request', { body: payload }),
    decideRequest: (number: number, verb: 'approve' | 'deny' | 'withdraw' | 'retry' | 'undo', note?: string) =>
      decide<Api.Request>('requests', number, verb, 'Request', note),

    runs: (
      query: {
        product?: string | undefined
        state?: string | undefined
        limit?: number | undefined
        cursor?: string | undefined
      } = {},
    ) => list<Api.RunSummary>('/runs', 'RunSummary', query),
    run: (number: number) => send<Api.Run>('GET', `/runs/${number}`, 'Run'),
    runEvents: (number: number, events: EventOptions = {}) =>
      runEvents((last, signal) => openStream(options, `/runs/${number}/events`, last, signal), events),
    decideRun: (number: number, verb: 'retry' | 'cancel' | 'approve' | 'deny', note?: string) =>
      decide<Api.RunSummary>('runs', number, verb, 'RunSummary', note),

    agreements: (query: { product?: string | undefined; cursor?: string | undefined } = {}) =>
      list<Api.Agreement>('/agreements', 'Agreement', query),
    agreement: (number: number) => send<Api.Agreement>('GET', `/agreements/${number}`, 'Agreement'),
    revokeAgreement: (number: number, reason: string) =>
      send<Api.RunSummary>('POST', `/agreements/${number}/revoke`, 'RunSummary', { body: { reason } }),

    incidents: (query: { product?: string | undefined; open?: boolean | undefined; cursor?: string | undefined } = {}) =>
      list<Api.Incident>('/incidents', 'Incident', query),
    incident: (number: number) => send<Api.Incident>('GET', `/incidents/${number}`, 'Incident'),
    acknowledgeIncident: (number: number) =>
      send<Api.Incident>('POST', `/incidents/${number}/acknowledge`, 'Incident', { body: {} }),

    audit: (query: { after?: string | undefined } = {}) => list<Api.AuditRow>('/audit', 'AuditRow', query),
    openapi: () => send<Record<string, unknown>>('GET', '/openapi.json', 'any'),
    /** Any route by hand; `path` begins behind /api/v1. */
    raw: (method: Call['method'], path: string, body?: unknown) =>
      send<unknown>(method, path, 'any', body === undefined ? {} : { body }),
  }
}

/** Every item of a list, page after page. */
export async function every<T>(page: (cursor: string | undefined) => Promise<Api.Page<T>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const { items: found, next } = await page(cursor)
    items.push(...found)
    cursor = next ?? undefined
  } while (cursor !== undefined)
  return items
}

function productPath(address: string): string {
  const { domain, product } = parseProductAddress(address)
  return `/products/${domain}/${product}`
}
