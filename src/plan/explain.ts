import type { Plan } from './step.ts'
import { STAGES } from './step.ts'

/** One line for a plan: "12 steps: 3 provision, 1 ingest, …", or that nothing is to change as of a time. */
export function explainPlan(plan: Pick<Plan, 'steps'>, asOf: Date): string {
  if (plan.steps.length === 0) return `Nothing to change as of ${asOf.toISOString().slice(11, 16)} UTC`
  const counted = STAGES.map((stage) => ({ stage, count: plan.steps.filter((step) => step.stage === stage).length })).filter(
    ({ count }) => count > 0,
  )
  return `${plan.steps.length} ${plan.steps.length === 1 ? 'step' : 'steps'}: ${counted.map(({ stage, count }) => `${count} ${stage}`).join(', ')}`
}
