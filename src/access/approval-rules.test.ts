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
  assert.deepEqual(approval, { by: 'ana', as: ['ana'], at: '2026-11-23T10:00:00.000Z', decision: 'approved', note: 'fine' })
  assert.ok(met)
})

test('every level needs one of its names, by itself or by a group', () => {
  const rule = { levels: [['owner'], ['privacy']], selfApproval: false }
  assert.ok(!decide(rule, request, ana, 'approved', null, at).met)
  const approvals = [{ by: 'owner', as: ['owner'], at: at.toISOString(), decision: 'approved' as const, note: null }]
  assert.ok(decide(rule, { ...request, approvals }, ana, 'approved', null, at).met)
})

test('an earlier approval by a group counts, and each level needs somebody else', () => {
  const rule = { levels: [['privacy'], ['owner', 'privacy']], selfApproval: false }
  const first = decide(rule, request, ana, 'approved', null, at)
  assert.deepEqual(first.approval.as, ['privacy'])
  assert.ok(!first.met)
  const second = { name: 'ola', groups: ['owner'] }
  assert.ok(decide(rule, { ...request, approvals: [first.approval] }, second, 'approved', null, at).met)
})

test('nobody approves what is for themselves, whoever asked', () => {
  const rule = { levels: [['ana']], selfApproval: false, own: ['ana'] }
  assert.throws(() => decide(rule, request, ana, 'approved', null, at), code('APPROVAL_OWN_REQUEST'))
})

test('who asked approves in the name of those who need nobody else, and in no other name', () => {
  const kim = { name: 'kim', groups: ['privacy'] }
  const rule = { levels: [['kim'], ['privacy']], selfApproval: false, ownAs: ['kim'] }
  const { approval, met } = decide(rule, request, kim, 'approved', null, at)
  assert.deepEqual([approval.as, met], [['kim'], false])
  assert.throws(
    () => decide({ ...rule, levels: [['privacy']] }, request, kim, 'approved', null, at),
    code('APPROVAL_OWN_REQUEST'),
  )
  assert.deepEqual(decide(rule, { ...request, approvals: [approval] }, ana, 'approved', null, at).met, true)
})

test('strangers, the requester and who has decided are refused', () => {
  const rule = { levels: [['ana', 'kim']], selfApproval: false }
  assert.throws(() => decide(rule, request, { name: 'bob', groups: [] }, 'approved', null, at), code('APPROVAL_NOT_YOURS'))
  assert.throws(() => decide(rule, request, { name: 'kim', groups: [] }, 'approved', null, at), code('APPROVAL_OWN_REQUEST'))
  const approvals = [{ by: 'ana', as: ['ana'], at: at.toISOString(), decision: 'approved' as const, note: null }]
  assert.throws(() => decide(rule, { ...request, approvals }, ana, 'approved', null, at), code('APPROVAL_REPEATED'))
})

test('a requester may deny their own, and approve where the rule lets them', () => {
  const rule = { levels: [['kim']], selfApproval: false }
  assert.equal(decide(rule, request, { name: 'kim', groups: [] }, 'denied', null, at).approval.decision, 'denied')
  assert.ok(decide({ ...rule, selfApproval: true }, request, { name: 'kim', groups: [] }, 'approved', null, at).met)
})
