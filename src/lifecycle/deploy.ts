import { activeAgreements } from '../access/agreements.ts'
import { type DomainRow, lockProduct, namedApprovers, needDomain, type ProductRow } from '../catalog/products.ts'
import { formatProductAddress } from '../core/address.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { fail } from '../core/fail.ts'
import { planDeploy, planRefresh } from '../plan/deploy.ts'
import type { Plan } from '../plan/step.ts'
import type { DeployWorld } from '../plan/world.ts'
import { enqueueRun, supersedeDeploys } from '../run/enqueue.ts'
import {
  currentRelease,
  type DeployRule,
  isPinnedSince,
  nextRevision,
  readInventory,
  runningContent,
  standingRule,
  unpinRelease,
} from '../run/releases.ts'
import type { DeployFile, ProductSpec } from '../spec/types.ts'
import type { Queries } from '../store/control.ts'
import { withPeople } from './bootstrap.ts'
import { type LeastRule, tighten } from './deploy-rule.ts'
import type { LifecycleDeps } from './deps.ts'
import { askForInputs, type PendingAccess, readInputs } from './inputs.ts'
import { contentHash, DEPLOY_FILE, isReleaseFile, SPEC_FILE } from './release-content.ts'

/** The release files of a commit or a working tree: texts of spec, deploy file and contracts, and the ids of everything that decides the content. */
export type Source = { commit: string; texts: Record<string, string>; oids: Record<string, string> }

const TEXT_LIMIT = 256 * 1024

export async function readSource(deps: LifecycleDeps, product: string, commit: string): Promise<Source> {
  const files = (await deps.repository.list(product, commit)).filter((file) => isReleaseFile(file.path))
  const texts: Record<string, string> = {}
  for (const { path, size } of files) {
    if (path.startsWith('dbt/') || size > TEXT_LIMIT) continue
    texts[path] = (await deps.repository.read(product, commit, path))!.toString('utf8')
  }
  return { commit, texts, oids: Object.fromEntries(files.map((file) => [file.path, file.oid])) }
}

export type Validated = { spec: ProductSpec | null; deploy: DeployFile | null; diagnostics: Diagnostic[] }

export async function validateSource(
  deps: LifecycleDeps,
  product: ProductRow,
  texts: Record<string, string>,
  environment: string | null,
): Promise<Validated> {
  const mesh = deps.mesh()
  const domain = await needDomain(deps.control.db, product.domain)
  const contracts = Object.fromEntries(Object.entries(texts).filter(([path]) => path.startsWith('contracts/')))
  return deps.validate({
    files: {
      spec: { name: SPEC_FILE, text: texts[SPEC_FILE] ?? '' },
      deploy: { name: DEPLOY_FILE, text: texts[DEPLOY_FILE] ?? '' },
      contracts,
    },
    context: {
      domain: product.domain,
      product: product.name,
      domainOwners: domain.owners,
      environments: Object.keys(mesh.environments),
      sources: Object.entries(mesh.sources)
        .filter(([, source]) => source.domains.includes(product.domain))
        .map(([name]) => name),
    },
    environment: environment ?? Object.keys(mesh.environments).at(-1)!,
  })
}

/** The frozen value a deploy is planned from. Reads only; the plan itself is pure. */
async function readWorld(
  queries: Queries,
  product: ProductRow,
  environment: string,
  source: Source,
  spec: ProductSpec,
  deploy: DeployFile,
): Promise<DeployWorld> {
  const domain = await needDomain(queries, product.domain)
  const current = await currentRelease(queries, product.id, environment)
  // A deploy under way is about to change what is served: what it brings is what this one is compared with.
  const content = (await runningContent(queries, product.id, environment)) ?? current?.content
  const agreements = await activeAgreements(queries, product.id, environment)
  return {
    product: { id: product.id, domain: product.domain, name: product.name, title: product.title },
    domain: await withPeople(queries, domain, product.owner),
    environment,
    commit: source.commit,
    content: contentHash(source.oids),
    spec,
    deploy,
    inventory: await readInventory(queries, product.id, product.domain),
    current: current && { number: current.number, label: current.label, content: content!, revision: current.revision },
    revision: await nextRevision(queries, product.id, environment),
    consumers: agreements.map(({ subject, port }) => ({ subject, port })),
    upstreams: await readInputs(queries, product, environment, spec),
  }
}

