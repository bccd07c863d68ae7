import { z } from 'zod'
import { listAgreements } from '../../access/agreements.ts'
import { isOneOf } from '../../access/subjects.ts'
import { issueToken } from '../../access/tokens.ts'
import { readEntry, setEntryPart } from '../../catalog/entries.ts'
import { findHandled } from '../../catalog/handled-pushes.ts'
import { listProducts, needDomain, needLiving, needProduct, type ProductRow } from '../../catalog/products.ts'
import { fail } from '../../core/fail.ts'
import { firstEnvironment, planFor, startDeploy, startRefresh } from '../../lifecycle/deploy.ts'
import { blobId, isReleaseFile } from '../../lifecycle/release-content.ts'
import { readCertificate } from '../../lifecycle/retire.ts'
import { planRollbackTo, startRollback } from '../../lifecycle/rollback.ts'
import { levelsOf } from '../../observe/levels.ts'
import { readAllServedSince } from '../../observe/updates.ts'
import { explainPlan } from '../../plan/explain.ts'
import type { Warehouse } from '../../platform/warehouse.ts'
import { listRuns, needRunRow, runNumber } from '../../run/read-runs.ts'
import { currentRelease, type ReleaseRow } from '../../run/releases.ts'
import { audit } from '../../store/audit.ts'
import { portUrl } from '../data/port-url.ts'
import type { HttpDeps } from '../deps.ts'
import { needOwner, needOwnerOrService, needService } from '../permissions.ts'
import * as shapes from '../schemas.ts'
import type { App } from '../typed-app.ts'
import { planView } from '../views/plans.ts'
import { type ProductFacts, productSummary, productView } from '../views/products.ts'
import { runSummary } from '../views/runs.ts'

const At = z.object({ domain: z.string(), product: z.string() })
const PRODUCT_LANES = ['bootstrap', 'deploy', 'refresh', 'promote', 'rollback', 'retire', 'restore', 'undo']
const TOKEN_MS = { git: 90 * 86_400_000, service: 90 * 86_400_000 }

