import type { Ingestion, OutputPort } from '../spec/types.ts'
import type { Step } from './step.ts'
import type { DeployWorld } from './world.ts'

type Draft = Pick<Step, 'id' | 'stage' | 'command' | 'title' | 'args' | 'dependsOn'> & Partial<Step>

/** Makes the steps of one product in one environment: each carries where it works and why. */
export function stepMaker(world: Pick<DeployWorld, 'product' | 'environment'>, because: string): (draft: Draft) => Step {
  const { id, domain, name } = world.product
  const place = { id, domain, product: name }
  return (draft) => ({
    address: `${domain}/${name}`,
    risk: 'safe',
    because,
    ...draft,
    args: { environment: world.environment, place, ...draft.args },
  })
}

/** ingest → transform → verify → policies → publish: what a deploy and a refresh have in common. The last step is the publication. */
export function dataSteps(world: DeployWorld, after: readonly string[], because: string): Step[] {
  const { spec, revision } = world
  const make = stepMaker(world, because)
  const ports = sqlPorts(spec.outputs)

  // First of all: what is read of other products is what they serve when the run starts, however long it then takes.
  const pins =
    world.upstreams.length === 0
      ? []
      : [
          make({
            id: 'pin-inputs',
            stage: 'ingest',
            command: 'pin-inputs',
            title: `Pin ${world.upstreams.map(({ place: { domain, product: name } }) => `${domain}/${name}`).join(', ')}`,
            args: { inputs: world.upstreams },
            dependsOn: [...after],
          }),
        ]
  const ingests = spec.ingestions.map((ingestion) =>
    make({
      id: `ingest-${ingestion.name}`,
      stage: 'ingest',
      command: 'ingest',
      title: `Ingest ${ingestion.name}`,
      args: { component: ingestion.name, reads: readsOf(world, ingestion) },
      dependsOn: [...after],
    }),
  )
  const transforms = spec.transformations.map((component) =>
    make({
      id: `transform-${component.name}`,
      stage: 'transform',
      command: 'transform',
      title: `dbt build of ${component.name}`,
      args: {
        projectDir: component.projectDir,
        select: component.select,
        ports: ports.flatMap((port) => port.objects.map((object) => ({ object: object.name, from: object.from }))),
        sources: spec.ingestions.flatMap(({ name, writes }) => writes.map((write) => ({ component: name, table: write.table }))),
        inputs: world.upstreams.map(({ input }) => input),
      },
      dependsOn: [...after, ...pins.map((step) => step.id), ...ingests.map((step) => step.id)],
    }),
  )
  const objects = ports.flatMap((port) =>
    port.objects.map(({ name, from, columns, quality }) => ({ name, from, columns: columns.map(plannedColumn), quality })),
  )
  const seal = make({
    id: 'seal',
    stage: 'verify',
    command: 'seal',
    title: `Verify and seal revision ${revision}`,
    args: { revision, objects },
    dependsOn: transforms.map((step) => step.id),
  })
  const quality = make({
    id: 'quality',
    stage: 'verify',
    command: 'check-quality',
    title: 'Quality rules of the contract',
    args: { objects },
    dependsOn: [seal.id],
  })
  return [...pins, ...ingests, ...transforms, seal, quality, ...portSteps(world, [quality.id], because)]
}

/** What consumers will read is built beside what they read, port by port; then one switch for all. */
export function portSteps(
  world: Pick<DeployWorld, 'product' | 'environment' | 'spec' | 'revision'> & { current: unknown },
  after: readonly string[],
  because: string,
): Step[] {
  const { product, spec, revision } = world
  const place = { id: product.id, domain: product.domain, product: product.name }
  const make = stepMaker(world, because)
  const ports = sqlPorts(spec.outputs)
  const serves = ports.map(({ port, major, ...rest }) =>
    make({
      id: `policies-${port}-v${major}`,
      stage: 'policies',
      command: 'serve-port',
      title: `Masks, row filters and grants of ${port} v${major}`,
      args: { at: { place, port, major }, objects: servedObjects(rest) },
      dependsOn: [...after],
    }),
  )
  const publish = make({
    id: 'publish',
    stage: 'publish',
    command: 'publish',
    title: `Publish revision ${revision}`,
    args: { ports: ports.map(({ port, major }) => ({ port, major })) },
    dependsOn: serves.map((step) => step.id),
    risk: world.current ? 'disruptive' : 'safe',
  })
  return [...serves, publish]
}

export function sqlPorts(outputs: readonly OutputPort[]): OutputPort[] {
  return outputs.filter((output) => output.kind === 'sql')
}

type DeclaredColumn = OutputPort['objects'][number]['columns'][number]

function plannedColumn({ name, logicalType, physicalType, required, unique, primaryKey }: DeclaredColumn) {
  return { name, logicalType, physicalType, required, unique, primaryKey }
}

function servedObjects({ objects, masks, rowFilters }: Pick<OutputPort, 'objects' | 'masks' | 'rowFilters'>) {
  return objects.map(({ name, columns }) => ({
    name,
    columns: columns.map((column) => column.name),
    masks: masks.filter((mask) => mask.object === name),
    rowFilters: rowFilters.filter((filter) => filter.object === name),
  }))
}

/** Each table an ingestion writes, with the file its input port names. */
function readsOf({ spec }: DeployWorld, ingestion: Ingestion) {
  return ingestion.writes.map(({ table, from }) => {
    const input = spec.inputs.find((candidate) => candidate.name === from)
    if (input?.kind !== 'file') return { table, unsupported: input?.kind ?? 'missing', from }
    const { path, delimiter, contract } = input
    return { table, path, delimiter, null: input.null, columns: contract?.columns.map(plannedColumn) ?? null }
  })
}
