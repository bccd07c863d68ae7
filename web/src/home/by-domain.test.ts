import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProductSummary } from '../api/types.ts'
import { byDomain } from './by-domain.ts'

const product = (address: string, state: string, slo: ProductSummary['slo']): ProductSummary => ({
  address,
  title: address,
  domain: address.split('/')[0]!,
  owner: 'o',
  state,
  since: '2026-03-01T00:00:00Z',
  reason: null,
  release: null,
  slo,
  freshness: null,
})

test('the worst domain comes first, told by its worst product', () => {
  const domains = byDomain([
    product('calm/one', 'active', 'met'),
    product('moving/one', 'deploying', 'met'),
    product('late/one', 'active', 'met'),
    product('late/two', 'active', 'breached'),
    product('broken/one', 'failed', null),
    product('limping/one', 'degraded', 'met'),
    product('new/one', 'active', 'gathering'),
  ])
  assert.deepEqual(
    domains.map(({ worst }) => worst.address),
    ['broken/one', 'limping/one', 'late/two', 'moving/one', 'new/one', 'calm/one'],
  )
  assert.equal(domains[2]!.products.length, 2)
})
