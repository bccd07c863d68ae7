import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSlots } from './slots.ts'

const never = new AbortController().signal

test('slots are given in order; giving one back twice gives it back once', async () => {
  const slots = createSlots(1, { length: 2, waitMs: 60_000 })
  const first = await slots.take(never)
  const order: string[] = []
  const second = slots.take(never).finally(() => order.push('second'))
  const third = slots.take(never).finally(() => order.push('third'))
  assert.equal(await slots.take(never), null, 'the line is full')
  first?.()
  first?.()
  ;(await second)?.()
  ;(await third)?.()
  assert.deepEqual(order, ['second', 'third'])
  assert.notEqual(await slots.take(never), null)
})

test('who leaves or waits too long loses the place, not the slot', async () => {
  const slots = createSlots(1, { length: 2, waitMs: 1 })
  const first = await slots.take(never)
  assert.equal(await slots.take(never), null)
  const leaving = new AbortController()
  const gone = slots.take(leaving.signal)
  leaving.abort()
  assert.equal(await gone, null)
  first?.()
  assert.notEqual(await slots.take(never), null)
})
