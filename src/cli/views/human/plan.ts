import type { Plan, PlanStep } from '../../../client/types.ts'
import { renderProblem } from './error.ts'
import { cleanLine, count, cut, paint, type Style, wrap } from './style.ts'
import { showTime } from './time.ts'

const RISK_FAMILY = { safe: 'ok', disruptive: 'warn', destructive: 'bad' } as const

/** The plan by stage: each step with its risk and the reason it is there, then who will notice. */
export function renderPlan(plan: Plan, style: Style): string[] {
  // A bootstrap is for all environments.
  const head = `Plan for ${plan.product}${plan.environment === '*' ? '' : ` in ${plan.environment}`}`
  const riskWidth = Math.max(...plan.steps.map((step) => riskMark(step).length), 0)
  const titleWidth = Math.min(Math.max(...plan.steps.map((step) => cleanLine(step.title).length), 0), Math.floor(style.width / 2))
  const lines = [`${paint(style, 'strong', head)}   ${paint(style, 'muted', `as of ${showTime(plan.asOf, style)}`)}`]
  for (const stage of stagesOf(plan.steps)) {
    lines.push(stage)
    for (const step of plan.steps.filter((each) => each.stage === stage))
      lines.push(...renderStep(step, { riskWidth, titleWidth }, style))
  }
  const unchanged = plan.unchanged > 0 && plan.steps.length > 0 ? `  ${plan.unchanged} unchanged` : ''
  lines.push(`${cleanLine(plan.summary)}${unchanged}`)
  if (plan.affected.length > 0)
    lines.push(
      ...wrap(`Affects  ${count(plan.affected.length, 'consumer')}: ${plan.affected.map(cleanLine).join(', ')}`, style.width),
    )
  for (const { what, severity, ...rest } of plan.diagnostics)
    lines.push(...renderProblem({ ...rest, message: what }, style, severity))
  return lines
}

function renderStep(
  step: PlanStep,
  { riskWidth, titleWidth }: { riskWidth: number; titleWidth: number },
  style: Style,
): string[] {
  const title = cut(cleanLine(step.title), titleWidth)
  const indent = 2 + riskWidth + 2 + titleWidth + 2
  const [because = '', ...more] = wrap(cleanLine(step.because), Math.max(style.width - indent, 20))
  const mark = paint(style, RISK_FAMILY[step.risk], riskMark(step).padEnd(riskWidth))
  return [`  ${mark}  ${title.padEnd(titleWidth)}  ${because}`.trimEnd(), ...more.map((line) => ' '.repeat(indent) + line)]
}

/** Safe steps carry no mark word that draws the eye; the others are named. */
function riskMark(step: PlanStep): string {
  return step.risk === 'safe' ? '+ safe' : step.risk === 'disruptive' ? '~ disruptive' : '- destructive'
}

function stagesOf(steps: readonly PlanStep[]): string[] {
  return [...new Set(steps.map((step) => step.stage))]
}
