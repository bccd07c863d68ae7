import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeployRule } from '../run/releases.ts'
import { type LeastRule, tighten } from './deploy-rule.ts'

const none: DeployRule = { approvers: [], selfApproval: true, required: 1 }
const least: LeastRule = { by: ['ola', 'privacy'], required: 1, selfApproval: false }

const cases: [string, DeployRule, LeastRule | null, string[][], boolean][] = [
  ['an environment without a rule leaves it to the product', { ...none, approvers: ['dan'] }, null, [['dan']], true],
  ['nobody asked for anything', none, null, [], true],
  ['a product that asks nobody meets the rule of the environment', none, least, [['ola', 'privacy']], false],
  ['no approvals required is still the rule of the environment', { ...none, required: 0 }, least, [['ola', 'privacy']], false],
  ['a stranger does not stand in for those named', { ...none, approvers: ['dan'] }, least, [['ola', 'privacy'], ['dan']], false],
  ['fewer names are tighter', { ...none, approvers: ['ola'] }, least, [['ola']], false],
  ['more names are not looser', { ...none, approvers: ['ola', 'privacy', 'dan'] }, least, [['ola', 'privacy']], false],
  [
    'more names, more people',
    { ...none, approvers: ['ola', 'privacy', 'dan'], required: 2 },
    least,
    [
      ['ola', 'privacy'],
      ['ola', 'privacy', 'dan'],
    ],
    false,
  ],
  [
    'fewer names, and as many people as the environment asks for',
    { ...none, approvers: ['ola'] },
    { ...least, required: 2 },
    [['ola'], ['ola', 'privacy']],
    false,
  ],
  [
    'who asks may approve only where both say so',
    { ...none, approvers: ['ola'] },
    { ...least, selfApproval: true },
    [['ola']],
    true,
  ],
  [
    'a product may forbid what the environment allows',
    { approvers: ['ola'], selfApproval: false, required: 1 },
    { ...least, selfApproval: true },
    [['ola']],
    false,
  ],
]
for (const [name, rule, minimum, levels, selfApproval] of cases) {
  test(name, () => assert.deepEqual(tighten(rule, minimum), { levels, selfApproval }))
}
