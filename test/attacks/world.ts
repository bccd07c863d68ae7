import { Readable } from 'node:stream'
import pg from 'pg'
import { createPostgresWarehouse } from '../../src/adapters/postgres/warehouse.ts'
import { systemClock } from '../../src/core/clock.ts'
import { newId } from '../../src/core/id.ts'
import { type ProductNames, productNames } from '../../src/core/names.ts'
import type { EffectContext } from '../../src/platform/resource.ts'
import type { Place, PlannedColumn, PlannedObject, PortPlace, Revision, Warehouse } from '../../src/platform/warehouse.ts'
import type { Mask, RowFilter } from '../../src/policy/types.ts'
import type { LogicalType } from '../../src/spec/types.ts'
import { startTestPostgres } from '../postgres-server.ts'

/** A real server with one environment on it; `dispose` fails when a session of ours was left open. */
export type World = {
  warehouse: Warehouse
  /** a second handle on the same environment: another worker; or another environment on the same server */
  another(environment?: string): Warehouse
  /** a superuser's client, like psql */
  superuser(database?: string): Promise<pg.Client>
  login(credential: { user: string; password: string }, database?: string): Promise<pg.Client>
  dispose(): Promise<void>
}

export async function openWorld(environment = 'prod'): Promise<World> {
  const server = await startTestPostgres()
  const opened: pg.Client[] = []
  const handles: Warehouse[] = []
  const another = (other = environment) => {
    const handle = createPostgresWarehouse({
      environment: other,
      host: server.host,
      port: server.port,
      superuser: server.superuser,
      provisioner: { password: 'provisioner-of-tests' },
      clock: systemClock,
      log: () => undefined,
    })
    handles.push(handle)
    return handle
  }
  const login = async ({ user, password }: { user: string; password: string }, database = environment) => {
    const client = new pg.Client({ host: server.host, port: server.port, database, user, password })
    client.on('error', () => undefined)
    await client.connect()
    opened.push(client)
    return client
  }
  const warehouse = another()
  await warehouse.initialise()
  return {
    warehouse,
    another,
    login,
    superuser: (database) => login(server.superuser, database),
    async dispose() {
      await Promise.all(opened.map((client) => client.end().catch(() => undefined)))
      await Promise.all(handles.map((handle) => handle.close()))
      await server.dispose()
    },
  }
}

/** One product with one port `data` v1 and one object, by default `flights`. */
export type Product = {
  place: Place
  at: PortPlace
  names: ProductNames
  /** an effect of the current run; a step's name may be used once per run */
  context(step?: string): EffectContext
  /** the next run: new id, next epoch, lease taken */
  nextRun(): Promise<void>
}

let made = 0

export async function makeProduct(
  { warehouse }: World,
  { domain = 'air', product = `p${++made}`, environment = 'prod' } = {},
): Promise<Product> {
  const place: Place = { id: newId(), domain, product }
  const at: PortPlace = { place, port: 'data', major: 1 }
  let run = newId()
  let epoch = 0
  let steps = 0
  const context = (step = `step-${++steps}`): EffectContext => ({
    fence: { product: place.id, lane: 'control', epoch, run, step },
    signal: new AbortController().signal,
    log: () => undefined,
  })
  const nextRun = async () => {
    run = newId()
    epoch++
    await warehouse.takeLease({ place, fence: context('lease').fence })
  }
  await nextRun()
  await warehouse.budget.reconcile({
    id: { domain },
    desired: { connections: 12, statementMs: 60_000, tempFileBytes: 2 ** 28 },
    context: context(),
  })
  await warehouse.roles.reconcile({ id: place, desired: { owners: [] }, context: context() })
  await warehouse.schemas.reconcile({ id: place, desired: {}, context: context() })
  await warehouse.port.reconcile({ id: at, desired: {}, context: context() })
  return { place, at, names: productNames(environment, domain, product), context, nextRun }
}

