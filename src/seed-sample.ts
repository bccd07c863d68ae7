import { listAgreements } from './access/agreements.ts'
import { decide, ruleOfRun } from './access/approval-rules.ts'
import { listRequests } from './access/requests.ts'
import { needSubject } from './access/subjects.ts'
import { findProduct, type ProductRow } from './catalog/products.ts'
import { serviceSubject } from './core/address.ts'
import { asHeddleError, fail } from './core/fail.ts'
import { startDeploy } from './lifecycle/deploy.ts'
import type { LifecycleDeps } from './lifecycle/deps.ts'
import { decideRequest, submitRequest } from './lifecycle/request.ts'
import { decideRun, lockRun } from './run/control.ts'
import { listRuns, type RunListRow } from './run/read-runs.ts'
import { currentRelease } from './run/releases.ts'

type SampleProduct = {
  domain: string
  name: string
  title: string
  template: string
  purpose: string
  /** products it reads: they are served first */
  after: string[]
}

/** The longest first; what reads others is asked for when they are served. */
const PRODUCTS: readonly SampleProduct[] = [
  {
    domain: 'operations',
    name: 'flights',
    title: 'Flights',
    template: 'operations-flights',
    purpose: 'Every flight that left New York in 2013.',
    after: [],
  },
  {
    domain: 'weather',
    name: 'hourly',
    title: 'Hourly weather',
    template: 'weather-hourly',
    purpose: 'Weather at the three New York airports.',
    after: [],
  },
  {
    domain: 'fleet',
    name: 'planes',
    title: 'Planes',
    template: 'fleet-planes',
    purpose: 'One row per aircraft of the fleet registry.',
    after: [],
  },
  {
    domain: 'network',
    name: 'airports',
    title: 'Airports and airlines',
    template: 'network-airports',
    purpose: 'Who flies where; the names behind the codes.',
    after: [],
  },
  {
    domain: 'clinical-care',
    name: 'encounters',
    title: 'Encounters',
    template: 'clinical-encounters',
    purpose: 'Synthetic patients and their encounters, masked and filtered by facility.',
    after: [],
  },
  {
    domain: 'punctuality',
    name: 'delays',
    title: 'Delays',
    template: 'punctuality-delays',
    purpose: 'How late flights were, with the weather beside it.',
    after: ['operations/flights', 'weather/hourly', 'fleet/planes', 'network/airports'],
  },
]
const PATIENCE_MS = 180_000
const POLL_MS = 100
/** Nothing runs for a product that waits to be served: so long is the gap between two of its runs at most. */
const IDLE_MS = 3_000

/**
 * Builds the sample mesh the way its users would: requests, approvals, pushes' runs, agreements. Products that wait for none of the others are built side
 * by side. Whatever stands is left as it is, so a start after a crash goes on where the first one ended.
 */
export async function seedSample(deps: LifecycleDeps, say: (line: string) => void): Promise<void> {
  const began = performance.now()
  const served = new Map<string, Promise<ProductRow>>()
  for (const sample of PRODUCTS) {
    const address = `${sample.domain}/${sample.name}`
    const done = Promise.all(sample.after.map((other) => served.get(other)!)).then(async () => {
      const { product, isNew } = await seedProduct(deps, sample)
      if (isNew) say(`ok  ${address.padEnd(26)} served after ${((performance.now() - began) / 1000).toFixed(1)} s`)
      return product
    })
    // One that fails is told once, by the wait below.
    done.catch(() => {})
    served.set(address, done)
  }
  const encounters = served.get('clinical-care/encounters')!.then((product) => seedAgreement(deps, product, 'consumer', 'owner'))
  await Promise.all([...served.values(), encounters])
}

async function seedProduct(deps: LifecycleDeps, sample: SampleProduct): Promise<{ product: ProductRow; isNew: boolean }> {
  const { domain, name, title, template, purpose } = sample
  const { db } = deps.control
  if (!(await findProduct(db, { domain, product: name }))) {
    const payload = { domain, name, title, purpose, template, owner: 'developer' }
    const request = await submitRequest(deps, { kind: 'product', payload }, await needSubject(db, 'developer'))
    if (request.state === 'submitted')
      await decideRequest(deps, request.number, await needSubject(db, 'owner'), 'approved', 'sample')
  }
  const product = (await findProduct(db, { domain, product: name }))!
  if (await currentRelease(db, product.id, 'prod')) return { product, isNew: false }
  await waitFor(deps, product, async (runs) => {
    for (const run of runs.filter((run) => run.state === 'waiting')) {
      if (sample.after.length > 0) await approveInputs(deps, product)
      if (run.approvers.length > 0) await approveRun(deps, run)
    }
    return (await currentRelease(db, product.id, 'prod')) !== null
  })
  return { product, isNew: true }
}

