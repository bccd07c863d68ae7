import { agreementOfRequest, setAgreementState } from '../access/agreements.ts'
import { moveRequest, requestOfRun } from '../access/requests.ts'
import { markHandled } from '../catalog/handled-pushes.ts'
import { productById } from '../catalog/products.ts'
import { asHeddleError } from '../core/fail.ts'
import type { RunFacts } from '../run/command.ts'
import { releaseHeld } from '../run/held-runs.ts'
import { currentRelease } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'
import { promoteNext, startDeploy } from './deploy.ts'
import type { LifecycleDeps } from './deps.ts'
import { askForInputs, readInputs } from './inputs.ts'

/** What follows from the end of a run, in the transaction that ends it: requests move on, the scaffold gets its first deploy, a commit goes to the next environment. */
export async function settled(
  deps: LifecycleDeps,
  queries: Queries,
  run: RunFacts,
  state: 'succeeded' | 'failed' | 'cancelled',
): Promise<void> {
  const request = await requestOfRun(queries, run.id)
  if (request && run.kind === 'undo') {
    await moveRequest(queries, request, state === 'succeeded' ? 'withdrawn' : 'failed')
  } else if (request) {
    // A run that was retried by its own number may fail again while its request is failed still.
    const to = state === 'succeeded' ? 'done' : 'failed'
    if (request.state !== to) await moveRequest(queries, request, to)
    const agreement = state === 'succeeded' ? null : await agreementOfRequest(queries, request.id)
    if (agreement) await setAgreementState(queries, agreement.id, 'failed')
  }
  if (state !== 'succeeded') return
  if (request && run.kind === 'grant') await releaseHeld(queries, request.number)
  if (run.kind === 'bootstrap') await firstDeploy(deps, queries, run)
  if (run.kind === 'restore') await askAgain(deps, queries, run)
  if (run.kind === 'deploy') await nextEnvironment(deps, queries, run)
}

async function firstDeploy(deps: LifecycleDeps, queries: Queries, run: RunFacts): Promise<void> {
  const product = await productById(queries, run.product.id)
  const commit = await deps.repository.head(product.id, 'main')
  if (commit === null) return
  await quietly(deps, run, () =>
    startDeploy(deps, queries, { product, commit, by: run.by, because: 'first deploy of the scaffold' }),
  )
  await markHandled(queries, product.id, commit)
}

/** What it read of other products ended with it: it asks for that again, like anybody. */
async function askAgain(deps: LifecycleDeps, queries: Queries, run: RunFacts): Promise<void> {
  const product = await productById(queries, run.product.id)
  for (const environment of Object.keys((run.detail.revisions as Record<string, number> | undefined) ?? {})) {
    const release = await currentRelease(queries, product.id, environment)
    if (!release) continue
    await quietly(deps, run, async () => {
      const upstreams = await readInputs(queries, product, environment, release.spec)
      await askForInputs(deps, queries, { product, environment, upstreams, by: run.by })
    })
  }
}

async function nextEnvironment(deps: LifecycleDeps, queries: Queries, run: RunFacts): Promise<void> {
  const product = await productById(queries, run.product.id)
  const environments = (run.detail.environments as string[] | undefined) ?? []
  await quietly(deps, run, () =>
    promoteNext(deps, queries, {
      product,
      environment: run.environment,
      environments,
      commit: run.commit!,
      by: run.by,
      number: run.number,
      run: run.id,
    }),
  )
}

/** A follow-up that cannot be planned must not undo the run it follows; the log says why. Planning errors come before any write. */
async function quietly(deps: LifecycleDeps, run: RunFacts, follow: () => Promise<unknown>): Promise<void> {
  try {
    await follow()
  } catch (thrown) {
    const error = asHeddleError(thrown)
    if (error.code === 'INTERNAL_UNEXPECTED') throw thrown
    deps.log(`after run ${run.number}: ${error.code} ${error.message}`)
  }
}
