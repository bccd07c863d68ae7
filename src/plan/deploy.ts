import type { ProductSpec } from '../spec/types.ts'
import { dataSteps, sqlPorts, stepMaker } from './data-steps.ts'
import { provisionSteps } from './provision.ts'
import type { Plan, Step } from './step.ts'
import { type TriggerDefinition, triggersOf } from './triggers.ts'
import { type DeployWorld, onlyChanged, planOf, resource } from './world.ts'

/**
 * A deploy: provision → ingest → transform → verify → policies → publish → monitors → catalog → release. Unchanged content over unchanged resources
 * is an empty plan.
 */
export function planDeploy(world: DeployWorld): Plan {
  const { product, spec, environment, revision } = world
  const provision = onlyChanged(world.inventory, provisionSteps(product, world.domain, environment, spec.outputs))
  if (provision.length === 0 && world.current?.content === world.content) return planOf(world, [], [])

  const because = world.current ? `content differs from release r${world.current.number}` : `first release in ${environment}`
  const make = stepMaker(world, because)
  const data = dataSteps(
    world,
    provision.map((step) => step.id),
    because,
  )
  const announce = announceSteps(world, [data.at(-1)!.id], because)
  const release = make({
    id: 'release',
    stage: 'release',
    command: 'record-release',
    title: 'Record the release',
    args: { content: world.content, spec, revision, label: spec.version },
    dependsOn: announce.map((step) => step.id),
  })
  const steps = [...provision, ...data, ...announce, release, collectStep(world, because, release.id)]
  return planOf(world, steps, consumersOf(world))
}

/** What follows a publication: the monitors behind its service levels, the catalog, and when it runs by itself. */
export function announceSteps(
  world: Pick<DeployWorld, 'product' | 'environment' | 'spec'>,
  after: readonly string[],
  because: string,
): Step[] {
  const { product, spec } = world
  const make = stepMaker(world, because)
  const levels = sqlPorts(spec.outputs).flatMap(({ port, serviceLevels }) => serviceLevels.map((level) => ({ port, level })))
  const monitors = make({
    id: 'monitors',
    stage: 'monitors',
    command: 'apply-monitors',
    address: `${product.domain}/${product.name}#monitors`,
    title: `${levels.length} monitors`,
    args: { domain: product.domain, levels },
    dependsOn: [...after],
    resource: resource('monitors', levels),
  })
  const list = make({
    id: 'list',
    stage: 'catalog',
    command: 'list-entry',
    title: 'List in the catalog',
    args: { domain: product.domain, document: catalogDocument(spec) },
    dependsOn: [...after],
  })
  const triggers = triggersOf(spec)
  if (triggers.length === 0) return [monitors, list]
  const schedule = make({
    id: 'schedule',
    stage: 'release',
    command: 'apply-triggers',
    title: triggers.map(describeTrigger).join('; '),
    args: { triggers, inputs: spec.inputs.filter((input) => input.kind === 'product') },
    dependsOn: [...after],
  })
  return [monitors, list, schedule]
}

function describeTrigger({ cron, events }: TriggerDefinition): string {
  const when = events ? `when ${events.inputs.join(events.match === 'all' ? ' and ' : ' or ')} published` : ''
  const clock = cron ? `at "${cron.schedule}" ${cron.timeZone}` : ''
  return `Runs ${[when, clock].filter(Boolean).join(', else ')}`
}

/** The current release again, over what its sources hold now: nothing but data changes. */
export function planRefresh(world: DeployWorld, because: string): Plan {
  const data = dataSteps(world, [], because)
  const record = stepMaker(
    world,
    because,
  )({
    id: 'refresh',
    stage: 'release',
    command: 'record-refresh',
    title: 'Record the refresh',
    args: { revision: world.revision },
    dependsOn: [data.at(-1)!.id],
  })
  return planOf(world, [...data, record, collectStep(world, because, record.id)], consumersOf(world))
}

function collectStep(world: DeployWorld, because: string, after: string) {
  return stepMaker(
    world,
    because,
  )({
    id: 'collect',
    stage: 'release',
    command: 'collect',
    title: 'Drop what nobody can reach any more',
    args: { revision: world.revision },
    dependsOn: [after],
  })
}

function consumersOf(world: DeployWorld): string[] {
  return [...new Set(world.consumers.map((consumer) => consumer.subject))].sort()
}

function catalogDocument(spec: ProductSpec) {
  const { title, description, tags, team, version, status, offers } = spec
  const ports = spec.outputs.map((output) => ({
    port: output.port,
    major: output.major,
    version: output.version,
    title: output.title,
    objects: output.objects.map((object) => ({
      name: object.name,
      description: object.description,
      columns: object.columns.map((column) => ({
        name: column.name,
        logicalType: column.logicalType,
        tags: column.tags,
        classification: column.classification,
        description: column.description,
      })),
    })),
  }))
  return { title, description, tags, team, version, status, ports, offers }
}