export function productRoutes(app: App, deps: HttpDeps): void {
  const { lifecycle } = deps
  const { db } = lifecycle.control
  const environments = () => Object.keys(lifecycle.mesh().environments)

  async function factsOf(product: ProductRow): Promise<ProductFacts> {
    const [runs, servedSince, levels, handled] = await Promise.all([
      listRuns(db, { product: product.id, limit: 30 }),
      readAllServedSince(db, product.id),
      levelsOf(db, [product.id]),
      findHandled(db, product.id),
    ])
    const releases: Record<string, ReleaseRow> = {}
    for (const environment of environments().toReversed()) {
      const release = await currentRelease(db, product.id, environment)
      if (release) releases[environment] = release
    }
    return { product, releases, servedSince, levels, handled, runs: runs.filter((run) => PRODUCT_LANES.includes(run.kind)) }
  }

  app.get(
    '/products',
    {
      config: { rule: 'signed-in' },
      schema: { querystring: z.object({ domain: z.string().optional() }), response: { 200: shapes.List(shapes.ProductSummary) } },
    },
    async (request) => {
      const rows = (await listProducts(db, request.query.domain)).filter((row) => row.state !== 'retired')
      return {
        items: await Promise.all(rows.map(async (row) => productSummary(await factsOf(row), deps.clock.now()))),
        next: null,
      }
    },
  )

  app.get(
    '/products/:domain/:product',
    { config: { rule: 'signed-in', tokens: ['git', 'service'] }, schema: { params: At, response: { 200: shapes.Product } } },
    async (request) => {
      const product = await needProduct(db, request.params)
      const facts = await factsOf(product)
      const named = [...new Set([...facts.runs.map((run) => run.environment), ...Object.keys(facts.releases)])].filter(
        (name) => name !== '*',
      )
      const served: Record<string, Awaited<ReturnType<Warehouse['served']>>> = {}
      for (const environment of Object.keys(facts.releases))
        served[environment] = await lifecycle
          .warehouse(environment)
          .served({ id: product.id, domain: product.domain, product: product.name })
      const runNumbers = Object.fromEntries(
        await Promise.all(Object.values(facts.releases).map(async (release) => [release.run, await runNumber(db, release.run)])),
      )
      return productView(facts, {
        now: deps.clock.now(),
        domain: await needDomain(db, product.domain),
        cloneUrl: `${lifecycle.url()}/git/${product.domain}/${product.name}.git`,
        head: (await lifecycle.repository.exists(product.id)) ? await lifecycle.repository.head(product.id, 'main') : null,
        environments: named.length > 0 ? environments().filter((name) => named.includes(name)) : environments().slice(-1),
        protectedOnes: facts.runs.filter((run) => run.approvers.length > 0).map((run) => run.environment),
        served,
        entry: await readEntry(db, product.id),
        agreements: await listAgreements(db, { product: product.id }),
        runNumbers,
      })
    },
  )

  app.post(
    '/products/:domain/:product/plan',
    {
      config: { rule: 'signed-in', tokens: ['git'] },
      schema: {
        params: At,
        querystring: z.object({ environment: z.string().optional() }),
        body: z.object({ files: z.record(z.string().max(400), z.string()) }),
        response: { 200: shapes.Plan },
      },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      needOwner(request.caller!, product, await needDomain(db, product.domain))
      const files = Object.entries(request.body.files).filter(([path]) => isReleaseFile(path))
      const source = {
        commit: 'working-tree',
        texts: Object.fromEntries(files.filter(([path]) => !path.startsWith('dbt/'))),
        oids: Object.fromEntries(files.map(([path, text]) => [path, blobId(Buffer.from(text, 'utf8'))])),
      }
      // Where a push of this tree would go first.
      const environment = request.query.environment ?? (await firstEnvironment(lifecycle, product, source.texts))
      const { plan, diagnostics } = await planFor(lifecycle, db, product, environment, source)
      return planView(plan, { run: null, kind: 'deploy', product, environment, asOf: deps.clock.now(), diagnostics })
    },
  )

  app.post(
    '/products/:domain/:product/deploy',
    {
      config: { rule: 'signed-in', tokens: ['git'] },
      schema: {
        params: At,
        body: z.object({
          environment: z.string().optional(),
          commit: z
            .string()
            .regex(/^[0-9a-f]{40}$/)
            .optional(),
        }),
        response: { 200: z.union([shapes.RunSummary, shapes.Plan]) },
      },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      const { subject } = request.caller!
      needOwner(request.caller!, product, await needDomain(db, product.domain))
      const commit = request.body.commit ?? (await lifecycle.repository.head(product.id, 'main'))
      if (!commit) throw fail('DEPLOY_NOTHING_THERE', { what: `${product.domain}/${product.name} has no commit on main` })
      const started = await db.transaction().execute((transaction) =>
        startDeploy(lifecycle, transaction, {
          product,
          commit,
          by: subject.name,
          because: 'asked for',
          ...(request.body.environment && { environment: request.body.environment }),
        }),
      )
      if (started.started) return runSummary(await needRunRow(db, started.number))
      const empty = { steps: [], affected: [], worldHash: '' }
      return planView(empty, {
        run: null,
        kind: 'deploy',
        product,
        environment: started.environment,
        asOf: deps.clock.now(),
        diagnostics: [],
        summary: explainPlan(empty, deps.clock.now()),
      })
    },
  )

  app.post(
    '/products/:domain/:product/refresh',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: At,
        body: z.object({ environment: z.string().optional() }).optional(),
        response: { 200: shapes.RunSummary },
      },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      needOwner(request.caller!, product, await needDomain(db, product.domain))
      const environment = request.body?.environment ?? environments().at(-1)!
      const by = request.caller!.subject.name
      const { number } = await db
        .transaction()
        .execute((queries) => startRefresh(queries, { product, environment, by, because: 'asked for' }))
      return runSummary(await needRunRow(db, number))
    },
  )

  app.post(
    '/products/:domain/:product/rollback',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: At,
        querystring: z.object({ 'dry-run': z.stringbool().optional() }),
        body: z.object({ environment: z.string().optional(), to: z.number().int().positive().optional() }).default({}),
        response: { 200: z.union([shapes.RunSummary, shapes.Plan]) },
      },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      needOwner(request.caller!, product, await needDomain(db, product.domain))
      const environment = request.body.environment ?? environments().at(-1)!
      const wanted = { product, environment, to: request.body.to ?? null }
      if (request.query['dry-run']) {
        const plan = await planRollbackTo(lifecycle, db, wanted)
        return planView(plan, { run: null, kind: 'rollback', product, environment, asOf: deps.clock.now(), diagnostics: [] })
      }
      const by = request.caller!.subject.name
      const { number } = await db.transaction().execute((queries) => startRollback(lifecycle, queries, { ...wanted, by }))
      return runSummary(await needRunRow(db, number))
    },
  )

  app.get(
    '/products/:domain/:product/certificate',
    { config: { rule: 'signed-in' }, schema: { params: At, response: { 200: shapes.Certificate } } },
    async (request) => {
      const { certificate, text } = await readCertificate(db, request.params)
      return { ...(certificate as Omit<z.infer<typeof shapes.Certificate>, 'text'>), text }
    },
  )

  app.post(
    '/products/:domain/:product/connect',
    {
      config: { rule: 'signed-in' },
      schema: {
        params: At,
        body: z.object({ environment: z.string().optional() }).optional(),
        response: { 200: shapes.Connection },
      },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      const { subject, behind } = request.caller!
      const environment = request.body?.environment ?? environments().at(-1)!
      const domain = await needDomain(db, product.domain)
      const owner = isOneOf(subject, [product.owner, ...domain.owners])
      const held = (await listAgreements(db, { product: product.id, subject: subject.name })).filter(
        (each) => each.state === 'active' && each.environment === environment,
      )
      if (!owner && held.length === 0) {
        throw fail('ACCESS_NOT_GRANTED', {
          what: `${subject.name} has no active agreement with ${product.domain}/${product.name} in ${environment}`,
          fix: `heddle access request ${product.domain}/${product.name} --port PORT --purpose PURPOSE`,
        })
      }
      const warehouse = lifecycle.warehouse(environment)
      const credential = await warehouse.issueCredential({ subject: subject.name, validMs: 8 * 3_600_000 })
      await audit(db, {
        actor: subject.name,
        onBehalfOf: behind,
        action: 'access.connect',
        object: `${product.domain}/${product.name}@${environment}`,
        detail: { expiresAt: credential.expiresAt },
      })
      const served = await warehouse.served({ id: product.id, domain: product.domain, product: product.name })
      const ports = served.filter((port) => owner || held.some((each) => each.port === port.port && each.major === port.major))
      const place = { id: product.id, domain: product.domain, product: product.name }
      return connectionView(credential, ports, (at) => portUrl(lifecycle.url(), { place, ...at }))
    },
  )

  app.post(
    '/products/:domain/:product/tokens',
    {
      config: { rule: 'signed-in' },
      schema: { params: At, body: z.object({ kind: z.enum(['git', 'service']) }), response: { 200: shapes.IssuedToken } },
    },
    async (request) => {
      const product = await needLiving(db, request.params)
      needOwner(request.caller!, product, await needDomain(db, product.domain))
      const { kind } = request.body
      const issued = await issueToken(db, {
        subject: request.caller!.subject.name,
        kind,
        product: product.id,
        validMs: TOKEN_MS[kind],
      })
      await audit(db, {
        actor: request.caller!.subject.name,
        onBehalfOf: request.caller!.behind,
        action: `token.${kind}`,
        object: `${product.domain}/${product.name}`,
        detail: {},
      })
      return { token: issued.token, kind, expiresAt: issued.expiresAt.toISOString() }
    },
  )

  for (const [method, part, need] of [
    ['PUT', 'metadata', needOwnerOrService],
    ['POST', 'metrics', needService],
  ] as const) {
    app.route({
      method,
      url: `/products/:domain/:product/${part}`,
      config: { rule: 'signed-in', tokens: ['service'] },
      schema: { params: At, body: z.record(z.string().max(100), z.json()) },
      async handler(request, reply) {
        const params = request.params as z.infer<typeof At>
        const product = await needProduct(db, params)
        need(request.caller!, product, await needDomain(db, product.domain))
        await setEntryPart(db, product.id, part, request.body as Record<string, unknown>)
        await audit(db, {
          actor: request.caller!.subject.name,
          onBehalfOf: request.caller!.behind,
          action: `product.${part}`,
          object: `${product.domain}/${product.name}`,
          detail: { keys: Object.keys(request.body as object) },
        })
        return reply.status(204).send()
      },
    })
  }
}

function connectionView(
  credential: Awaited<ReturnType<Warehouse['issueCredential']>>,
  ports: Awaited<ReturnType<Warehouse['served']>>,
  http: (at: { port: string; major: number }) => string,
) {
  const { user, password, host, port, database, expiresAt, replaced } = credential
  const url = `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${database}`
  return {
    url,
    jdbc: `jdbc:postgresql://${host}:${port}/${database}?user=${encodeURIComponent(user)}&password=${encodeURIComponent(password)}`,
    psql: `psql '${url}'`,
    user,
    host,
    port,
    database,
    expiresAt,
    replaced,
    ports: ports.map((each) => ({
      port: each.port,
      schema: each.schema,
      objects: each.objects.map((object) => object.name),
      http: http(each),
    })),
  }
}