export type PlannedDeploy = { plan: Plan; world: DeployWorld }

export async function planFor(
  deps: LifecycleDeps,
  queries: Queries,
  product: ProductRow,
  environment: string,
  source: Source,
): Promise<PlannedDeploy & { diagnostics: Diagnostic[] }> {
  const { spec, deploy, diagnostics } = await validateSource(deps, product, source.texts, environment)
  const isRefused = diagnostics.some((diagnostic) => diagnostic.severity === 'error')
  if (!spec || !deploy || isRefused) throw refusedSpec(product, diagnostics)
  const world = await readWorld(queries, product, environment, source, spec, deploy)
  return { plan: planDeploy(world), world, diagnostics }
}

export type StartedDeploy = { environment: string; superseded: number[]; access: PendingAccess[] } & (
  | { started: true; number: number; waitsFor: string[] }
  | { started: false; release: { number: number; label: string } }
)

/** Plans the commit for an environment and, if there is something to do, stores the run: what was planned is what runs. */
export async function startDeploy(
  deps: LifecycleDeps,
  queries: Queries,
  request: {
    product: ProductRow
    commit: string
    environment?: string
    by: string
    because: string
    kind?: 'deploy' | 'promote'
  },
): Promise<StartedDeploy> {
  const { product, by, because } = request
  // One at a time: the revision number, and what is compared and superseded, hold until the run is stored.
  await lockProduct(queries, product.id)
  const source = await readSource(deps, product.id, request.commit)
  const environment = request.environment ?? (await firstEnvironment(deps, product, source.texts))
  const { plan, world } = await planFor(deps, queries, product, environment, source)
  const rule = world.deploy.environments.find((candidate) => candidate.name === environment)
  if (!rule) {
    throw fail('ENVIRONMENT_UNKNOWN', {
      what: `${DEPLOY_FILE} of ${product.domain}/${product.name} does not name ${environment}`,
      fix: `Add it there, with its approvals, or choose: ${world.deploy.environments.map((each) => each.name).join(', ')}.`,
    })
  }
  // Also when nothing is to deploy: access that was revoked is asked for again.
  const access = await askForInputs(deps, queries, { product, environment, upstreams: world.upstreams, by })
  if (plan.steps.length === 0) {
    const superseded = await supersedeDeploys(queries, { product: product.id, environment, lane: 'control' })
    await unpinRelease(queries, product.id, environment)
    return { started: false, release: world.current!, environment, access, superseded }
  }
  const domain = await needDomain(queries, product.domain)
  const asked = deployRule(rule, product, domain)
  // A commit cannot approve itself: the rule of the release that is served decides, also on a commit that changes the rule.
  // Nor can the first one: what mesh.yml asks for in this environment holds for all of them.
  const { approvers, required, selfApproval } = (await standingRule(queries, product.id, environment)) ?? asked
  const standing = tighten({ approvers, required, selfApproval }, leastRule(deps, environment, product, domain))
  const waitsFor = [...new Set(standing.levels.flat())]
  const run = await enqueueRun(queries, {
    kind: request.kind ?? 'deploy',
    product: product.id,
    environment,
    lane: 'control',
    plan,
    by,
    because,
    commit: source.commit,
    detail: {
      revision: world.revision,
      content: world.content,
      label: world.spec.version,
      environments: world.deploy.environments.map((each) => each.name),
      selfApproval: standing.selfApproval,
      levels: standing.levels,
      rule: asked,
    },
    approvers: waitsFor,
    held: access.map((each) => each.request),
  })
  return { started: true, number: run.number, environment, waitsFor, access, superseded: run.superseded }
}

function deployRule(rule: DeployFile['environments'][number], product: ProductRow, domain: DomainRow): DeployRule {
  const { from, required, prohibitSelfApproval } = rule.approvals
  return {
    approvers: rule.protected ? namedApprovers(from, product, domain) : [],
    selfApproval: !prohibitSelfApproval,
    required: Math.max(1, required),
  }
}

function leastRule(deps: LifecycleDeps, environment: string, product: ProductRow, domain: DomainRow): LeastRule | null {
  const least = deps.mesh().environments[environment]?.approval
  return least ? { ...least, by: namedApprovers(least.by, product, domain) } : null
}

