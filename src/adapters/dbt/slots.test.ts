import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSlots } from './slots.ts'

test('slots: at most so many, first come first served, a waiter may leave', async () => {
  const never = new AbortController().signal
  const slots = createSlots(1)
  const first = (await slots.take(never))!
  const order: string[] = []
  const leaving = new AbortController()
  const left = slots.take(leaving.signal)
  const second = slots.take(never).then((slot) => {
    order.push('second')
    return slot!
  })
  const third = slots.take(never).then((slot) => {
    order.push('third')
    return slot!
  })
  leaving.abort()
  assert.equal(await left, null)
  assert.deepEqual(order, [])
  first.give()
  // Giving twice must not let a second one in.
  first.give()
  const held = await second
  assert.deepEqual(order, ['second'])
  held.give()
  await third
  assert.deepEqual(order, ['second', 'third'])
  assert.equal(await slots.take(AbortSignal.abort()), null)
})
