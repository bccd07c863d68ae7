import type { Clock } from '../../core/clock.ts'
import type { Warehouse } from '../../platform/warehouse.ts'
import { grant, grantOwner, issueCredential, revoke, setSubject } from './access.ts'
import { changeBudgets, createBudget, enforceBudgets } from './budgets.ts'
import { buildServed } from './build-served.ts'
import { checkQuality } from './check-quality.ts'
import { collect } from './collect.ts'
import { exportRevision, measureRevision } from './export-revision.ts'
import { initialise } from './init.ts'
import { confirm, highestEpoch, takeLease } from './lease.ts'
import { loadBatch } from './load-batch.ts'
import { loadRevision } from './load-revision.ts'
import { measure } from './measure.ts'
import { drainOutbox } from './outbox.ts'
import { pinSources } from './pin-sources.ts'
import { createPorts } from './ports.ts'
import { grantProduct, proveProduct, revokeProduct, setServiceAttributes } from './product-access.ts'
import { prove } from './prove.ts'
import { publish } from './publish.ts'
import { describePort, readCsv, readPage, type ShapeCache } from './read-port.ts'
import { createReaderPools } from './reader-pools.ts'
import { removeProduct } from './remove-product.ts'
import { createRoles } from './roles.ts'
import { createSchemas } from './schemas.ts'
import { seal } from './seal.ts'
import { readSealed, readServed } from './served.ts'
import { closeService, openService } from './service-pass.ts'
import { openPool, type Site } from './session.ts'
import { readStanding } from './standing.ts'
import { readUsage } from './usage.ts'
import { watchOutbox } from './watch-outbox.ts'

export type PostgresWarehouseDeps = {
  environment: string
  host: string
  port: number
  /** default: the environment's name */
  database?: string
  /** used by initialise() and by nothing else */
  superuser: { user: string; password: string }
  /** one password per server: environments on one server share the provisioner */
  provisioner: { password: string }
  clock: Clock
  log(line: string): void
}

/** One environment in a PostgreSQL ≥ 16 database. Nothing connects before the first verb. */
export function createPostgresWarehouse(deps: PostgresWarehouseDeps): Warehouse {
  const { environment, host, port, clock, log } = deps
  const database = deps.database ?? environment
  const target = { environment, host, port, database, clock, log }
  const site: Site = { ...target, pool: openPool(target, deps.provisioner.password) }
  const readers = createReaderPools(site)
  const shapes: ShapeCache = new Map()
  return {
    environment,
    flags: { transactionalDdl: true, rowPolicies: true, columnMasks: true, zeroCopyClone: 'views' },
    initialise: () => initialise({ ...deps, database }),
    async close() {
      await readers.close()
      await site.pool.end()
    },

    budget: createBudget(site),
    roles: createRoles(site),
    schemas: createSchemas(site),
    port: createPorts(site),

    takeLease: ({ place, fence }) => takeLease(site, place, fence),
    highestEpoch: () => highestEpoch(site),
    confirm: ({ fence }) => confirm(site, fence),

    openService: ({ place, validMs, context }) => openService(site, place, validMs, context),
    closeService: ({ place, context }) => closeService(site, place, context),
    loadBatch: (request) => loadBatch(site, request),
    pinSources: ({ place, sources, context }) => pinSources(site, place, sources, context),

    seal: (request) => seal(site, request),
    checkQuality: (request) => checkQuality(site, request),
    buildServed: (request) => buildServed(site, request),
    publish: (request) => publish(site, request),
    collect: ({ place, keep, context }) => collect(site, place, keep, context),
    exportRevision: (request) => exportRevision(site, request),
    loadRevision: (request) => loadRevision(site, request),
    measureRevision: (request) => measureRevision(site, request),
    standing: (place) => readStanding(site, place),
    removeProduct: ({ place, context }) => removeProduct(site, place, context),
    sealed: (place) => readSealed(site, place),
    served: (place) => readServed(site, place),
    measure: (request) => measure(site, request),

    subject: (request) => setSubject(site, request),
    issueCredential: ({ subject, validMs }) => issueCredential(site, subject, validMs),
    grant: ({ subject, at, context }) => grant(site, subject, at, context),
    grantOwner: ({ subject, place, context }) => grantOwner(site, subject, place, context),
    revoke: ({ subject, at, context }) => revoke(site, subject, at, context),
    prove: (request) => prove(site, request),
    grantProduct: (request) => grantProduct(site, request),
    revokeProduct: (request) => revokeProduct(site, request),
    proveProduct: (request) => proveProduct(site, request),
    setServiceAttributes: ({ place, attributes }) => setServiceAttributes(site, place, attributes),
    changeBudgets: (budgets) => changeBudgets(site, budgets),
    readUsage: (request) => readUsage(site, request),
    describePort: (at) => describePort(site, shapes, at),
    readPage: (request) => readPage(site, readers, request),
    readCsv: (request) => readCsv(site, readers, request),
    enforceBudgets: () => enforceBudgets(site),
    drainOutbox: (handle) => drainOutbox(site, handle),
    watchOutbox: (hint) => watchOutbox({ ...target, password: deps.provisioner.password }, hint),
  }
}
