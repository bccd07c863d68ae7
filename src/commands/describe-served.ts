import { setBuilt } from '../catalog/entries.ts'
import { serveLineage } from '../catalog/lineage-store.ts'
import { chooseOutput } from '../plan/inputs.ts'
import type { CommandContext } from '../run/command.ts'
import { currentRelease } from '../run/releases.ts'
import type { Queries } from '../store/control.ts'
import type { BuiltPlace } from '../store/schema.ts'
import type { CommandDeps, PlaceArgs } from './deps.ts'

type Built = Pick<BuiltPlace, 'objects'> & { now: Date }

/** What consumers of the product are served now, as the warehouse itself says: columns and numbers of rows. */
export async function readBuilt(
  deps: CommandDeps,
  { run }: Pick<CommandContext, 'run'>,
  { environment }: Pick<PlaceArgs, 'environment'>,
): Promise<Built> {
  const { id, domain, product } = run.product
  const ports = await deps.warehouse(environment).served({ id, domain, product })
  return {
    now: deps.clock.now(),
    objects: ports.flatMap(({ port, major, objects }) =>
      objects.map(({ name, rows, columns }) => ({ port, major, object: name, rows, columns })),
    ),
  }
}

/** Dynamic metadata with every run: the entry's built part and the product's part of the lineage, as of the release that is current now. */
export async function describeServed(
  queries: Queries,
  run: CommandContext['run'],
  environment: string,
  { now, objects }: Built,
): Promise<void> {
  const release = await currentRelease(queries, run.product.id, environment)
  if (!release) return
  const { id, domain, product } = run.product
  const lineage = await serveLineage(
    queries,
    { product: { id, domain, name: product }, environment, commit: release.commit_id, spec: release.spec },
    async (input, upstream) => {
      const served = await currentRelease(queries, upstream.id, environment)
      const output = served && chooseOutput(served.spec, input.port, input.versionRange)
      return output ? { port: output.port, objects: output.objects.map(({ name }) => name) } : null
    },
  )
  await setBuilt(queries, id, environment, {
    run: run.number,
    revision: release.revision,
    at: now.toISOString(),
    objects,
    lineage,
  })
}
