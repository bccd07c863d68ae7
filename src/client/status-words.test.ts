import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Agreement, Request, RunState, ServiceLevelState, ServiceState, StepState } from '../http/schemas.ts'
import { statusWord } from './status-words.ts'

test('every state of the API has a word of the closed vocabulary', () => {
  const states = [
    ['run', RunState.options],
    ['run', StepState.options],
    ['slo', ServiceLevelState.options],
    ['access', Agreement.shape.state.options],
    ['request', Request.shape.state.options],
    ['service', ServiceState.shape.state.options],
  ] as const
  for (const [kind, options] of states)
    for (const state of options) assert.notEqual(statusWord(kind, state).word, state, `${kind} ${state} has no word`)
})

test('an unknown state is shown as it came and claims nothing', () => {
  assert.deepEqual(statusWord('product', 'constructor'), { family: 'off', word: 'constructor' })
})