export function column(name: string, logicalType: LogicalType = 'string', more: Partial<PlannedColumn> = {}): PlannedColumn {
  return { name, logicalType, physicalType: null, required: false, unique: false, primaryKey: false, ...more }
}

export const FLIGHTS: PlannedObject = {
  name: 'flights',
  from: 'flights',
  columns: [column('id', 'integer'), column('origin'), column('tail')],
  quality: [],
}
/** What a clean dbt run leaves: a table, and a view it was made through. `rows` rows, origins A, B and C in turn. */
export function cleanBuild(schema: string, rows = 9): string[] {
  return [
    `CREATE VIEW ${schema}.staged AS SELECT g AS id, chr(65 + g % 3) AS origin, 'N' || g AS tail FROM generate_series(1, ${rows}) g`,
    `CREATE TABLE ${schema}.flights AS SELECT * FROM ${schema}.staged`,
  ]
}

/** Plays dbt: runs statements as the service login, one after the other, then leaves. */
export async function buildAs(world: World, product: Product, statements: string[]): Promise<void> {
  const { place } = product
  const pass = await world.warehouse.openService({ place, validMs: 600_000, context: product.context() })
  const client = await world.login(pass)
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
    await world.warehouse.closeService({ place, context: product.context() })
  }
}

export type Deploy = {
  rows?: number
  extra?: string[]
  objects?: PlannedObject[]
  masks?: Mask[]
  rowFilters?: RowFilter[]
  columns?: string[]
}

/** A whole run up to the built, not yet published served schema. */
export async function deployUnpublished(world: World, product: Product, n: number, plan: Deploy = {}): Promise<Revision> {
  const { warehouse } = world
  const { place, names } = product
  const objects = plan.objects ?? [FLIGHTS]
  await product.nextRun()
  await buildAs(world, product, [...cleanBuild(names.build, plan.rows), ...(plan.extra ?? [])])
  const { findings, revision } = await warehouse.seal({ place, n, objects, context: product.context() })
  if (!revision) throw new Error(`not sealed: ${findings.map(({ code, what }) => `${code} ${what}`).join('; ')}`)
  await serve(world, product, revision, plan)
  return revision
}

export async function serve({ warehouse }: World, product: Product, revision: Revision, plan: Deploy = {}): Promise<string> {
  const objects = (plan.objects ?? [FLIGHTS]).map(({ name, columns }) => ({
    name,
    columns: plan.columns ?? columns.map((one) => one.name),
    masks: plan.masks ?? [],
    rowFilters: plan.rowFilters ?? [],
  }))
  return (await warehouse.buildServed({ at: product.at, revision, objects, context: product.context() })).schema
}

export async function publish({ warehouse }: World, product: Product, revision: Revision): Promise<void> {
  await warehouse.publish({
    place: product.place,
    revision,
    ports: [{ port: 'data', major: 1 }],
    release: 'r1',
    context: product.context(),
  })
}

export async function deploy(world: World, product: Product, n: number, plan: Deploy = {}): Promise<Revision> {
  const revision = await deployUnpublished(world, product, n, plan)
  await publish(world, product, revision)
  return revision
}

/** A consumer of the product's port, logged in. */
export async function consume(
  world: World,
  product: Product,
  subject: string,
  attributes: Record<string, string[]> = {},
): Promise<pg.Client> {
  const { warehouse } = world
  await warehouse.subject({ subject, domain: null, attributes, context: null })
  await warehouse.grant({ subject, at: product.at, context: product.context() })
  return world.login(await warehouse.issueCredential({ subject, validMs: 600_000 }))
}

/** @returns the SQLSTATE a statement fails with, or 'none' */
export async function stateOf(client: pg.Client, statement: string): Promise<string> {
  try {
    await client.query(statement)
    return 'none'
  } catch (error) {
    return error instanceof pg.DatabaseError ? (error.code ?? 'unknown') : 'lost'
  }
}

export function csv(text: string): { stream: Readable; delimiter: string; null: string } {
  return { stream: Readable.from([text]), delimiter: ',', null: 'NA' }
}
