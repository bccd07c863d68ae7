import { findSubject } from '../access/subjects.ts'
import type { DomainBudget, Place, PortPlace } from '../platform/warehouse.ts'
import type { Command } from '../run/command.ts'
import type { CommandDeps, PlaceArgs } from './deps.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'

/** Resources of the warehouse: each command reconciles one, and converges from wherever a crash left it. */
export function provisionCommands(deps: CommandDeps): Command[] {
  return [
    {
      name: 'provision-budget',
      async run(context, args) {
        const { environment, domain, budget } = args as { environment: string; domain: string; budget: DomainBudget }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const stands = await warehouse.budget.reconcile({ id: { domain }, desired: budget, context: effectOf(context) })
        return { ...stands, outcome: `${budget.connections} connections, statements up to ${budget.statementMs / 1000} s` }
      },
    },
    {
      name: 'provision-roles',
      async run(context, args) {
        const { environment, place, owners } = args as PlaceArgs & { owners: string[] }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const effect = effectOf(context)
        const stands = await warehouse.roles.reconcile({ id: place, desired: { owners }, context: effect })
        for (const owner of owners) {
          const subject = await findSubject(deps.control.db, owner)
          if (!subject || subject.kind === 'group') continue
          await warehouse.subject({ subject: owner, domain: subject.domain, attributes: subject.attributes, context: effect })
          await warehouse.grantOwner({ subject: owner, place, context: effect })
        }
        return { ...stands, outcome: `${stands.roles.length} roles` }
      },
    },
    {
      name: 'provision-schemas',
      async run(context, args) {
        const { environment, place } = args as PlaceArgs
        const warehouse = await leasedWarehouse(deps, context, environment)
        const stands = await warehouse.schemas.reconcile({ id: place, desired: {}, context: effectOf(context) })
        return { ...stands, outcome: stands.schemas.join(', ') }
      },
    },
    {
      name: 'provision-port',
      async run(context, args) {
        const { environment, at } = args as { environment: string; at: PortPlace }
        const warehouse = await leasedWarehouse(deps, context, environment)
        return warehouse.port.reconcile({ id: at, desired: {}, context: effectOf(context) })
      },
    },
    {
      name: 'remove-schemas',
      async run(context, args) {
        const { environment, place } = args as PlaceArgs
        const warehouse = await leasedWarehouse(deps, context, environment)
        await warehouse.schemas.remove({ id: place, context: effectOf(context) })
        return { outcome: 'gone' }
      },
    },
    {
      name: 'remove-roles',
      async run(context, args) {
        const { environment, place } = args as { environment: string; place: Place }
        const warehouse = await leasedWarehouse(deps, context, environment)
        await warehouse.roles.remove({ id: place, context: effectOf(context) })
        return { outcome: 'gone' }
      },
    },
  ]
}
