import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseProductAddress } from './address.ts'
import { canonicalJson, hashOf } from './canonical.ts'
import { formatDuration, parseDuration, readDuration } from './duration.ts'
import type { HeddleError } from './fail.ts'
import { newId } from './id.ts'
import { isName, productNames, sqlName } from './names.ts'

test('canonical JSON does not depend on the order of keys', () => {
  assert.equal(canonicalJson({ b: 1, a: { d: [2, { f: 1, e: 2 }], c: null } }), '{"a":{"c":null,"d":[2,{"e":2,"f":1}]},"b":1}')
  assert.equal(hashOf({ a: 1, b: undefined }), hashOf({ a: 1 }))
})

test('names: what may be one and what may not', () => {
  for (const name of ['a', 'planes', 'clinical-care', 'a1-b2']) assert.ok(isName(name), name)
  for (const name of ['', 'A', '1a', 'a_b', 'a--b', 'a-', '-a', 'ä', 'a.b', 'a/b', '../a', 'a'.repeat(64)])
    assert.ok(!isName(name), name)
})

test('SQL names stay short enough for what dbt and we append, and different inputs stay different', () => {
  assert.equal(sqlName('clinical-care', 'encounters'), 'clinical_care_encounters')
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,30}(-[a-z0-9]{1,20})?$/)
  fc.assert(
    fc.property(name, name, (domain, product) => {
      const names = productNames('prod', domain, product)
      for (const each of [names.build, names.revision(999_999), names.servedRevision(product, 99, 999_999)]) {
        assert.ok(Buffer.byteLength(each) <= 63 - '__dbt_tmp'.length, each)
      }
      for (const role of Object.values(names.role)) assert.ok(Buffer.byteLength(role) <= 63, role)
    }),
  )
})

test('two long roles of one product are not cut to the same name', () => {
  const { role } = productNames('production', 'd'.repeat(63), 'p'.repeat(63))
  assert.equal(new Set(Object.values(role)).size, 5)
})

test('addresses are domain/product', () => {
  assert.deepEqual(parseProductAddress('fleet/planes'), { domain: 'fleet', product: 'planes' })
  for (const text of ['fleet', 'a/b/c', '/b', 'A/b', 'a/../b']) {
    assert.throws(
      () => parseProductAddress(text),
      (error: HeddleError) => error.code === 'CORE_ADDRESS_INVALID',
    )
  }
})

test('durations carry a unit without a space', () => {
  assert.equal(parseDuration('24h'), 86_400_000)
  assert.equal(formatDuration(parseDuration('90d')), '90d')
  for (const text of ['24 hrs', '1.5h', '0h', '24', 'h', '24H', '-1d']) assert.equal(readDuration(text), undefined, text)
})

test('ids sort by the time they were made', () => {
  const ids = [newId(1_000), newId(2_000), newId(3_000)]
  assert.deepEqual([...ids].sort(), ids)
  assert.match(ids[0]!, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
