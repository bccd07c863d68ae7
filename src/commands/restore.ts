import { markHandled } from '../catalog/handled-pushes.ts'
import { setProductState } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import type { ArchivedProduct } from '../platform/archive.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { audit } from '../store/audit.ts'
import { checkBundle } from './archive-product.ts'
import type { CommandDeps } from './deps.ts'
import { effectOf, leasedWarehouse, placeOf } from './leased-warehouse.ts'

type FromArchive = { archive: string }

/** The way back from an archive; what provisions, seals, serves and publishes are the commands of every deploy. */
export function restoreCommands(deps: CommandDeps): Command[] {
  const aboutOf = async ({ run }: CommandContext, name: string): Promise<ArchivedProduct> => {
    const manifest = await deps.archive.find(name)
    if (!manifest) throw fail('ARCHIVE_MISSING', { what: `There is no archive ${name}` })
    if (manifest.about.product.id !== run.product.id)
      throw fail('ARCHIVE_DAMAGED', { what: `The archive ${name} is of another product` })
    return manifest.about
  }
  const tablesOf = async (
    context: CommandContext,
    { archive, environment, n }: FromArchive & { environment: string; n: number },
  ) => {
    const about = await aboutOf(context, archive)
    const place = about.environments.find((each) => each.name === environment)
    const revision = place?.revisions.find((each) => each.n === n)
    if (!revision) throw fail('ARCHIVE_DAMAGED', { what: `The archive ${archive} holds no revision ${n} of ${environment}` })
    return revision.tables
  }
  return [
    {
      name: 'check-archive',
      async run(context, args) {
        const { archive } = args as FromArchive
        await aboutOf(context, archive)
        const manifest = await deps.archive.verify(archive, context.signal)
        await checkBundle(deps, manifest)
        const { files } = manifest
        return { outcome: `${files.length} files hold` }
      },
    },
    {
      name: 'restore-repository',
      async run(context, args) {
        const { archive } = args as FromArchive
        const { repository } = await aboutOf(context, archive)
        if (!repository) return { outcome: 'it had none' }
        const { file, refs } = repository
        await deps.repository.unbundle({ product: context.run.product.id, refs, open: () => deps.archive.open(archive, file) })
        return { head: repository.head, outcome: `${refs.length} branches and tags` }
      },
    },
    {
      name: 'load-archive',
      async run(context, args) {
        const { archive, environment, revision } = args as FromArchive & { environment: string; revision: number }
        const tables = await tablesOf(context, { archive, environment, n: revision })
        const warehouse = await leasedWarehouse(deps, context, environment)
        const loaded = await warehouse.loadRevision({
          place: placeOf(context),
          context: effectOf(context),
          tables: tables.map(({ name, columns, file }) => ({
            name,
            columns,
            csv: () => deps.archive.openTable(archive, file),
          })),
        })
        const total = loaded.reduce((sum, table) => sum + table.rows, 0)
        return { outcome: `${loaded.length} ${loaded.length === 1 ? 'table' : 'tables'}, ${total.toLocaleString('en-GB')} rows` }
      },
    },
    {
      name: 'compare-restored',
      async run(context, args) {
        const { archive, environment, archived, revision } = args as FromArchive & {
          environment: string
          archived: number
          revision: number
        }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const before = await tablesOf(context, { archive, environment, n: archived })
        const now = await warehouse.measureRevision({ place: placeOf(context), n: revision, signal: context.signal })
        for (const table of before) {
          const found = now.find((each) => each.name === table.name)
          if (found?.rows !== table.rows || found.fingerprint !== table.fingerprint)
            throw fail('RESTORE_DIFFERS', {
              what: `${table.name} has ${found?.rows ?? 'no'} rows after the restore; ${table.rows} were archived`,
              why: found?.rows === table.rows ? 'Their content differs.' : 'Some are missing or too many.',
            })
        }
        return { outcome: `${before.length} tables, the same rows` }
      },
    },
    {
      name: 'settle-restore',
      async run(context) {
        const { run } = context
        const { id, domain, product } = run.product
        const head = (await deps.repository.exists(id)) ? await deps.repository.head(id, 'main') : null
        await deps.control.db.transaction().execute(async (queries) => {
          if (head) await markHandled(queries, id, head)
          await setProductState(queries, id, 'active')
          await audit(queries, {
            actor: run.by,
            onBehalfOf: null,
            action: 'product.restored',
            object: `${domain}/${product}`,
            detail: { run: run.number },
          })
        })
        return { outcome: 'active' }
      },
    },
  ]
}
