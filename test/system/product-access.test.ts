import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HeddleError } from '../../src/core/fail.ts'
import { deploy, makeProduct, openWorld, type Product, type World } from '../attacks/world.ts'

let world: World
let upstream: Product
let consumer: Product

before(async () => {
  world = await openWorld()
  upstream = await makeProduct(world, { domain: 'air', product: 'source' })
  consumer = await makeProduct(world, { domain: 'rail', product: 'reader' })
  const rowFilters = [
    {
      name: 'own-origins',
      object: 'flights',
      condition: { op: 'in' as const, column: 'origin', values: { subject: 'origins' } },
      exempt: [],
    },
  ]
  await deploy(world, upstream, 1, { rowFilters })
})
after(() => world?.dispose())

const relation = 'air_source_data_v1.flights'
const grant = (origins: string[]) =>
  world.warehouse.grantProduct({
    consumer: consumer.place,
    at: upstream.at,
    attributes: { origins },
    context: upstream.context(),
  })
const pin = (publication?: number) =>
  world.warehouse.pinSources({
    place: consumer.place,
    sources: [{ name: 'source__flights', relation, ...(publication && { publication }) }],
    context: consumer.context(),
  })

/** What the consumer's run reads: rows, as its service login. */
async function rowsRead(): Promise<number | string> {
  const pass = await world.warehouse.openService({ place: consumer.place, validMs: 60_000, context: consumer.context() })
  const client = await world.login(pass)
  try {
    return (await client.query('select count(*)::int as n from rail_reader.source__flights')).rows[0].n
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await client.end()
    await world.warehouse.closeService({ place: consumer.place, context: consumer.context() })
  }
}

test('without a grant nothing is pinned', () => assert.rejects(pin(), (error: HeddleError) => error.name === 'HeddleError'))

test('row filters see the attributes of the service, at once', async () => {
  await grant(['A'])
  assert.deepEqual(await pin(), { pinned: [{ name: 'source__flights', publication: 1, revision: 1 }] })
  assert.equal(await rowsRead(), 3)
  await world.warehouse.setServiceAttributes({ place: consumer.place, attributes: { origins: ['A', 'B'] } })
  assert.equal(await rowsRead(), 6)
  const proofs = await world.warehouse.proveProduct({ consumer: consumer.place, at: upstream.at, expect: 'granted' })
  assert.deepEqual(
    proofs.map(({ ok }) => ok),
    [true, true],
  )
})

test('what was pinned stays what it was, through publications and their collection', async () => {
  await deploy(world, upstream, 2, { rows: 30 })
  const { kept } = await world.warehouse.collect({ place: upstream.place, keep: [2], context: upstream.context() })
  assert.ok(kept.includes('air_source_data_v1__r1'), `kept: ${kept.join(', ')}`)
  assert.equal(await rowsRead(), 6)
  assert.equal((await pin(1)).pinned[0]!.publication, 1)
  assert.equal(await rowsRead(), 6)
  assert.equal((await pin()).pinned[0]!.publication, 2)
  assert.equal(await rowsRead(), 30)
  const { dropped } = await world.warehouse.collect({ place: upstream.place, keep: [2], context: upstream.context() })
  assert.ok(dropped.includes('air_source_data_v1__r1'), `dropped: ${dropped.join(', ')}`)
  await assert.rejects(pin(1), { code: 'WAREHOUSE_SOURCE_INVALID' })
})

test('a revoked consumer keeps neither membership nor view', async () => {
  await world.warehouse.revokeProduct({ consumer: consumer.place, at: upstream.at, context: upstream.context() })
  assert.equal(await rowsRead(), '42P01')
  const proofs = await world.warehouse.proveProduct({ consumer: consumer.place, at: upstream.at, expect: 'revoked' })
  assert.deepEqual(
    proofs.map(({ ok }) => ok),
    [true, true],
  )
  await assert.rejects(pin(), (error: HeddleError) => error.name === 'HeddleError')
})

test('a hint comes with each publication', async () => {
  let hints = 0
  const watch = await world.warehouse.watchOutbox(() => hints++)
  assert.equal(hints, 1, 'once when it listens')
  await deploy(world, upstream, 3)
  for (const end = Date.now() + 2_000; hints < 2 && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(hints, 2)
  await watch.close()
})
