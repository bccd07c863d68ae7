import { listAgreements } from './access/agreements.ts'
import { decide, ruleOfRun } from './access/approval-rules.ts'
import { listRequests } from './access/requests.ts'
import { needSubject } from './access/subjects.ts'
import { findProduct, type ProductRow } from './catalog/products.ts'
import { fail } from './core/fail.ts'
import type { LifecycleDeps } from './lifecycle/deps.ts'
import { decideRequest, submitRequest } from './lifecycle/request.ts'
import { decideRun, lockRun } from './run/control.ts'
import { listRuns, type RunListRow } from './run/read-runs.ts'
import { currentRelease } from './run/releases.ts'

const PRODUCTS = [
  {
    domain: 'fleet',
    name: 'planes',
    title: 'Planes',
    template: 'fleet-planes',
    purpose: 'One row per aircraft of the fleet registry.',
  },
  {
    domain: 'clinical-care',
    name: 'encounters',
    title: 'Encounters',
    template: 'clinical-encounters',
    purpose: 'Synthetic patients and their encounters, masked and filtered by facility.',
  },
] as const
const PATIENCE_MS = 180_000
const POLL_MS = 100

/**
 * Builds the sample mesh the way its users would: requests, approvals, pushes' runs, an agreement. Whatever stands is left as it is, so a start after a
 * crash goes on where the first one ended.
 */
export async function seedSample(deps: LifecycleDeps, say: (line: string) => void): Promise<void> {
  const [developer, owner, consumer] = await Promise.all(
    ['developer', 'owner', 'consumer'].map((name) => needSubject(deps.control.db, name)),
  )
  const products: ProductRow[] = []
  for (const { domain, name, title, template, purpose } of PRODUCTS) {
    const found = await findProduct(deps.control.db, { domain, product: name })
    if (!found) {
      const request = await submitRequest(
        deps,
        { kind: 'product', payload: { domain, name, title, purpose, template, owner: 'developer' } },
        developer!,
      )
      if (request.state === 'submitted') await decideRequest(deps, request.number, owner!, 'approved', 'sample')
    }
    products.push((await findProduct(deps.control.db, { domain, product: name }))!)
  }
  for (const product of products) {
    const began = performance.now()
    if (await currentRelease(deps.control.db, product.id, 'prod')) continue
    await waitFor(deps, product, async (runs) => {
      for (const run of runs.filter((run) => run.state === 'waiting')) await approveRun(deps, run)
      return (await currentRelease(deps.control.db, product.id, 'prod')) !== null
    })
    say(`ok  ${`${product.domain}/${product.name}`.padEnd(26)} served after ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }
  await seedAgreement(deps, products.at(-1)!, consumer!.name, owner!.name)
}

async function approveRun(deps: LifecycleDeps, waiting: RunListRow): Promise<void> {
  await deps.control.db.transaction().execute(async (queries) => {
    const run = await lockRun(queries, waiting.number)
    if (run.state !== 'waiting') return
    const decider = await needSubject(queries, 'owner')
    const { approval, met } = decide(
      ruleOfRun(run),
      run,
      decider,
      'approved',
      'sample',
      deps.clock.now(),
    )
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
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const runs = await listRuns(deps.control.db, { product: product.id, limit: 10 })
    if (await isThere(runs)) return
    const broken = runs.find((run) => run.state === 'failed')
    if (broken && !runs.some((run) => run.state === 'running' || run.state === 'queued')) {
      throw fail('SAMPLE_NOT_BUILT', {
        what: `${product.domain}/${product.name}: run ${broken.number} failed: ${broken.problem?.message ?? ''}`,
        fix: `heddle logs ${broken.number}`,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw fail('SAMPLE_NOT_BUILT', {
    what: `${product.domain}/${product.name} was not served after ${PATIENCE_MS / 1000} s`,
    fix: 'heddle runs',
  })
}
