import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProjectLineage } from '../platform/transformation.ts'
import type { OutputPort, ProductSpec } from '../spec/types.ts'
import { type GraphUpstream, productGraph } from './lineage-graph.ts'

function output(port: string, major: number, objects: Record<string, { from: string; columns: string[] }>): OutputPort {
  return {
    name: `${port}-v${major}`,
    port,
    kind: 'sql',
    major,
    version: `${major}.0.0`,
    title: port,
    serviceLevels: [],
    rowFilters: [],
    masks: [],
    objects: Object.entries(objects).map(([name, { from, columns }]) => ({
      name,
      from,
      quality: [],
      description: null,
      columns: columns.map((column) => ({
        name: column,
        logicalType: 'string',
        physicalType: null,
        required: false,
        unique: false,
        primaryKey: false,
        classification: null,
        tags: [],
        description: null,
      })),
    })),
  }
}

const SPEC = {
  domain: 'sales',
  name: 'totals',
  inputs: [
    { kind: 'file', name: 'rates-file', path: 'files/rates.csv', format: 'csv', delimiter: ',', null: null, contract: null },
    {
      kind: 'product',
      name: 'orders',
      domain: 'shop',
      product: 'web-orders',
      port: 'orders',
      versionRange: '^1.0.0',
      expects: [],
    },
  ],
  ingestions: [
    {
      name: 'ingest',
      type: 'file-ingestion',
      dependsOn: [],
      trigger: null,
      writes: [{ from: 'rates-file', object: null, table: 'rates', disposition: 'replace' }],
    },
  ],
  outputs: [output('totals', 1, { totals: { from: 'totals', columns: ['item', 'total'] } })],
} as unknown as ProductSpec
const UPSTREAM: GraphUpstream = {
  input: 'orders',
  id: 'u1',
  domain: 'shop',
  product: 'web-orders',
  port: 'orders',
  objects: ['orders'],
}
const DOCUMENT: ProjectLineage = {
  models: [
    { name: 'joined', columns: ['item', 'eur'], reads: ['source:web_orders__orders', 'source:rates'] },
    { name: 'totals', columns: ['item', 'total'], reads: ['model:joined'] },
  ],
  sources: [
    { name: 'web_orders__orders', columns: ['item', 'amount'] },
    { name: 'rates', columns: ['rate'] },
  ],
  columns: [
    ['joined', 'item', 'source:web_orders__orders', 'item'],
    ['joined', 'eur', 'source:web_orders__orders', 'amount'],
    ['joined', 'eur', 'source:rates', 'rate'],
    ['totals', 'total', 'model:joined', 'eur'],
  ],
  missing: ['other: its SQL could not be read'],
}

function graphOf(spec: ProductSpec, documents: ProjectLineage[], upstreams = [UPSTREAM]) {
  const graph = productGraph({ product: { domain: 'sales', product: 'totals' }, spec, upstreams, documents })
  const edges = (level: string) =>
    graph.edges
      .filter((edge) => edge.level === level)
      .map(({ from, to, kind, upstream }) => `${from} ${kind} ${to}${upstream ? ` of ${upstream}` : ''}`)
      .sort()
  const nodes = (level: string) =>
    graph.nodes
      .filter((node) => node.level === level)
      .map(({ kind, address }) => `${kind} ${address}`)
      .sort()
  return { ...graph, edgesAt: edges, nodesAt: nodes }
}

test('product: what lies outside, and other products', () => {
  const graph = graphOf(SPEC, [DOCUMENT])
  assert.deepEqual(graph.nodesAt('product'), ['product sales/totals', 'source source:sales/totals/rates-file'])
  assert.deepEqual(graph.edgesAt('product'), [
    'shop/web-orders reads sales/totals of u1',
    'source:sales/totals/rates-file reads sales/totals',
  ])
})

test('object: a served model is its object, another stands beside the ports, an upstream keeps its own address', () => {
  const graph = graphOf(SPEC, [DOCUMENT])
  assert.deepEqual(graph.nodesAt('object'), [
    'model sales/totals#joined',
    'object sales/totals/totals.totals',
    'source source:sales/totals/rates-file',
  ])
  assert.deepEqual(graph.edgesAt('object'), [
    'sales/totals#joined builds sales/totals/totals.totals',
    'shop/web-orders/orders.orders reads sales/totals#joined of u1',
    'source:sales/totals/rates-file reads sales/totals#joined',
  ])
  assert.equal(graph.nodes.find(({ kind, level }) => kind === 'source' && level === 'object')!.name, 'files/rates.csv')
})

test('column: through the models to what is ingested and what another product serves', () => {
  const graph = graphOf(SPEC, [DOCUMENT])
  assert.deepEqual(graph.edgesAt('column'), [
    'sales/totals#joined.eur builds sales/totals/totals.totals.total',
    'shop/web-orders/orders.orders.amount reads sales/totals#joined.eur of u1',
    'shop/web-orders/orders.orders.item reads sales/totals#joined.item of u1',
    'source:sales/totals/rates-file.rate reads sales/totals#joined.eur',
  ])
  // One that comes from nothing is there all the same.
  assert.ok(graph.nodesAt('column').includes('column sales/totals/totals.totals.item'))
  assert.deepEqual(graph.gaps, ['other: its SQL could not be read'])
})

test('a model behind two objects builds both; two majors of a port are one node', () => {
  const two = {
    ...SPEC,
    outputs: [
      output('a', 1, { x: { from: 'totals', columns: ['total'] } }),
      output('b', 1, { y: { from: 'totals', columns: ['item'] } }),
    ],
  }
  assert.deepEqual(graphOf(two, [DOCUMENT]).edgesAt('column').slice(0, 2), [
    'sales/totals#joined.eur builds sales/totals#totals.total',
    'sales/totals#totals.item builds sales/totals/b.y.item',
  ])
  const majors = {
    ...SPEC,
    outputs: [
      output('a', 1, { x: { from: 'joined', columns: ['eur'] } }),
      output('a', 2, { x: { from: 'totals', columns: ['total'] } }),
    ],
  }
  assert.deepEqual(graphOf(majors, [DOCUMENT]).nodesAt('object'), [
    'object sales/totals/a.x',
    'source source:sales/totals/rates-file',
  ])
})

test('without a word of the transformation the contract stands alone, and the gap is said', () => {
  const graph = graphOf(SPEC, [])
  assert.deepEqual(graph.nodesAt('object'), ['object sales/totals/totals.totals'])
  assert.deepEqual(graph.edgesAt('object'), [])
  assert.deepEqual(graph.gaps, ['what its models read is not known'])
})

test('what a document says of models nobody has is left out', () => {
  const strange: ProjectLineage = {
    models: [{ name: 'totals', columns: ['total'], reads: ['model:gone', 'source:unknown', 'nonsense', 'model:totals'] }],
    sources: [],
    columns: [
      ['gone', 'a', 'model:totals', 'total'],
      ['totals', 'total', 'model:gone', 'a'],
      ['totals', 'total', 'source:unknown', 'b'],
    ],
    missing: [],
  }
  const graph = graphOf(SPEC, [strange], [])
  assert.deepEqual(graph.edgesAt('column'), ['source:sales/totals/unknown.b reads sales/totals/totals.totals.total'])
  assert.ok(graph.nodesAt('object').includes('source source:sales/totals/unknown'))
})
