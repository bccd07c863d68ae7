import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderPlan } from '../views/human/plan.ts'
import { readAddress, readTree, requireWorkingTree } from '../working-tree.ts'

/** What a deploy of the working tree would do; nothing is written anywhere. */
export async function planTree(context: Context): Promise<number> {
  const tree = await requireWorkingTree(context.dir)
  const [address, files, environment, client] = await Promise.all([
    readAddress(tree),
    readTree(tree),
    context.environment(),
    context.client(),
  ])
  const plan = await client.plan(address, { environment, files })
  context.print(plan, (style) => renderPlan(plan, style))
  if (plan.diagnostics.some((diagnostic) => diagnostic.severity === 'error')) return EXIT.refused
  return context.has('detailedExitcode') && plan.steps.length > 0 ? EXIT.changes : EXIT.ok
}
