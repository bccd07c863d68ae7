import type { z } from 'zod'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { explainPlan } from '../../plan/explain.ts'
import type { Plan } from '../../plan/step.ts'
import type * as shapes from '../schemas.ts'

export function planView(
  plan: Plan,
  about: {
    run: number | null
    kind: string
    product: { domain: string; name: string }
    environment: string
    asOf: Date
    diagnostics: Diagnostic[]
    summary?: string
  },
): z.infer<typeof shapes.Plan> {
  return {
    run: about.run,
    kind: about.kind,
    product: `${about.product.domain}/${about.product.name}`,
    environment: about.environment,
    steps: plan.steps.map(({ id, stage, command, address, title, risk, because, dependsOn }) => ({
      id,
      stage,
      command,
      address,
      title,
      risk,
      because,
      dependsOn,
    })),
    affected: plan.affected,
    unchanged: 0,
    asOf: about.asOf.toISOString(),
    summary: about.summary ?? explainPlan(plan, about.asOf),
    diagnostics: about.diagnostics as z.infer<typeof shapes.Plan>['diagnostics'],
  }
}
