import type { Ingestion, OutputPort } from '../spec/types.ts'
import { provisionSteps } from './provision.ts'
import type { Plan, Step } from './step.ts'
import { type DeployWorld, onlyChanged, planOf, resource } from './world.ts'

/**
 * A deploy: provision → ingest → transform → verify → policies → publish → monitors → catalog → release. Unchanged content over unchanged resources
 * is an empty plan.
 */
export function planDeploy(world: DeployWorld): Plan {
  const { product, spec, environment, revision } = world
  const address = `${product.domain}/${product.name}`
  const place = { id: product.id, domain: product.domain, product: product.name }
  const provision = onlyChanged(world.inventory, provisionSteps(product, world.domain, environment, spec.outputs))
  if (provision.length === 0 && world.current?.content === world.content) return planOf(world, [], [])

  const sqlPorts = spec.outputs.filter((output) => output.kind === 'sql')
  const because = world.current ? `content differs from release r${world.current.number}` : `first release in ${environment}`
  const make = (id: string, stage: Step['stage'], command: string, title: string, args: Record<string, unknown>, dependsOn: string[], extra: Partial<Step> = {}): Step => ({
    id,
    stage,
    command,
    address,
    title,
    args: { environment, place, ...args },
    dependsOn,
    risk: 'safe',
    because,
    ...extra,
  })
  const provisioned = provision.map((step) => step.id)
  const ingests = spec.ingestions.map((ingestion) =>
    make(`ingest-${ingestion.name}`, 'ingest', 'ingest', `Ingest ${ingestion.name}`, { component: ingestion.name, reads: readsOf(world, ingestion) }, provisioned),
  )
  const transforms = spec.transformations.map((component) =>
    make(
      `transform-${component.name}`,
      'transform',
      'transform',
      `dbt build of ${component.name}`,
      {
        projectDir: component.projectDir,
        select: component.select,
        ports: sqlPorts.flatMap((port) => port.objects.map((object) => ({ object: object.name, from: object.from }))),
        sources: spec.ingestions.flatMap((ingestion) => ingestion.writes.map((write) => ({ component: ingestion.name, table: write.table }))),
        upstreams: world.upstreams,
      },
      [...provisioned, ...ingests.map((step) => step.id)],
    ),
  )
  const objects = sqlPorts.flatMap((port) =>
    port.objects.map(({ name, from, columns, quality }) => ({ name, from, columns: columns.map(plannedColumn), quality })),
  )
  const seal = make('seal', 'verify', 'seal', `Verify and seal revision ${revision}`, { revision, objects }, transforms.map((step) => step.id))
  const quality = make('quality', 'verify', 'check-quality', 'Quality rules of the contract', { objects }, [seal.id])
  const serves = sqlPorts.map((port) =>
    make(
      `policies-${port.port}-v${port.major}`,
      'policies',
      'serve-port',
      `Masks, row filters and grants of ${port.port} v${port.major}`,
      { at: { place, port: port.port, major: port.major }, objects: servedObjects(port) },
      [quality.id],
    ),
  )
  const publish = make(
    'publish',
    'publish',
    'publish',
    `Publish revision ${revision}`,
    { ports: sqlPorts.map(({ port, major }) => ({ port, major })) },
    serves.map((step) => step.id),
    { risk: world.current ? 'disruptive' : 'safe' },
  )
  const levels = sqlPorts.flatMap((port) => port.serviceLevels.map((level) => ({ port: port.port, level })))
  const monitors = make('monitors', 'monitors', 'apply-monitors', `${levels.length} monitors`, { domain: product.domain, levels }, [publish.id], {
    resource: resource('monitors', levels),
    address: `${address}#monitors`,
  })
  const list = make('list', 'catalog', 'list-entry', 'List in the catalog', { domain: product.domain, document: catalogDocument(world) }, [publish.id])
  const release = make('release', 'release', 'record-release', 'Record the release', { content: world.content, spec, revision, label: spec.version }, [
    monitors.id,
    list.id,
  ])
  const collect = make('collect', 'release', 'collect', 'Drop what nobody can reach any more', { revision, previous: world.current?.revision ?? null }, [release.id])
  const steps = [...provision, ...ingests, ...transforms, seal, quality, ...serves, publish, monitors, list, release, collect]
  return planOf(world, steps, [...new Set(world.consumers.map((consumer) => consumer.subject))].sort())
}

function plannedColumn({ name, logicalType, physicalType, required, unique, primaryKey }: OutputPort['objects'][number]['columns'][number]) {
  return { name, logicalType, physicalType, required, unique, primaryKey }
}

function servedObjects(port: OutputPort) {
  return port.objects.map((object) => ({
    name: object.name,
    columns: object.columns.map((column) => column.name),
    masks: port.masks.filter((mask) => mask.object === object.name),
    rowFilters: port.rowFilters.filter((filter) => filter.object === object.name),
  }))
}

/** Each table an ingestion writes, with the file its input port names. */
function readsOf(world: DeployWorld, ingestion: Ingestion) {
  return ingestion.writes.map((write) => {
    const input = world.spec.inputs.find((candidate) => candidate.name === write.from)
    if (input?.kind !== 'file') return { table: write.table, unsupported: input?.kind ?? 'missing', from: write.from }
    return {
      table: write.table,
      path: input.path,
      delimiter: input.delimiter,
      null: input.null,
      columns: input.contract?.columns.map(plannedColumn) ?? null,
    }
  })
}

function catalogDocument(world: DeployWorld) {
  const { spec } = world
  return {
    title: spec.title,
    description: spec.description,
    tags: spec.tags,
    team: spec.team,
    version: spec.version,
    status: spec.status,
    ports: spec.outputs.map((port) => ({
      port: port.port,
      major: port.major,
      version: port.version,
      title: port.title,
      objects: port.objects.map(({ name, description, columns }) => ({
        name,
        description,
        columns: columns.map(({ name, logicalType, tags, classification, description }) => ({ name, logicalType, tags, classification, description })),
      })),
    })),
    offers: spec.offers,
  }
}
