import { productById } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import type { ArchiveDraft, ArchivedEnvironment, ArchivedProduct, ArchivedTable, ArchiveManifest } from '../platform/archive.ts'
import type { Place } from '../platform/warehouse.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { readRecords } from '../run/read-records.ts'
import { currentRelease } from '../run/releases.ts'
import type { CommandDeps } from './deps.ts'
import { placeOf } from './leased-warehouse.ts'

/** `fleet/planes/run-812`: one archive for each retirement, the same for every attempt of its run. */
export function archiveName({ run }: Pick<CommandContext, 'run'>): string {
  return `${run.product.domain}/${run.product.product}/run-${run.number}`
}

/** Data, repository and records in one archive, read back before it counts as one. Begins afresh each time it is tried. */
export function archiveProduct(deps: CommandDeps): Command {
  return {
    name: 'archive-product',
    async run(context, args) {
      const { environments: names } = args as { environments: string[] }
      const name = archiveName(context)
      const standing = await deps.archive.find(name)
      if (standing) return { archive: name, outcome: 'is complete' }
      const draft = await deps.archive.begin(name)
      const rows: Record<string, number> = {}
      const environments: ArchivedEnvironment[] = []
      for (const environment of names) environments.push(await archiveData(deps, context, draft, rows, environment))
      const product = await productById(deps.control.db, context.run.product.id)
      const about: ArchivedProduct = {
        product: { id: product.id, domain: product.domain, name: product.name, title: product.title, owner: product.owner },
        archivedAt: deps.clock.now().toISOString(),
        by: context.run.by,
        because: String(context.run.detail.because ?? ''),
        run: context.run.number,
        environments,
        repository: await archiveRepository(deps, context, draft),
      }
      for (const [record, text] of Object.entries(await readRecords(deps.control.db, product.id)))
        await draft.put(`records/${record}.json`, text)
      const manifest = await draft.close(about, rows, context.signal)
      const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
      const total = Object.values(rows).reduce((sum, each) => sum + each, 0)
      context.log(`${deps.archive.locate(name)}: ${manifest.files.length} files, ${(bytes / 1e6).toFixed(1)} MB, read back`)
      return {
        archive: name,
        files: manifest.files.length,
        bytes,
        rows: total,
        outcome: `${manifest.files.length} files, ${total.toLocaleString('en-GB')} rows, read back`,
      }
    },
  }
}

async function archiveData(
  deps: CommandDeps,
  context: CommandContext,
  draft: ArchiveDraft,
  rows: Record<string, number>,
  environment: string,
): Promise<ArchivedEnvironment> {
  const place = placeOf(context)
  const warehouse = deps.warehouse(environment)
  const release = await currentRelease(deps.control.db, place.id, environment)
  const served = await warehouse.served(place)
  const wanted = [...new Set([...served.map((port) => port.revision), ...(release ? [release.revision] : [])])].sort(
    (a, b) => a - b,
  )
  const revisions: ArchivedEnvironment['revisions'] = []
  for (const n of wanted) {
    const files: Record<string, string> = {}
    const tables = await warehouse.exportRevision({
      place,
      n,
      signal: context.signal,
      async sink(table, csv) {
        const path = `data/${environment}/r${n}/${Object.keys(files).length + 1}-${fileName(table.name)}.parquet`
        await draft.putTable(path, { columns: table.columns, csv })
        files[table.name] = path
      },
    })
    const archived: ArchivedTable[] = tables.map((table) => ({ ...table, file: files[table.name]! }))
    for (const table of archived) rows[table.file] = table.rows
    await draft.put(
      `data/${environment}/r${n}/schema.json`,
      `${JSON.stringify({ environment, revision: n, tables: archived }, null, 1)}\n`,
    )
    context.log(
      `${environment} r${n}: ${tables.map((table) => `${table.name} ${table.rows.toLocaleString('en-GB')}`).join(', ')} rows`,
    )
    revisions.push({ n, tables: archived })
  }
  return {
    name: environment,
    release: release && {
      number: release.number,
      label: release.label,
      commit: release.commit_id,
      content: release.content,
      revision: release.revision,
      spec: release.spec,
    },
    revisions,
    ports: served.map(({ port, major, revision }) => ({ port, major, revision })),
  }
}

function fileName(table: string): string {
  return table.replaceAll(/[^a-z0-9_-]+/gi, '_').slice(0, 60)
}

async function archiveRepository(
  deps: CommandDeps,
  { run, log }: CommandContext,
  draft: ArchiveDraft,
): Promise<ArchivedProduct['repository']> {
  const { id } = run.product
  if (!(await deps.repository.exists(id))) return null
  const head = await deps.repository.head(id, 'main')
  if (head === null) return null
  const refs = await deps.repository.refs(id)
  const file = 'repository.bundle'
  await deps.repository.bundle(id, async (stream) => void (await draft.put(file, stream)))
  log(`repository: ${refs.length} branches and tags, main at ${head.slice(0, 12)}`)
  return { file, head, refs }
}

/** A checksum says that the bundle is what was written; only git says that it is a repository. @throws REPOSITORY_DAMAGED */
export async function checkBundle(deps: CommandDeps, { name, about }: ArchiveManifest<ArchivedProduct>): Promise<void> {
  if (!about.repository) return
  const { file, refs } = about.repository
  await deps.repository.checkBundle({ product: about.product.id, refs, open: () => deps.archive.open(name, file) })
}

/** @throws RETIRE_SOURCE_CHANGED when what was archived is not what stands any more */
export async function compareWithStanding(
  deps: CommandDeps,
  place: Place,
  about: ArchivedProduct,
  environments: readonly string[],
): Promise<void> {
  for (const name of environments) {
    const archived = about.environments.find((environment) => environment.name === name)
    const ports = (await deps.warehouse(name).served(place)).map(({ port, major, revision }) => ({ port, major, revision }))
    if (JSON.stringify(ports) !== JSON.stringify(archived?.ports ?? []))
      throw changed(place, `${name} serves another revision than the archived one`)
  }
  const refs = (await deps.repository.exists(place.id)) ? await deps.repository.refs(place.id) : []
  if (JSON.stringify(refs) !== JSON.stringify(about.repository?.refs ?? []))
    throw changed(place, 'the repository has commits that are not in the archive')
}

function changed(place: Place, why: string) {
  return fail('RETIRE_SOURCE_CHANGED', { what: `${place.domain}/${place.product} has changed since it was archived`, why })
}
