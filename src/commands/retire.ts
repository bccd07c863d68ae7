import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { endAgreementsOf, openAgreements } from '../access/agreements.ts'
import { moveRequest, openAccessRequests } from '../access/requests.ts'
import { revokeProductTokens } from '../access/tokens.ts'
import { delistEntry } from '../catalog/entries.ts'
import { lockProductWhole, setProductState } from '../catalog/products.ts'
import { formatProductAddress, serviceSubject } from '../core/address.ts'
import { fail } from '../core/fail.ts'
import type { Place } from '../platform/warehouse.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { endOtherRuns, runningGrantsTo } from '../run/end-other-runs.ts'
import { forgetResources, removeTriggers } from '../run/forget-resources.ts'
import { endHeld } from '../run/held-runs.ts'
import { audit } from '../store/audit.ts'
import type { Queries } from '../store/control.ts'
import { archiveName, archiveProduct, checkBundle, compareWithStanding } from './archive-product.ts'
import { certifyRetirement } from './certify-retirement.ts'
import type { CommandDeps } from './deps.ts'
import { effectOf, leasedWarehouse, placeOf } from './leased-warehouse.ts'

/** More than any product has: beyond it somebody looks before anything is removed. */
const MOST_OBJECTS = 5_000
const PATIENCE_MS = 60_000

/** A retirement, step by step: nothing is removed before `check-retirement` has passed, and after it there is only forward. */
export function retireCommands(deps: CommandDeps): Command[] {
  return [
    {
      name: 'stop-product',
      async run(context) {
        const ended = await stopWork(deps, context)
        await refuseReaders(deps, deps.control.db, placeOf(context), deps.environments())
        return { outcome: ended > 0 ? `${ended} ${ended === 1 ? 'run' : 'runs'} ended` : 'nothing ran' }
      },
    },
    archiveProduct(deps),
    {
      name: 'check-retirement',
      async run(context, args) {
        const { environments } = args as { environments: string[] }
        const place = placeOf(context)
        await stopWork(deps, context)
        const manifest = await deps.archive.verify(archiveName(context), context.signal)
        await checkBundle(deps, manifest)
        let objects = 0
        for (const environment of deps.environments()) {
          const { schemas, relations, roles } = await deps.warehouse(environment).standing(place)
          objects += schemas.length + relations + roles.length
          if (schemas.length + roles.length > 0 && !environments.includes(environment))
            throw fail('RETIRE_SOURCE_CHANGED', { what: `The product came to ${environment} after the retirement was planned` })
        }
        if (objects > MOST_OBJECTS)
          throw fail('RETIRE_TOO_MUCH', { what: `${objects} objects would go; a retirement may remove ${MOST_OBJECTS}` })
        await compareWithStanding(deps, place, manifest.about, environments)
        await deps.control.db.transaction().execute(async (queries) => {
          await lockProductWhole(queries, place.id)
          await refuseReaders(deps, queries, place, deps.environments())
          await setProductState(queries, place.id, 'retired')
          await removeTriggers(queries, place.id)
          await audit(queries, {
            actor: context.run.by,
            onBehalfOf: null,
            action: 'product.retired',
            object: `${place.domain}/${place.product}`,
            detail: { run: context.run.number, archive: manifest.name },
          })
        })
        await waitUntilNone(context, 'the grant', () => runningGrantsTo(deps.control.db, serviceSubject(place)))
        return { archive: manifest.name, objects, outcome: `${manifest.files.length} files hold, ${objects} objects will go` }
      },
    },
    {
      name: 'delist-entry',
      async run(context, args) {
        const { run } = context
        await delistEntry(deps.control.db, {
          product: run.product.id,
          community: run.product.domain,
          title: run.product.title,
          run: run.id,
          tombstone: {
            retiredAt: deps.clock.now().toISOString(),
            by: run.by,
            because: String(run.detail.because ?? ''),
            run: run.number,
            archive: archiveName(context),
            kept: args.kept as string[],
          },
        })
        return { outcome: 'delisted' }
      },
    },
    {
      name: 'remove-product',
      async run(context, args) {
        const { environment } = args as { environment: string }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const { schemas, roles, sessionsEnded } = await warehouse.removeProduct({
          place: placeOf(context),
          context: effectOf(context),
        })
        for (const name of [...schemas, ...roles]) context.log(`removed ${name}`)
        return { schemas, roles, outcome: `${schemas.length} schemas, ${roles.length} roles, ${sessionsEnded} sessions ended` }
      },
    },
    {
      name: 'close-repository',
      async run({ run }) {
        const tokens = await revokeProductTokens(deps.control.db, run.product.id)
        await deps.repository.remove(run.product.id)
        await deps.transformation.forget(run.product.id)
        await rm(join(deps.workDir, run.product.id), { recursive: true, force: true })
        return { outcome: `gone, ${tokens} tokens revoked` }
      },
    },
    {
      name: 'forget-resources',
      async run({ run }) {
        const subject = serviceSubject(run.product)
        const ended = await deps.control.db.transaction().execute(async (queries) => {
          await forgetResources(queries, run.product.id)
          for (const request of await openAccessRequests(queries, { product: formatProductAddress(run.product), subject })) {
            await moveRequest(queries, request, 'withdrawn')
            await endHeld(queries, request.number, 'withdrawn')
          }
          return endAgreementsOf(queries, subject, 'the consumer was retired')
        })
        return { outcome: ended > 0 ? `cleared, ${ended} agreements of its own ended` : 'cleared' }
      },
    },
    certifyRetirement(deps),
  ]
}

/** @returns how many runs were told to end */
async function stopWork(deps: CommandDeps, context: CommandContext): Promise<number> {
  const { run, log } = context
  const ended = new Set<number>()
  await waitUntilNone(context, 'run', async () => {
    const { cancelled, running } = await deps.control.db
      .transaction()
      .execute((queries) => endOtherRuns(queries, { product: run.product.id, run: run.id, by: run.by }))
    for (const number of [...cancelled, ...running].filter((each) => !ended.has(each))) {
      log(`run ${number} is told to end`)
      ended.add(number)
    }
    return running
  })
  return ended.size
}

async function waitUntilNone({ signal }: CommandContext, what: string, look: () => Promise<number[]>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; ; ) {
    const left = await look()
    if (left.length === 0) return
    if (performance.now() > end)
      throw fail('RETIRE_RUN_REMAINS', { what: `${what} ${left.join(', ')} has not ended after ${PATIENCE_MS / 1000} s` })
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** @throws RETIRE_CONSUMERS_ACTIVE, RETIRE_PRODUCTS_READ */
async function refuseReaders(deps: CommandDeps, queries: Queries, place: Place, environments: readonly string[]): Promise<void> {
  const open = await openAgreements(queries, place.id)
  if (open.length > 0)
    throw fail('RETIRE_CONSUMERS_ACTIVE', {
      what: `${place.domain}/${place.product} is read by ${[...new Set(open.map((agreement) => agreement.subject))].join(', ')}`,
      fix: `End their agreements first: ${open.map((agreement) => `heddle access revoke ${agreement.number}`).join(', ')}`,
    })
  for (const environment of environments) {
    const { dependents } = await deps.warehouse(environment).standing(place)
    if (dependents.length > 0)
      throw fail('RETIRE_PRODUCTS_READ', {
        what: `${place.domain}/${place.product} is read in ${environment}`,
        why: `On it stand ${dependents.slice(0, 5).join(', ')}.`,
      })
  }
}