/** The owner of what a product reads agrees to its requests. */
async function approveInputs(deps: LifecycleDeps, product: ProductRow): Promise<void> {
  const { db } = deps.control
  const subject = serviceSubject({ domain: product.domain, product: product.name })
  const open = await listRequests(db, { open: true, limit: 100 })
  for (const request of open.filter((each) => each.state === 'submitted' && each.payload.subject === subject))
    await decideRequest(deps, request.number, await needSubject(db, 'owner'), 'approved', 'sample')
}

async function approveRun(deps: LifecycleDeps, waiting: RunListRow): Promise<void> {
  await deps.control.db.transaction().execute(async (queries) => {
    const run = await lockRun(queries, waiting.number)
    if (run.state !== 'waiting' || run.detail.approved === true) return
    const decider = await needSubject(queries, 'owner')
    const { approval, met } = decide(ruleOfRun(run), run, decider, 'approved', 'sample', deps.clock.now())
    await decideRun(queries, run, approval, met)
  })
}

async function seedAgreement(deps: LifecycleDeps, product: ProductRow, consumer: string, owner: string): Promise<void> {
  const { db } = deps.control
  const address = `${product.domain}/${product.name}`
  const known = await listAgreements(db, { product: product.id, subject: consumer })
  const asked = (await listRequests(db, { by: consumer, limit: 50 })).find((request) => request.payload.product === address)
  if (known.length === 0 && !asked) {
    const release = (await currentRelease(db, product.id, 'prod'))!
    const port = release.spec.outputs.find((output) => output.kind === 'sql')!
    const offer = release.spec.offers[0]!
    const payload = { product: address, port: port.port, purpose: offer.purposes[0]!, justification: 'Sample' }
    await submitRequest(deps, { kind: 'access', payload }, await needSubject(db, consumer))
  }
  const request = (await listRequests(db, { by: consumer, limit: 50 })).find((each) => each.payload.product === address)
  if (request?.state === 'submitted')
    await decideRequest(deps, request.number, await needSubject(db, owner), 'approved', 'sample')
  await waitFor(deps, product, async () =>
    (await listAgreements(db, { product: product.id, subject: consumer })).some((agreement) => agreement.state !== 'applying'),
  )
}

async function waitFor(
  deps: LifecycleDeps,
  product: ProductRow,
  isThere: (runs: RunListRow[]) => Promise<boolean>,
): Promise<void> {
  const address = `${product.domain}/${product.name}`
  let movedAt = Date.now()
  let isRevived = false
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const runs = await listRuns(deps.control.db, { product: product.id, limit: 10 })
    if (await isThere(runs)) return
    const isMoving = runs.some(({ state }) => state === 'running' || state === 'queued' || state === 'waiting')
    const broken = runs.find((run) => run.state === 'failed')
    if (isMoving) movedAt = Date.now()
    else if (broken) {
      throw fail('SAMPLE_NOT_BUILT', {
        what: `${address}: run ${broken.number} failed: ${broken.problem?.message ?? ''}`,
        fix: `heddle logs ${broken.number}`,
      })
    } else if (Date.now() - movedAt > IDLE_MS) {
      if (isRevived)
        throw fail('SAMPLE_NOT_BUILT', {
          what: `${address} is not served, and nothing runs for it`,
          fix: `heddle runs ${address}`,
        })
      await revive(deps, product, address)
      isRevived = true
      movedAt = Date.now()
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw fail('SAMPLE_NOT_BUILT', {
    what: `${address} was not served after ${PATIENCE_MS / 1000} s`,
    fix: `heddle runs ${address}`,
  })
}

/** Its first deploy was refused, or a crash fell before it: it is asked for again, and what stands in its way is said at once. */
async function revive(deps: LifecycleDeps, product: ProductRow, address: string): Promise<void> {
  const commit = (await deps.repository.exists(product.id)) ? await deps.repository.head(product.id, 'main') : null
  if (commit === null) return
  try {
    await deps.control.db
      .transaction()
      .execute((queries) =>
        startDeploy(deps, queries, { product, commit, by: 'developer', because: 'the sample is not complete' }),
      )
  } catch (thrown) {
    const { code, message, fix } = asHeddleError(thrown)
    throw fail('SAMPLE_NOT_BUILT', { what: `${address} cannot be deployed: ${code}: ${message}`, ...(fix && { fix }) })
  }
}
