import { createHmac, randomUUID } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDbtTransformation } from './adapters/dbt/transformation.ts'
import { createDirectoryArchive } from './adapters/directory/archive.ts'
import { createFileReader } from './adapters/files/read-source.ts'
import { createGitHttp } from './adapters/git/http.ts'
import { createGitRepository } from './adapters/git/repository.ts'
import { startPostgresServer } from './adapters/postgres/server.ts'
import { createPostgresWarehouse } from './adapters/postgres/warehouse.ts'
import { createSmtpNotification } from './adapters/smtp/notification.ts'
import { createWebhookNotification } from './adapters/webhook/notification.ts'
import { makeMissingSearchable } from './catalog/make-searchable.ts'
import { findProduct, needDomain, productById } from './catalog/products.ts'
import type { DataDirectory } from './cli/data-directory.ts'
import { allCommands } from './commands/all.ts'
import { systemClock } from './core/clock.ts'
import { fail } from './core/fail.ts'
import { createApp } from './http/app.ts'
import { authenticateBasic } from './http/authenticate.ts'
import type { HttpDeps } from './http/deps.ts'
import { isBoundElsewhere, mayOwn } from './http/permissions.ts'
import { expireAgreements } from './lifecycle/access.ts'
import { applyBudgets, applyMesh } from './lifecycle/apply-mesh.ts'
import type { LifecycleDeps } from './lifecycle/deps.ts'
import type { ObserveDeps } from './lifecycle/observe.ts'
import * as observing from './lifecycle/observe.ts'
import { watchPublications } from './lifecycle/publications.ts'
import { acceptPush, catchUpPushes, checkPush } from './lifecycle/push.ts'
import { settled } from './lifecycle/settled.ts'
import { takeUsage } from './lifecycle/usage.ts'
import type { Warehouse } from './platform/warehouse.ts'
import { createEngine, releaseLeases } from './run/engine.ts'
import type { Boundary } from './run/execute.ts'
import { closeNumberGaps, raiseEpoch } from './run/numbers.ts'
import { type Mesh, parseMesh } from './spec/mesh.ts'
import { createValidationWorker } from './spec/validate-in-worker.ts'
import { openControl } from './store/control.ts'
import { initialiseControl } from './store/initialise.ts'
import { migrate } from './store/migrate.ts'
import { openNotices } from './store/notices.ts'

type ServiceState = ReturnType<HttpDeps['health']>['services'][number]

export type PlatformOptions = {
  root: string
  version: string
  data: DataDirectory
  /** HTTP number; 0 = any free one */
  listen: number
  databaseListen: number | null
  sample: boolean
  isRoot: boolean
  failpoint(command: string, boundary: Boundary): void
  /** what the environment holds of a secret: names with `__` between their parts */
  secret(name: string): string | null
  /** what else goes on here, for whoever asks how it stands */
  alsoRunning(): ServiceState[]
  /** one line for each part that is up, with what it did */
  up(part: string, ms: number, detail: string): void
  log(line: string): void
}

export type Platform = {
  url: string
  listen: number
  postgres: { port: number; pid: number }
  /** processes of its own besides the database, when they all stand; rejects when one cannot */
  children: Promise<number[]>
  lifecycle: LifecycleDeps
  did: string[]
  stop(): Promise<void>
}

const CONCURRENT_RUNS = 4
const UID_BASE = 210_000

