import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from './turns.ts'

test('one after the other for a key, others at once, and who leaves early holds up nobody', async () => {
  const turns = createTurns()
  const said: string[] = []
  const [one, two, three, other] = [turns.enter('a'), turns.enter('a'), turns.enter('a'), turns.enter('b')]
  for (const [name, turn] of Object.entries({ one, two, three, other })) void turn.ready.then(() => said.push(name))
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  await settle()
  assert.deepEqual(said, ['one', 'other'])
  two.leave()
  await settle()
  assert.deepEqual(said, ['one', 'other'])
  one.leave()
  one.leave()
  await settle()
  assert.deepEqual(said, ['one', 'other', 'two', 'three'])
  three.leave()
  await settle()
  await turns.enter('a').ready
})
