import assert from 'node:assert/strict'
import { test } from 'node:test'
import { distance, nearest } from './nearest.ts'

test('names are compared by how many letters must change, neighbours that changed places count once', () => {
  for (const [a, b, expected] of [
    ['flights', 'flights', 0],
    ['fligths', 'flights', 1],
    ['flight', 'flights', 1],
    ['', 'abc', 3],
    ['weather', 'whether', 2],
  ] as const)
    assert.equal(distance(a, b), expected, `${a} ${b}`)
})

test('the nearest names come first and what is too far is left out', () => {
  const names = ['operations/flights', 'fleet/planes', 'weather/hourly', 'network/airports']
  assert.deepEqual(nearest('fligths', names), ['operations/flights'])
  assert.deepEqual(nearest('airprots', names), ['network/airports'])
  assert.deepEqual(nearest('fleet/plnes', names), ['fleet/planes'])
  assert.deepEqual(nearest('qqqqqq', names), [])
})
