import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkManifest } from './check-manifest.ts'
import { parseManifest } from './read-manifest.ts'

const node = (over: object) => ({
  resource_type: 'model',
  name: 'flights',
  database: 'prod',
  schema: 'air__build',
  alias: 'flights',
  original_file_path: 'models/flights.sql',
  config: { materialized: 'table', grants: {}, 'pre-hook': [], 'post-hook': [] },
  ...over,
})
const check = (nodes: object[], from = 'flights') =>
  checkManifest(parseManifest(JSON.stringify({ nodes: Object.fromEntries(nodes.map((value, n) => [`model.p.${n}`, value])) })), {
    buildSchema: 'air__build',
    database: 'prod',
    ports: [{ object: 'flights', from }],
  })

const cases: { name: string; nodes: object[]; from?: string; codes: string[] }[] = [
  { name: 'a table in its place', nodes: [node({})], codes: [] },
  { name: 'an incremental', nodes: [node({ config: { materialized: 'incremental' } })], codes: [] },
  { name: 'a seed', nodes: [node({ resource_type: 'seed', config: { materialized: 'seed' } })], codes: [] },
  { name: 'a versioned model by its alias', nodes: [node({ alias: 'flights_v2' })], from: 'flights_v2', codes: [] },
  {
    name: 'an ephemeral model anywhere',
    nodes: [node({}), node({ name: 'e', alias: 'e', schema: 'x', config: { materialized: 'ephemeral' } })],
    codes: [],
  },
  {
    name: 'tests and hooks are not built',
    nodes: [node({}), node({ resource_type: 'test', name: 't', schema: 'dbt_test__audit' })],
    codes: [],
  },
  { name: 'a view', nodes: [node({ config: { materialized: 'view' } })], codes: ['TRANSFORM_PORT_NOT_A_TABLE'] },
  { name: 'an ephemeral port', nodes: [node({ config: { materialized: 'ephemeral' } })], codes: ['TRANSFORM_PORT_NOT_A_TABLE'] },
  {
    name: 'a materialization of their own',
    nodes: [node({ config: { materialized: 'mine' } })],
    codes: ['TRANSFORM_PORT_NOT_A_TABLE'],
  },
  { name: 'no such model', nodes: [node({})], from: 'flight', codes: ['TRANSFORM_PORT_MODEL_MISSING'] },
  { name: 'no node at all', nodes: [], codes: ['TRANSFORM_PORT_MODEL_MISSING'] },
  { name: 'another schema', nodes: [node({ schema: 'air__build_extra' })], codes: ['TRANSFORM_NODE_OUTSIDE_BUILD'] },
  {
    name: 'a snapshot elsewhere',
    nodes: [node({}), node({ resource_type: 'snapshot', name: 's', alias: 's', schema: 'snapshots' })],
    codes: ['TRANSFORM_NODE_OUTSIDE_BUILD'],
  },
  { name: 'another database', nodes: [node({ database: 'dev' })], codes: ['TRANSFORM_NODE_OUTSIDE_BUILD'] },
  { name: 'a node without fields', nodes: [node({}), {}], codes: ['TRANSFORM_NODE_OUTSIDE_BUILD'] },
  {
    name: 'grants',
    nodes: [node({ config: { materialized: 'table', grants: { select: ['public'] } } })],
    codes: ['TRANSFORM_GRANTS_REFUSED'],
  },
]

for (const { name, nodes, from, codes } of cases) {
  test(`manifest: ${name}`, () => {
    const found = check(nodes, from)
    assert.deepEqual(
      found.map(({ code }) => code),
      codes,
    )
    for (const { fix, why } of found) assert.ok(fix && why)
  })
}

test('hooks are counted, one or a list', () => {
  const { nodes } = parseManifest(
    JSON.stringify({ nodes: { a: node({ config: { 'pre-hook': [{ sql: 'x' }, { sql: 'y' }], 'post-hook': { sql: 'z' } } }) } }),
  )
  assert.equal(nodes[0]!.hooks, 3)
})
