import type { ArchivedEnvironment, ArchivedProduct } from '../platform/archive.ts'
import { portSteps, sqlPorts, stepMaker } from './data-steps.ts'
import { announceSteps } from './deploy.ts'
import { provisionSteps } from './provision.ts'
import type { Plan, Step } from './step.ts'
import { type DomainFacts, type PlannedProduct, planOf } from './world.ts'

export type RestoreWorld = {
  product: PlannedProduct
  domain: DomainFacts
  /** name of the archive, and what it is about */
  archive: string
  about: ArchivedProduct
  /** environment → the revision number the restored data gets */
  revisions: Readonly<Record<string, number>>
}

/**
 * Everything a retirement took, from its archive: the same product id, release and rows, under a new revision that passes the same seal and contract as
 * any other. Agreements are not restored: who read it asks again.
 */
export function planRestore(world: RestoreWorld): Plan {
  const { product, domain, about, archive } = world
  const because = `restore from ${archive}`
  const make = stepMaker({ product, environment: '*' }, because)
  const check = make({
    id: 'check',
    stage: 'archive',
    command: 'check-archive',
    title: 'Read the whole archive and compare its checksums',
    args: { archive },
    dependsOn: [],
  })
  const environments = about.environments.map((environment) => {
    const provision = provisionSteps(product, domain, environment.name, environment.release?.spec.outputs ?? []).map((step) => ({
      ...step,
      dependsOn: step.dependsOn.length > 0 ? step.dependsOn : [check.id],
    }))
    return { environment, provision }
  })
  const provisioned = environments.flatMap(({ provision }) => provision)
  const repository = make({
    id: 'repository',
    stage: 'repository',
    command: 'restore-repository',
    address: `${product.domain}/${product.name}#repository`,
    title: 'Repository from its bundle',
    args: { archive },
    dependsOn: [check.id, ...provisioned.map((step) => step.id)],
  })
  const data = environments.flatMap(({ environment }) => restoreEnvironment(world, environment, repository.id, because))
  const isSchedule = (step: Step) => step.command === 'apply-triggers'
  const settle = make({
    id: 'settle',
    stage: 'release',
    command: 'settle-restore',
    title: 'The product is active again',
    args: {},
    dependsOn: [repository.id, ...data.filter((step) => !isSchedule(step)).map((step) => step.id)],
  })
  // Triggers of a retired product are forgotten by whoever meets them, so they come when it is active.
  const schedules = data.filter(isSchedule).map((step) => ({ ...step, dependsOn: [settle.id] }))
  return planOf(world, [check, ...provisioned, repository, ...data.filter((step) => !isSchedule(step)), settle, ...schedules], [])
}

function restoreEnvironment(world: RestoreWorld, environment: ArchivedEnvironment, after: string, because: string): Step[] {
  const { release, name } = environment
  if (!release) return []
  const { product, archive } = world
  const { spec } = release
  const revision = world.revisions[name]!
  const make = stepMaker({ product, environment: name }, because)
  const at = (id: string) => `${id}@${name}`
  const here = (step: Step): Step => ({
    ...step,
    id: at(step.id),
    dependsOn: step.dependsOn.map((id) => (id === after ? id : at(id))),
  })
  const objects = sqlPorts(spec.outputs).flatMap((port) =>
    port.objects.map(({ name: object, from, columns, quality }) => ({ name: object, from, columns, quality })),
  )
  const load = make({
    id: 'load',
    stage: 'ingest',
    command: 'load-archive',
    title: `Load the tables of r${release.revision} in ${name}`,
    args: { archive, revision: release.revision },
    dependsOn: [after],
  })
  const seal = make({
    id: 'seal',
    stage: 'verify',
    command: 'seal',
    title: `Verify and seal revision ${revision}`,
    args: { revision, objects },
    dependsOn: [load.id],
  })
  const compare = make({
    id: 'compare',
    stage: 'verify',
    command: 'compare-restored',
    title: 'The same rows as were archived',
    args: { archive, archived: release.revision, revision },
    dependsOn: [seal.id],
  })
  const quality = make({
    id: 'quality',
    stage: 'verify',
    command: 'check-quality',
    title: 'Quality rules of the contract',
    args: { objects, sealed: at('seal') },
    dependsOn: [compare.id],
  })
  const ports = portSteps({ product, environment: name, spec, revision, current: null }, [quality.id], because).map((step) => ({
    ...step,
    args: { ...step.args, sealed: at('seal') },
  }))
  const announce = announceSteps({ product, environment: name, spec }, [ports.at(-1)!.id], because)
  const reinstate = make({
    id: 'release',
    stage: 'release',
    command: 'reinstate-release',
    title: `r${release.number} · ${release.label} is the current release`,
    args: { number: release.number },
    dependsOn: announce.filter((step) => step.command !== 'apply-triggers').map((step) => step.id),
  })
  const record = make({
    id: 'refresh',
    stage: 'release',
    command: 'record-refresh',
    title: `It is served from revision ${revision}`,
    args: { revision },
    dependsOn: [reinstate.id],
  })
  return [load, seal, compare, quality, ...ports, ...announce, reinstate, record].map(here)
}
