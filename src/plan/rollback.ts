import { fail } from '../core/fail.ts'
import { columnsOf } from '../policy/columns.ts'
import type { OutputPort, ProductSpec } from '../spec/types.ts'
import { portSteps, stepMaker } from './data-steps.ts'
import { announceSteps } from './deploy.ts'
import type { Plan, Step } from './step.ts'
import { type PlannedProduct, planOf } from './world.ts'

export type RollbackWorld = {
  product: PlannedProduct
  environment: string
  /** the release to switch back to, with the spec it was deployed with and the revision it served last */
  target: { number: number; label: string; revision: number; spec: ProductSpec }
  current: { number: number; label: string; spec: ProductSpec }
  consumers: string[]
}

/**
 * Back to an earlier release's data and code: a new publication over tables that were kept, so nothing is rebuilt and git is not asked. What protects
 * readers' subjects never goes back: masks and row filters of the current release stay on what the earlier one left open.
 */
export function planRollback(world: RollbackWorld): Plan {
  const { target, current } = world
  const because = `roll back from r${current.number} · ${current.label}`
  const make = stepMaker(world, because)
  const reuse: Step = make({
    id: 'seal',
    stage: 'verify',
    command: 'reuse-revision',
    title: `Revision ${target.revision} of r${target.number} is kept`,
    args: { revision: target.revision, from: current.number },
    dependsOn: [],
  })
  const spec = keepProtection(target.spec, current.spec)
  const ports = portSteps({ ...world, spec, revision: target.revision, current }, [reuse.id], because)
  const announce = announceSteps({ ...world, spec }, [ports.at(-1)!.id], because)
  const reinstate = make({
    id: 'release',
    stage: 'release',
    command: 'reinstate-release',
    title: `r${target.number} · ${target.label} is the current release`,
    args: { number: target.number },
    dependsOn: announce.map((step) => step.id),
  })
  return planOf(world, [reuse, ...ports, ...announce, reinstate], world.consumers)
}

/** The earlier spec, with every mask and row filter of the current one that it lacks. @throws ROLLBACK_PROTECTION_LOST where a filter cannot stand */
export function keepProtection(earlier: ProductSpec, current: ProductSpec): ProductSpec {
  const outputs = earlier.outputs.map((output): OutputPort => {
    const now = current.outputs.find((each) => each.port === output.port && each.major === output.major)
    if (!now) return output
    const columns = new Set(output.objects.flatMap((object) => object.columns.map((column) => `${object.name}.${column.name}`)))
    const masked = new Set(output.masks.map((mask) => `${mask.object}.${mask.column}`))
    const masks = now.masks.filter(
      ({ object, column }) => columns.has(`${object}.${column}`) && !masked.has(`${object}.${column}`),
    )
    const filters = now.rowFilters.filter(
      ({ object, name }) => !output.rowFilters.some((each) => each.object === object && each.name === name),
    )
    for (const { name, object, condition } of filters) {
      const lost = columnsOf(condition).find((column) => !columns.has(`${object}.${column}`))
      if (lost !== undefined) {
        throw fail('ROLLBACK_PROTECTION_LOST', {
          what: `The row filter ${name} of ${object} reads ${lost}, which the earlier release does not serve`,
          why: 'Without it readers would see rows that are kept from them now.',
        })
      }
    }
    return { ...output, masks: [...output.masks, ...masks], rowFilters: [...output.rowFilters, ...filters] }
  })
  return { ...earlier, outputs }
}
