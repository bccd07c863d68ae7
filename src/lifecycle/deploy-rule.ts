import type { DeployRule } from '../run/releases.ts'

/** What the platform team asks of every deploy to an environment, its names resolved. */
export type LeastRule = { by: readonly string[]; required: number; selfApproval: boolean }
/** Each level needs one of its names, every level another person; no levels, nobody. */
export type WaitRule = { levels: string[][]; selfApproval: boolean }

/** A product's rule over the environment's: it may ask for more, and whatever it asks for, the environment's is met as well. */
export function tighten(rule: DeployRule, least: LeastRule | null): WaitRule {
  const levels = (count: number, names: readonly string[]) => Array.from({ length: Math.max(0, count) }, () => [...names])
  const own = rule.approvers.length > 0 ? levels(rule.required, rule.approvers) : []
  if (!least) return { levels: own, selfApproval: rule.selfApproval }
  const floor = levels(least.required, least.by)
  if (own.length === 0) return { levels: floor, selfApproval: least.selfApproval }
  const selfApproval = rule.selfApproval && least.selfApproval
  // Who satisfies both rules at once says yes once.
  if (isWithin(rule.approvers, least.by))
    return { levels: [...own, ...levels(least.required - rule.required, least.by)], selfApproval }
  if (isWithin(least.by, rule.approvers))
    return { levels: [...floor, ...levels(rule.required - least.required, rule.approvers)], selfApproval }
  return { levels: [...floor, ...own], selfApproval }
}

function isWithin(names: readonly string[], others: readonly string[]): boolean {
  return names.every((name) => others.includes(name))
}