/** Builds the platform from its parts and starts it; what started is stopped again when a later part fails. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { data, log, up, version, root } = options
  const stops: (() => Promise<void>)[] = []
  const did: string[] = []
  const timed = async <T>(part: string, work: () => Promise<{ value: T; detail: string }>): Promise<T> => {
    const began = performance.now()
    const { value, detail } = await work()
    up(part, performance.now() - began, detail)
    return value
  }
  const secret = (name: string) => createHmac('sha256', data.secretsKey).update(name).digest('base64url')

  try {
    const transformation = createDbtTransformation({
      python: join(root, '.runtime/python/bin/python'),
      workDir: join(data.work, 'dbt'),
      uidBase: options.isRoot ? UID_BASE : null,
      log,
    })
    stops.push(() => transformation.stop())
    // Importing dbt takes seconds, so it starts first and is waited for last.
    const warming = transformation.warm()
    warming.catch(() => {})

    const server = await timed('database', async () => {
      const value = await startPostgresServer({
        dataDir: data.path,
        log,
        ...(options.databaseListen !== null && { listen: options.databaseListen }),
      })
      return { value, detail: [`127.0.0.1:${value.port}`, ...value.did].join(', ') }
    })
    stops.push(() => server.stop())

    const mesh = await loadMesh(options)
    const connection = await initialiseControl({
      host: server.host,
      port: server.port,
      superuser: server.superuser,
      controlPassword: secret('control'),
    })
    const migrated = await migrate(connection)
    const control = openControl(connection, { log })
    stops.push(() => control.close())
    const notices = await openNotices(connection, log)
    stops.push(() => notices.close())
    await closeNumberGaps(control)
    await applyMesh(control, mesh)
    const indexed = await makeMissingSearchable(control.db)
    if (indexed > 0) did.push(`made the search of ${indexed} ${indexed === 1 ? 'entry' : 'entries'} anew`)

    const warehouses = new Map<string, Warehouse>()
    await timed('warehouses', async () => {
      for (const environment of Object.keys(mesh.environments)) {
        const warehouse = createPostgresWarehouse({
          environment,
          host: server.host,
          port: server.port,
          database: environment,
          superuser: server.superuser,
          provisioner: { password: secret('provisioner') },
          clock: systemClock,
          log,
        })
        stops.push(() => warehouse.close())
        did.push(...(await warehouse.initialise()).did, ...(await applyBudgets(mesh, warehouse)))
        const behind = await raiseEpoch(control.db, await warehouse.highestEpoch())
        if (behind > 0) did.push(`the control database was ${behind} epochs behind ${environment}: it counts on from there`)
        warehouses.set(environment, warehouse)
      }
      return { value: null, detail: [...warehouses.keys()].join(', ') }
    })

    const hooksDir = join(data.path, 'hooks')
    const repository = createGitRepository({ root: data.repos, hooksDir, log })
    const archive = createDirectoryArchive({ root: data.archive })
    const validation = createValidationWorker()
    stops.push(() => validation.close())
    const validationReady = validation.warm()
    let url = ''
    const lifecycle: LifecycleDeps = {
      control,
      clock: systemClock,
      repository,
      archive,
      warehouse(environment) {
        const found = warehouses.get(environment)
        if (!found)
          throw fail('ENVIRONMENT_UNKNOWN', {
            what: `There is no environment "${environment}"`,
            fix: `Environments: ${[...warehouses.keys()].join(', ')}.`,
          })
        return found
      },
      validate: validation.validateInWorker,
      mesh: () => mesh,
      url: () => url,
      log,
    }

    const commands = allCommands({
      control,
      clock: systemClock,
      warehouse: lifecycle.warehouse,
      environments: () => Object.keys(mesh.environments),
      repository,
      archive,
      transformation,
      reader: (domain) =>
        createFileReader({
          sources: () => Object.entries(mesh.sources).map(([name, source]) => ({ name, ...source })),
          domainOf: () => domain,
        }),
      templateFiles: (name) => readTemplate(mesh.templates[name]?.path, name),
      workDir: join(data.work, 'products'),
    })
    const engine = createEngine({
      control,
      notices,
      commands,
      failpoint: options.failpoint,
      settled: (queries, run, state) => settled(lifecycle, queries, run, state),
      log,
      worker: `${data.path}:${process.pid}:${randomUUID().slice(0, 8)}`,
      dataDirectory: data.path,
      concurrency: CONCURRENT_RUNS,
    })

    let dbt: Omit<ServiceState, 'name'> = { state: 'starting', detail: 'being loaded; builds wait for it' }
    const httpDeps: HttpDeps = {
      lifecycle,
      clock: systemClock,
      notices,
      version,
      cliToken: data.cliToken,
      cursorKey: Buffer.from(secret('cursor'), 'base64url'),
      localSubject: 'developer',
      health: () => ({
        state: 'ready',
        services: [
          { name: 'database', state: 'up', detail: `127.0.0.1:${server.port}` },
          { name: 'dbt', ...dbt },
          ...options.alsoRunning(),
        ],
      }),
      git: { handle: (req, res, path) => git.handle(req, res, path) },
      portalDir: (await exists(join(root, 'dist/web/index.html'))) ? join(root, 'dist/web') : null,
      log,
    }
    const git = createGitHttp({
      repositoryRoot: data.repos,
      hooksDir,
      maxConcurrent: 8,
      log,
      async authorize({ authorization, domain, product, service }) {
        const caller = await authenticateBasic(httpDeps, authorization)
        if (!caller) return { ok: false, status: 401, message: 'A git token is needed: heddle clone gives one' }
        const row = await findProduct(control.db, { domain, product })
        if (!row || isBoundElsewhere(caller, row) || caller.via === 'service')
          return { ok: false, status: 404, message: `There is no ${domain}/${product} here` }
        if (service === 'git-receive-pack' && !mayOwn(caller, row, await needDomain(control.db, row.domain))) {
          return {
            ok: false,
            status: 403,
            message: `${caller.subject.name} may not push to ${domain}/${product}; its owners may`,
          }
        }
        return { ok: true, productId: row.id, subject: caller.subject.name }
      },
      onPreReceive: async (push) =>
        checkPush(lifecycle, await productById(control.db, push.product), {
          ...push,
          quarantine: push.quarantine.objectDirectory,
        }),
      onPostReceive: async (push) => acceptPush(lifecycle, await productById(control.db, push.product), push),
    })
    const app = await createApp(httpDeps)
    stops.push(() => app.close())
    stops.push(() => git.close())
    await timed('control plane', async () => {
      await app.listen({ host: '127.0.0.1', port: options.listen })
      const listen = (app.server.address() as { port: number }).port
      url = `http://127.0.0.1:${listen}`
      return { value: null, detail: [url, ...(migrated.length ? [`schema ${migrated.at(-1)}`] : [])].join(', ') }
    })

    // What was interrupted goes on at once; only a transform waits until dbt is warm.
    const resumed = await releaseLeases({ control, dataDirectory: data.path })
    if (resumed > 0) did.push(`resumed ${resumed} interrupted ${resumed === 1 ? 'run' : 'runs'}`)
    did.push(...(await catchUpPushes(lifecycle)))
    engine.start()
    stops.push(() => engine.stop())
    const children = timed('dbt', async () => {
      const [value] = await Promise.all([warming, validationReady])
      dbt = { state: 'up', detail: `warm, isolation: ${value.isolation}` }
      return { value: value.pids, detail: dbt.detail }
    })
    children.catch((error: Error) => {
      dbt = { state: 'down', detail: error.message }
      log(`dbt: ${error.message}`)
    })
    // A new data directory proves all of this machine before it is ready; later ones do not wait for what the first build waits for anyhow.
    if (migrated.length > 0) await children
    for (const warehouse of warehouses.values()) stops.push(await watchPublications(lifecycle, warehouse))
    stops.push(startLoops(lifecycle, [...warehouses.values()], log))
    stops.push(startUsage(lifecycle, [...warehouses.values()], log))
    stops.push(await startObserving({ ...lifecycle, ...createNotifications(mesh, options) }))
    return {
      url,
      listen: Number(new URL(url).port),
      postgres: { port: server.port, pid: server.pid },
      children,
      lifecycle,
      did,
      stop: () => stopAll(stops, log),
    }
  } catch (error) {
    await stopAll(stops, log)
    throw error
  }
}

async function stopAll(stops: (() => Promise<void>)[], log: (line: string) => void): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop().catch((error: Error) => log(`stopping: ${error.message}`))
}

/** Work that comes with time: each loop waits for its own end before it starts again. */
function startLoops(
  lifecycle: LifecycleDeps,
  warehouses: readonly Warehouse[],
  log: (line: string) => void,
): () => Promise<void> {
  const loops = openLoops(log)
  loops.every('expiry', 1_000, () => expireAgreements(lifecycle))
  for (const warehouse of warehouses) {
    loops.every(`budgets of ${warehouse.environment}`, 1_000, async () => {
      for (const ended of await warehouse.enforceBudgets())
        log(`budget of ${ended.domain}: ended a statement of ${ended.login} after ${Math.round(ended.ms / 1000)} s`)
    })
  }
  return () => loops.stop()
}

