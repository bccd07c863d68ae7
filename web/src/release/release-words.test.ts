import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PastRelease, Product } from '../api/types.ts'
import { rollbackPlace, rollbackTarget } from './release-words.ts'

const release = (environment: string, number: number, current: boolean, kept = true) =>
  ({ environment, number, current, kept, label: '1.0.0' }) as PastRelease

test('the way back is the newest kept release before the one in service, never that one', () => {
  const releases = [
    release('prod', 4, true),
    release('prod', 3, false, false),
    release('prod', 2, false),
    release('prod', 1, false),
  ]
  assert.equal(rollbackTarget(releases, 'prod')?.number, 2)
  assert.equal(rollbackTarget(releases, 'dev'), null)
  assert.equal(rollbackTarget([release('prod', 1, true)], 'prod'), null)
  // After a roll back the newer release is forward, not back: it stays in the table.
  assert.equal(rollbackTarget([release('prod', 2, false), release('prod', 1, true)], 'prod'), null)
})

test('the page offers the environment nearest to consumers that has a way back', () => {
  const product = { environments: [{ name: 'dev' }, { name: 'prod' }] } as Product
  const dev = [release('dev', 2, true), release('dev', 1, false)]
  assert.equal(rollbackPlace(product, [...dev, release('prod', 2, true), release('prod', 1, false)])?.environment, 'prod')
  assert.equal(rollbackPlace(product, [...dev, release('prod', 1, true)])?.environment, 'dev')
  assert.equal(rollbackPlace(product, []), null)
})