/** Where a push of these files goes first. */
export async function firstEnvironment(deps: LifecycleDeps, product: ProductRow, texts: Record<string, string>): Promise<string> {
  const { deploy, diagnostics } = await validateSource(deps, product, texts, null)
  const first = deploy?.environments[0]
  if (!first) throw refusedSpec(product, diagnostics)
  return first.name
}

function refusedSpec(product: ProductRow, diagnostics: Diagnostic[]) {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error').length
  return fail('SPEC_FILE_REFUSED', {
    what: `The spec of ${product.domain}/${product.name} has ${errors} ${errors === 1 ? 'error' : 'errors'}`,
    details: diagnostics,
  })
}

/** What a run reads is of an earlier day: its observations count there, and nobody waits for it. */
export type Replayed = {
  /** ISO 8601: the moment that day's data arrived, as it is shown */
  logicalDate: string
  /** of the source that is replayed, once each; what follows from it has none */
  sourceDay?: string
}

/** Runs the environment's current release again, never the head of main. */
export async function startRefresh(
  queries: Queries,
  request: { product: ProductRow; environment: string; by: string; because: string; replayed?: Replayed | null },
): Promise<{ number: number }> {
  const { product, environment, by, because, replayed } = request
  await lockProduct(queries, product.id)
  const release = await currentRelease(queries, product.id, environment)
  if (!release) {
    throw fail('DEPLOY_NOTHING_THERE', {
      what: `${product.domain}/${product.name} has no release in ${environment} to refresh`,
      fix: `heddle deploy ${product.domain}/${product.name}`,
    })
  }
  // The stored spec, not the file: nothing is read or checked again, so a refresh starts at once.
  const source = { commit: release.commit_id, texts: {}, oids: {} }
  const deploy = { name: product.name, environments: [], secrets: {}, branches: [] }
  const world = await readWorld(queries, product, environment, source, release.spec, deploy)
  return enqueueRun(queries, {
    kind: 'refresh',
    product: product.id,
    environment,
    lane: 'data',
    plan: planRefresh({ ...world, content: release.content }, because),
    by,
    because,
    commit: release.commit_id,
    detail: { revision: world.revision, ...replayed },
    inBackground: Boolean(replayed),
  })
}

/** After a green deploy: the same commit goes on to the next environment of the deploy file, where its own rule holds. */
export async function promoteNext(
  deps: LifecycleDeps,
  queries: Queries,
  done: {
    product: ProductRow
    environment: string
    environments: string[]
    commit: string
    by: string
    number: number
    run: string
  },
): Promise<StartedDeploy | null> {
  const next = done.environments[done.environments.indexOf(done.environment) + 1]
  if (!next) return null
  if (await isPinnedSince(queries, { product: done.product.id, environment: next, run: done.run })) {
    deps.log(`run ${done.number} does not go on to ${next}: it was rolled back meanwhile`)
    return null
  }
  return startDeploy(deps, queries, {
    product: done.product,
    commit: done.commit,
    environment: next,
    by: done.by,
    because: `run ${done.number} is green in ${done.environment}`,
  })
}

export function describeStart(deps: Pick<LifecycleDeps, 'url' | 'clock'>, product: ProductRow, started: StartedDeploy): string[] {
  const address = formatProductAddress({ domain: product.domain, product: product.name })
  const superseded = started.superseded.length > 0 ? [`supersedes run ${started.superseded.join(', ')}`] : []
  const access = started.access.map(({ upstream, request, approvers }) =>
    approvers.length > 0
      ? `waits until it may read ${upstream}, decided by ${approvers.join(' or ')}: heddle approve request ${request}`
      : `waits until it may read ${upstream}, which request ${request} grants`,
  )
  if (!started.started) {
    return [
      `Nothing to change as of ${deps.clock.now().toISOString().slice(11, 16)} UTC: ${address}@${started.environment} serves r${started.release.number} · ${started.release.label}`,
      ...superseded,
      ...access,
    ]
  }
  const waits =
    started.waitsFor.length > 0
      ? [`waits for approval by ${started.waitsFor.join(' or ')}: heddle approve run ${started.number}`]
      : []
  return [
    `run ${started.number}  ${address} -> ${started.environment}   ${deps.url()}/runs/${started.number}`,
    ...superseded,
    ...waits,
    ...access,
    `follow it: heddle logs ${started.number} -f`,
  ]
}
