import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeddleError } from '../core/fail.ts'
import { decide } from './approval-rules.ts'

const at = new Date('2026-11-23T10:00:00Z')
const ana = { name: 'ana', groups: ['privacy'] }
const request = { by: 'kim', approvals: [] }

const code = (expected: string) => (error: HeddleError) => error.code === expected

test('one named approver is enough for one level', () => {
  const { approval, met } = decide({ levels: [['ana']], selfApproval: false }, request, ana, 'approved', 'fine', at)
  assert.deepEqual(approval, { by: 'ana', at: '2026-11-23T10:00:00.000Z', decision: 'approved', note: 'fine' })
  assert.ok(met)
})

test('every level needs one of its names, by itself or by a group', () => {
  const rule = { levels: [['owner'], ['privacy']], selfApproval: false }
  assert.ok(!decide(rule, request, ana, 'approved', null, at).met)
  const approvals = [{ by: 'owner', at: at.toISOString(), decision: 'approved' as const, note: null }]
  assert.ok(decide(rule, { ...request, approvals }, ana, 'approved', null, at).met)
})

test('strangers, the requester and who has decided are refused', () => {
  const rule = { levels: [['ana', 'kim']], selfApproval: false }
  assert.throws(() => decide(rule, request, { name: 'bob', groups: [] }, 'approved', null, at), code('APPROVAL_NOT_YOURS'))
  assert.throws(() => decide(rule, request, { name: 'kim', groups: [] }, 'approved', null, at), code('APPROVAL_OWN_REQUEST'))
  const approvals = [{ by: 'ana', at: at.toISOString(), decision: 'approved' as const, note: null }]
  assert.throws(() => decide(rule, { ...request, approvals }, ana, 'approved', null, at), code('APPROVAL_REPEATED'))
})

test('a requester may deny their own, and approve where the rule lets them', () => {
  const rule = { levels: [['kim']], selfApproval: false }
  assert.equal(decide(rule, request, { name: 'kim', groups: [] }, 'denied', null, at).approval.decision, 'denied')
  assert.ok(decide({ ...rule, selfApproval: true }, request, { name: 'kim', groups: [] }, 'approved', null, at).met)
})