const USAGE_MS = 30_000

/** The last look is at the stop: whatever ends the database afterwards, what was read until now is kept. */
function startUsage(
  lifecycle: LifecycleDeps,
  warehouses: readonly Warehouse[],
  log: (line: string) => void,
): () => Promise<void> {
  const loops = openLoops(log)
  for (const warehouse of warehouses)
    loops.every(`usage of ${warehouse.environment}`, USAGE_MS, () => takeUsage(lifecycle, warehouse))
  return async () => {
    await loops.stop()
    for (const warehouse of warehouses) await takeUsage(lifecycle, warehouse)
  }
}

/** Each loop waits for its own end before it starts again; `stop` lets them end. */
function openLoops(log: (line: string) => void) {
  const stopped = new AbortController()
  const running: Promise<void>[] = []
  const repeat = async (name: string, ms: number, work: (signal: AbortSignal) => Promise<unknown>) => {
    while (!stopped.signal.aborted) {
      await work(stopped.signal).catch((error: Error) => log(`${name}: ${error.message}`))
      await sleep(ms, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }
  return {
    every: (name: string, ms: number, work: (signal: AbortSignal) => Promise<unknown>) =>
      void running.push(repeat(name, ms, work)),
    async stop() {
      stopped.abort()
      await Promise.all(running)
    },
  }
}

function createNotifications({ notices }: Mesh, { secret }: PlatformOptions): Pick<ObserveDeps, 'email' | 'webhook' | 'secret'> {
  const { smtp } = notices
  return {
    email:
      smtp === undefined
        ? null
        : createSmtpNotification({
            ...smtp,
            user: smtp.user === undefined ? null : { name: smtp.user, password: secret('platform__smtp-password') ?? '' },
          }),
    webhook: createWebhookNotification({ allow: notices.webhooks.allow, clock: systemClock }),
    secret: async ({ domain, product, name }) => secret(`${domain}__${product}__${name}`),
  }
}

const MEASURE_MS = 5_000
const EVALUATE_MS = 2_000
const DELIVER_MS = 1_000
const WATCH_MS = 60_000
const MAX_SILENCE_MS = 10 * 60_000

/** The watch has a timer of its own: it must not depend on the loops it watches. */
async function startObserving(deps: ObserveDeps): Promise<() => Promise<void>> {
  await observing.recordStart(deps)
  const watchingSince = deps.clock.now()
  const loops = openLoops(deps.log)
  loops.every('measure', MEASURE_MS, (signal) => observing.measure(deps, { signal }))
  loops.every('evaluate', EVALUATE_MS, () => observing.evaluate(deps))
  loops.every('messages', DELIVER_MS, (signal) => observing.deliver(deps, signal))
  const watch = setInterval(() => {
    observing
      .watchEvaluator(deps, { maxSilenceMs: MAX_SILENCE_MS, watchingSince })
      .catch((error: Error) => deps.log(`watch: ${error.message}`))
  }, WATCH_MS)
  return async () => {
    clearInterval(watch)
    await loops.stop()
    await observing.recordStop(deps)
  }
}

async function loadMesh({ root, data, sample }: PlatformOptions) {
  const file = join(data.path, 'mesh.yml')
  if (!(await exists(file)))
    await copyFile(sample ? join(root, 'examples/flights-mesh/mesh.yml') : join(import.meta.dirname, 'empty-mesh.yml'), file)
  const mesh = parseMesh(await readFile(file, 'utf8'), file)
  const places: Record<string, string> = { runtime: join(root, '.runtime'), data: data.path, examples: join(root, 'examples') }
  const expand = (path: string) =>
    resolve(
      data.path,
      path.replace(/^\{(\w+)\}/, (whole, name: string) => places[name] ?? whole),
    )
  for (const named of [...Object.values(mesh.sources), ...Object.values(mesh.templates)]) named.path = expand(named.path)
  for (const source of Object.values(mesh.sources))
    if (source.path.startsWith(data.path)) await mkdir(source.path, { recursive: true })
  return mesh
}

async function readTemplate(folder: string | undefined, name: string): Promise<Record<string, string>> {
  if (!folder) throw fail('TEMPLATE_UNKNOWN', { what: `There is no template "${name}"` })
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const paths = files.map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')])))
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
