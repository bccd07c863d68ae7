import { fail } from '../core/fail.ts'
import type { Approval } from '../store/schema.ts'

/** Who must say yes: every level needs one of its names, each another person. Names are subjects or groups. `own`: whose matter it is. */
export type ApprovalRule = {
  levels: string[][]
  selfApproval: boolean
  own?: readonly string[]
  /** names under which one may approve what one has asked for, all the same */
  ownAs?: readonly string[]
}

/** The rule of a run that waits, as it was when the run was stored. */
export function ruleOfRun(run: { approvers: string[]; detail: Record<string, unknown> }): ApprovalRule {
  const levels = (run.detail.levels as string[][] | undefined) ?? [run.approvers]
  return { levels, selfApproval: run.detail.selfApproval === true }
}

export type Decider = { name: string; groups: string[] }

/** @returns the approval to record, and whether the rule is now met. @throws APPROVAL_NOT_YOURS, APPROVAL_OWN_REQUEST, APPROVAL_REPEATED */
export function decide(
  rule: ApprovalRule,
  request: { by: string; approvals: readonly Approval[] },
  decider: Decider,
  decision: 'approved' | 'denied',
  note: string | null,
  at: Date,
): { approval: Approval; met: boolean } {
  const named = new Set(rule.levels.flat())
  const all = [decider.name, ...decider.groups].filter((name) => named.has(name))
  if (all.length === 0) {
    throw fail('APPROVAL_NOT_YOURS', {
      what: `${decider.name} is not one of its approvers`,
      fix: `Ask ${rule.levels.flat().join(' or ')}.`,
    })
  }
  const isOwn = !rule.selfApproval && decision === 'approved' && [request.by, ...(rule.own ?? [])].includes(decider.name)
  const as = isOwn ? all.filter((name) => rule.ownAs?.includes(name)) : all
  if (as.length === 0) {
    throw fail('APPROVAL_OWN_REQUEST', {
      what: decider.name === request.by ? `${decider.name} asked for it` : `It is for ${decider.name}`,
      why: 'Here four eyes are needed.',
      fix: `Ask another of ${rule.levels.flat().join(', ')}.`,
    })
  }
  if (request.approvals.some((approval) => approval.by === decider.name))
    throw fail('APPROVAL_REPEATED', { what: `${decider.name} has decided already` })
  const approval: Approval = { by: decider.name, as, at: at.toISOString(), decision, note }
  return {
    approval,
    met: isMet(
      rule.levels,
      [...request.approvals, approval].filter((each) => each.decision === 'approved'),
    ),
  }
}

/** Each level by somebody else: the second level is a second pair of eyes. */
function isMet(levels: readonly string[][], approvals: readonly Approval[]): boolean {
  const [level, ...others] = levels
  if (!level) return true
  return approvals.some(
    (each, index) => each.as.some((name) => level.includes(name)) && isMet(others, approvals.toSpliced(index, 1)),
  )
}
