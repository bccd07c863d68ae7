import type { EffectContext } from '../platform/resource.ts'
import type { Place, Warehouse } from '../platform/warehouse.ts'
import type { CommandContext } from '../run/command.ts'
import type { CommandDeps } from './deps.ts'

/** The environment's warehouse, after this claim's epoch has been taken there: once per execution, which also ends what an earlier worker left behind. */
export async function leasedWarehouse(deps: CommandDeps, context: CommandContext, environment: string): Promise<Warehouse> {
  const warehouse = deps.warehouse(environment)
  const key = `lease ${environment}`
  if (!context.memo.has(key)) {
    const { tookOver } = await warehouse.takeLease({ place: placeOf(context), fence: context.fence })
    if (tookOver) context.log(`took over in ${environment}: the earlier worker's login and sessions are ended`)
    context.memo.set(key, true)
  }
  return warehouse
}

export function placeOf(context: CommandContext): Place {
  const { id, domain, product } = context.run.product
  return { id, domain, product }
}

export function effectOf(context: CommandContext): EffectContext {
  return { fence: context.fence, signal: context.signal, log: context.log }
}
