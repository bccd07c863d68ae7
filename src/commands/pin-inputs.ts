import { activeAgreements } from '../access/agreements.ts'
import { findProduct } from '../catalog/products.ts'
import { formatProductAddress, serviceSubject } from '../core/address.ts'
import { fail } from '../core/fail.ts'
import { chooseOutput, isInRange, type ProductInput } from '../plan/inputs.ts'
import type { TriggerDefinition } from '../plan/triggers.ts'
import type { UpstreamPort } from '../plan/world.ts'
import type { Warehouse } from '../platform/warehouse.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { currentRelease } from '../run/releases.ts'
import { applyTriggers, recordReadings } from '../run/triggers.ts'
import { nextDue } from '../spec/next-due.ts'
import type { CommandDeps, PlaceArgs } from './deps.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'

export type PinnedInputs = { pinned: { name: string; relation: string; publication: number }[] }

/** What other products serve, as this product's runs read it, and what follows from it for when it runs. */
export function inputCommands(deps: CommandDeps): Command[] {
  return [
    {
      name: 'pin-inputs',
      async run(context, args) {
        const { environment, place, inputs } = args as PlaceArgs & { inputs: UpstreamPort[] }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const sources: { input: UpstreamPort; name: string; relation: string }[] = []
        for (const input of inputs) {
          await needAgreement(deps, context, environment, input)
          sources.push(...(await locate(deps, warehouse, environment, input)))
        }
        const { pinned } = await warehouse.pinSources({ place, sources, context: effectOf(context) })
        const found = pinned.map((pin) => ({ ...pin, ...sources.find(({ name }) => name === pin.name)! }))
        const readings = inputs.map((input) => {
          const { publication, revision } = found.find((pin) => pin.input.input === input.input)!
          const { place: upstream, port, major } = input
          context.log(`${formatProductAddress(upstream)}/${port} v${major}: publication ${publication}, revision ${revision}`)
          return { input: input.input, upstream: upstream.id, port, major, publication, revision }
        })
        await recordReadings(deps.control.db, { id: context.run.id, product: place.id, environment }, readings)
        return {
          pinned: found.map(({ name, relation, publication }) => ({ name, relation, publication })),
          outcome: inputs
            .map(({ place: { domain, product } }, index) => `${domain}/${product} r${readings[index]!.revision}`)
            .join(', '),
        }
      },
    },
    {
      name: 'apply-triggers',
      async run({ run }, args) {
        const { environment, triggers, inputs } = args as PlaceArgs & {
          triggers: TriggerDefinition[]
          inputs: ProductInput[]
        }
        const now = deps.clock.now()
        await deps.control.db.transaction().execute(async (queries) => {
          const ports = new Map<string, { upstream: string; port: string; major: number }>()
          for (const input of inputs) {
            const upstream = await findProduct(queries, input)
            const release = upstream && (await currentRelease(queries, upstream.id, environment))
            const output = release && chooseOutput(release.spec, input.port, input.versionRange)
            if (upstream && output) ports.set(input.name, { upstream: upstream.id, port: output.port, major: output.major })
          }
          await applyTriggers(
            queries,
            { product: run.product.id, environment },
            triggers.map((trigger) => ({
              ...trigger,
              nextDue: trigger.cron ? nextDue(trigger.cron.schedule, trigger.cron.timeZone, now) : null,
              sources: [...ports].map(([input, port]) => ({ input, ...port })),
            })),
          )
        })
        return { outcome: `${triggers.length} ${triggers.length === 1 ? 'trigger' : 'triggers'}` }
      },
    },
  ]
}

async function needAgreement(
  deps: CommandDeps,
  { run }: CommandContext,
  environment: string,
  { place, port, major }: UpstreamPort,
): Promise<void> {
  const subject = serviceSubject(run.product)
  const agreements = await activeAgreements(deps.control.db, place.id, environment)
  const held = agreements.some(
    (each) => each.subject === subject && each.port === port && each.major === major && each.state === 'active',
  )
  if (held) return
  const address = formatProductAddress(run.product)
  throw fail('ACCESS_NOT_GRANTED', {
    what: `${address} may not read ${formatProductAddress(place)}/${port} v${major} in ${environment}`,
    why: 'Its agreement is not active: it was revoked, has expired or was never granted. What was published before stays served.',
    fix: `heddle deploy ${address} asks for it again.`,
  })
}

/** The contract of what is served now, once more: it may have changed since this was planned. */
async function locate(
  deps: CommandDeps,
  warehouse: Warehouse,
  environment: string,
  input: UpstreamPort,
): Promise<{ input: UpstreamPort; name: string; relation: string }[]> {
  const { place, port, major, versionRange, objects } = input
  const address = `${formatProductAddress(place)}/${port}`
  const served = (await warehouse.served(place)).find((each) => each.port === port && each.major === major)
  if (!served)
    throw fail('INPUT_PORT_UNKNOWN', {
      what: `${address} v${major} is not served in ${environment}`,
      fix: `Look at it: heddle show ${formatProductAddress(place)}`,
    })
  const release = await currentRelease(deps.control.db, place.id, environment)
  const output = release?.spec.outputs.find((each) => each.port === port && each.major === major)
  if (output && !isInRange(output.version, versionRange))
    throw fail('INPUT_VERSION_UNMET', { what: `${address} is ${output.version}; ${input.input} wants ${versionRange}` })
  return objects.map(({ name, table, columns }) => {
    const object = served.objects.find((each) => each.name === name)
    const missing = columns.filter((column) => !object?.columns.includes(column))
    if (!object || missing.length > 0)
      throw fail('INPUT_CONTRACT_UNMET', {
        what: object ? `${address} serves ${name} without ${missing.join(', ')}` : `${address} serves no ${name}`,
        why: `${input.input} expects it.`,
      })
    return { input, name: table, relation: `${served.schema}.${name}` }
  })
}
