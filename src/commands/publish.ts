import { setProductState } from '../catalog/products.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { fail } from '../core/fail.ts'
import type { PlannedObject, PortPlace, Revision } from '../platform/warehouse.ts'
import type { Mask, RowFilter } from '../policy/types.ts'
import type { Command, CommandArgs, CommandContext } from '../run/command.ts'
import { currentRelease, listReleases, recordRefresh, recordRelease, reinstateRelease } from '../run/releases.ts'
import type { ProductSpec } from '../spec/types.ts'
import type { CommandDeps, PlaceArgs } from './deps.ts'
import { describeServed, readBuilt } from './describe-served.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'

/** The newest releases whose data is kept, besides the current one: what a roll back can reach. */
const KEPT_RELEASES = 2

/** Verify, audit, publish: what dbt left becomes a sealed revision, then a complete served schema, then what consumers read. */
export function publishCommands(deps: CommandDeps): Command[] {
  return [
    {
      name: 'seal',
      async run(context, args) {
        const { environment, place, revision: n, objects } = args as PlaceArgs & { revision: number; objects: PlannedObject[] }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const { findings, revision } = await warehouse.seal({ place, n, objects, context: effectOf(context) })
        refuse(findings)
        const rows = revision!.objects.reduce((sum, object) => sum + object.rows, 0)
        return { revision, outcome: `r${n}, ${rows.toLocaleString('en-GB')} rows` }
      },
    },
    {
      name: 'reuse-revision',
      async run(context, args) {
        const { environment, place, revision: n, from } = args as PlaceArgs & { revision: number; from: number }
        const served = await currentRelease(deps.control.db, context.run.product.id, environment)
        if (served?.number !== from) {
          throw fail('ROLLBACK_OUTDATED', { what: `r${served?.number} is served now; this roll back was planned over r${from}` })
        }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const revision = (await warehouse.sealed(place)).find((each) => each.n === n)
        if (!revision) {
          throw fail('RELEASE_REVISION_GONE', {
            what: `Revision ${n} of ${place.domain}/${place.product} is not kept in ${environment} any more`,
          })
        }
        return { revision, outcome: `r${n}, nothing to rebuild` }
      },
    },
    {
      name: 'reinstate-release',
      async run(context, args) {
        const { run } = context
        const { environment, number } = args as PlaceArgs & { number: number }
        const built = await readBuilt(deps, context, args as PlaceArgs)
        await deps.control.db.transaction().execute(async (transaction) => {
          await reinstateRelease(transaction, { product: run.product.id, environment, number, by: run.by })
          await describeServed(transaction, run, environment, built)
        })
        return { outcome: `r${number}` }
      },
    },
    {
      name: 'check-quality',
      async run(context, args) {
        const { environment, place, objects } = args as PlaceArgs & { objects: PlannedObject[] }
        const rules = objects.reduce((sum, object) => sum + object.quality.length, 0)
        if (rules === 0) return { outcome: 'no rules' }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const findings = await warehouse.checkQuality({
          place,
          revision: sealedFor(context, args),
          objects,
          context: effectOf(context),
        })
        for (const warning of findings.filter((finding) => finding.severity === 'warning'))
          context.log(`warning: ${warning.what}`)
        refuse(findings.filter((finding) => finding.severity === 'error'))
        return { outcome: `${rules} ${rules === 1 ? 'rule' : 'rules'} held` }
      },
    },
    {
      name: 'serve-port',
      async run(context, args) {
        const { environment, at, objects } = args as {
          environment: string
          at: PortPlace
          objects: { name: string; columns: string[]; masks: Mask[]; rowFilters: RowFilter[] }[]
        }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const { schema } = await warehouse.buildServed({
          at,
          revision: sealedFor(context, args),
          objects,
          context: effectOf(context),
        })
        const masks = objects.reduce((sum, object) => sum + object.masks.length, 0)
        const filters = objects.reduce((sum, object) => sum + object.rowFilters.length, 0)
        return { schema, outcome: `${masks} masks, ${filters} row filters` }
      },
    },
    {
      name: 'publish',
      async run(context, args) {
        const { environment, place, ports } = args as PlaceArgs & { ports: { port: string; major: number }[] }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const revision = sealedFor(context, args)
        const { publishedAt } = await warehouse.publish({
          place,
          revision,
          ports,
          release: context.run.id,
          context: effectOf(context),
        })
        return { publishedAt, outcome: `r${revision.n} is served` }
      },
    },
    {
      name: 'record-release',
      async run(context, args) {
        const { run } = context
        const { environment, content, spec, revision, label } = args as PlaceArgs & {
          content: string
          spec: ProductSpec
          revision: number
          label: string
        }
        const built = await readBuilt(deps, context, args as PlaceArgs)
        const { number } = await deps.control.db.transaction().execute(async (transaction) => {
          await setProductState(transaction, run.product.id, 'active')
          const recorded = await recordRelease(transaction, {
            product: run.product.id,
            environment,
            label,
            commit: run.commit!,
            content,
            spec,
            revision,
            run: run.id,
          })
          await describeServed(transaction, run, environment, built)
          return recorded
        })
        return { number, outcome: `r${number} · ${label}` }
      },
    },
    {
      name: 'record-refresh',
      async run(context, args) {
        const { run } = context
        const { environment, revision } = args as PlaceArgs & { revision: number }
        const built = await readBuilt(deps, context, args as PlaceArgs)
        await deps.control.db.transaction().execute(async (transaction) => {
          await recordRefresh(transaction, { product: run.product.id, environment, revision })
          await describeServed(transaction, run, environment, built)
        })
        return { outcome: `r${revision}` }
      },
    },
    {
      name: 'collect',
      async run(context, args) {
        const { environment, place, revision } = args as PlaceArgs & { revision: number }
        const warehouse = await leasedWarehouse(deps, context, environment)
        // Asked now: another run may have published since this one was planned.
        const releases = await listReleases(deps.control.db, context.run.product.id, environment)
        const keep = [
          revision,
          ...releases.filter((release, index) => release.current || index < KEPT_RELEASES).map((release) => release.revision),
        ]
        const { dropped, kept } = await warehouse.collect({ place, keep, context: effectOf(context) })
        for (const name of kept) context.log(`kept, somebody still uses it: ${name}`)
        return { outcome: dropped.length ? `${dropped.length} dropped` : 'nothing to drop' }
      },
    },
  ]
}

/** What the seal step gave; a run over several environments names which one. */
function sealedFor(context: CommandContext, args: CommandArgs): Revision {
  return context.result<{ revision: Revision }>((args.sealed as string | undefined) ?? 'seal').revision
}

function refuse(findings: readonly Diagnostic[]): void {
  const first = findings[0]
  if (!first) return
  throw fail(first.code, {
    what: findings.length > 1 ? `${first.what} (and ${findings.length - 1} more)` : first.what,
    why: first.why ?? 'Nothing was published; consumers still read what they read before.',
    ...(first.fix && { fix: first.fix }),
    ...(first.at && { at: first.at }),
    details: findings,
  })
}
