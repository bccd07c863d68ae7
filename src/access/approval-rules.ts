import { fail } from '../core/fail.ts'
import type { Approval } from '../store/schema.ts'

/** Who must say yes: every level needs one of its names. Names are subjects or groups. */
export type ApprovalRule = { levels: string[][]; selfApproval: boolean }

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
  const isNamed = (names: readonly string[]) =>
    names.includes(decider.name) || decider.groups.some((group) => names.includes(group))
  if (!rule.levels.some(isNamed)) {
    throw fail('APPROVAL_NOT_YOURS', {
      what: `${decider.name} is not one of its approvers`,
      fix: `Ask ${rule.levels.flat().join(' or ')}.`,
    })
  }
  if (!rule.selfApproval && decision === 'approved' && decider.name === request.by) {
    throw fail('APPROVAL_OWN_REQUEST', {
      what: `${decider.name} asked for it`,
      why: 'Here four eyes are needed.',
      fix: `Ask another of ${rule.levels.flat().join(', ')}.`,
    })
  }
  if (request.approvals.some((approval) => approval.by === decider.name))
    throw fail('APPROVAL_REPEATED', { what: `${decider.name} has decided already` })
  const approval: Approval = { by: decider.name, at: at.toISOString(), decision, note }
  const deciders = new Map<string, Decider>([[decider.name, decider]])
  const approved = [...request.approvals, approval].filter((each) => each.decision === 'approved')
  const met = rule.levels.every((level) =>
    approved.some(
      (each) => level.includes(each.by) || (deciders.get(each.by)?.groups.some((group) => level.includes(group)) ?? false),
    ),
  )
  return { approval, met }
}
