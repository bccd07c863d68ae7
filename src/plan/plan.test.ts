import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeddleError } from '../core/fail.ts'
import type { ProductSpec } from '../spec/types.ts'
import { planGrant, planRevoke } from './access.ts'
import { planBootstrap, planUndoBootstrap } from './bootstrap.ts'
import { planDeploy, planRefresh } from './deploy.ts'
import { explainPlan } from './explain.ts'
import { keepProtection } from './rollback.ts'
import type { Step } from './step.ts'
import { type DeployWorld, inventoryKey, onlyChanged } from './world.ts'

const product = { id: '01900000-0000-7000-8000-000000000001', domain: 'fleet', name: 'planes', title: 'Planes' }
const domain = {
  name: 'fleet',
  title: 'Fleet',
  owners: ['owner'],
  budget: { connections: 4, statementMs: 1000, tempFileBytes: 1024 },
}
const column = {
  name: 'tailnum',
  logicalType: 'string' as const,
  physicalType: null,
  required: true,
  unique: true,
  primaryKey: true,
  classification: null,
  tags: [],
  description: null,
}
const spec: ProductSpec = {
  domain: 'fleet',
  name: 'planes',
  version: '1.2.0',
  title: 'Planes',
  description: { purpose: 'x', limitations: null, usage: null },
  status: 'active',
  tags: [],
  team: { name: 'fleet', members: [] },
  inputs: [{ kind: 'file', name: 'file', path: 'nyc/planes.csv', format: 'csv', delimiter: ',', null: 'NA', contract: null }],
  ingestions: [
    {
      name: 'load',
      type: 'file-ingestion',
      dependsOn: ['file'],
      writes: [{ from: 'file', object: null, table: 'planes', disposition: 'replace' }],
      trigger: null,
    },
  ],
  transformations: [
    { name: 'build', type: 'dbt-transformation', dependsOn: ['load'], projectDir: 'dbt', select: '', trigger: null },
  ],
  outputs: [
    {
      name: 'planes',
      port: 'planes',
      kind: 'sql',
      version: '1.2.0',
      major: 1,
      title: 'Planes',
      objects: [{ name: 'planes', from: 'planes', columns: [column], quality: [], description: null }],
      serviceLevels: [{ kind: 'availability', name: 'availability', object: 'planes', target: 0.99, windowMs: 1000 }],
      rowFilters: [],
      masks: [],
    },
  ],
  roles: [],
  offers: [],
  receivers: [],
  retention: [],
}
const world: DeployWorld = {
  product,
  domain,
  environment: 'prod',
  commit: 'c1',
  content: 'h1',
  spec,
  deploy: { name: 'planes', environments: [], secrets: {}, branches: ['main'] },
  inventory: {},
  current: null,
  revision: 1,
  consumers: [],
  upstreams: [],
}

/** The inventory after a plan was done. */
const inventoryAfter = (steps: readonly Step[]) =>
  Object.fromEntries(
    steps.flatMap((step) =>
      step.resource ? [[inventoryKey(String(step.args.environment ?? '*'), step.address), step.resource.inputHash]] : [],
    ),
  )

const ids = (steps: readonly Step[]) => steps.map((step) => step.id)

test('a first deploy goes from provision to release, every dependency before its dependant', () => {
  const { steps } = planDeploy(world)
  assert.deepEqual(ids(steps), [
    'budget@prod',
    'roles@prod',
    'schemas@prod',
    'port-planes-v1@prod',
    'ingest-load',
    'transform-build',
    'seal',
    'quality',
    'policies-planes-v1',
    'publish',
    'monitors',
    'list',
    'release',
    'collect',
  ])
  for (const [index, step] of steps.entries()) {
    for (const needed of step.dependsOn) assert.ok(ids(steps).slice(0, index).includes(needed), `${step.id} needs ${needed}`)
  }
})

test('policies stand before anything is published', () => {
  const { steps } = planDeploy(world)
  const publish = steps.find((step) => step.id === 'publish')!
  assert.deepEqual(publish.dependsOn, ['policies-planes-v1'])
})

test('unchanged content over unchanged resources is an empty plan; either change is a plan', () => {
  const inventory = inventoryAfter(planDeploy(world).steps)
  const current = { number: 1, label: '1.2.0', content: 'h1', revision: 1 }
  const later = { ...world, inventory, current, revision: 2 }
  assert.deepEqual(planDeploy(later).steps, [])
  assert.equal(explainPlan(planDeploy(later), new Date('2026-11-23T14:05:00Z')), 'Nothing to change as of 14:05 UTC')
  assert.equal(planDeploy({ ...later, content: 'h2' }).steps[0]!.id, 'ingest-load')
  const poorer = { ...domain, budget: { ...domain.budget, connections: 2 } }
  assert.equal(planDeploy({ ...later, domain: poorer }).steps[0]!.id, 'budget@prod')
})

test('equal worlds give equal hashes, and a consumer who will notice is named once', () => {
  assert.equal(planDeploy(world).worldHash, planDeploy(structuredClone(world)).worldHash)
  assert.notEqual(planDeploy(world).worldHash, planDeploy({ ...world, commit: 'c2' }).worldHash)
  const consumers = [
    { subject: 'kim', port: 'planes' },
    { subject: 'kim', port: 'planes' },
    { subject: 'ana', port: 'planes' },
  ]
  assert.deepEqual(planDeploy({ ...world, consumers }).affected, ['ana', 'kim'])
})

test('a refresh changes data only', () => {
  const steps = planRefresh(world, 'asked for').steps
  assert.deepEqual(ids(steps), [
    'ingest-load',
    'transform-build',
    'seal',
    'quality',
    'policies-planes-v1',
    'publish',
    'refresh',
    'collect',
  ])
})

test('a source without an adapter is planned, and refused by its command', () => {
  const inputs: ProductSpec['inputs'] = [{ kind: 'api', name: 'file', server: {}, secret: null }]
  const [ingest] = planDeploy({ ...world, spec: { ...spec, inputs } }).steps.filter((step) => step.command === 'ingest')
  assert.deepEqual(ingest!.args.reads, [{ table: 'planes', unsupported: 'api', from: 'file' }])
})

test('a bootstrap ends with the repository; what stands is not planned again', () => {
  const bootstrap = { product, domain, environments: ['prod'], purpose: 'x', template: 'standard', inventory: {} }
  const { steps } = planBootstrap(bootstrap)
  assert.equal(steps.at(-1)!.id, 'repository')
  assert.deepEqual(ids(onlyChanged(inventoryAfter(steps), steps)), ['entry'])
})

test('an undo takes back in the opposite order, keeps what others share, and gives the name back last', () => {
  const { steps } = planBootstrap({ product, domain, environments: ['prod'], purpose: 'x', template: 'standard', inventory: {} })
  const undo = planUndoBootstrap({ product, finished: steps })
  assert.deepEqual(ids(undo.steps), ['undo-repository', 'undo-entry', 'undo-schemas@prod', 'undo-roles@prod', 'undo-product'])
  assert.ok(undo.steps.every((step) => step.risk === 'destructive'))
})

test('a grant and a revocation both end with a log-in that proves them', () => {
  const access = {
    agreement: 'a',
    number: 1,
    address: 'fleet/planes',
    environment: 'prod',
    place: { id: product.id, domain: 'fleet', product: 'planes' },
    port: 'planes',
    major: 1,
    subject: { name: 'kim', domain: null, attributes: {} },
    consumer: null,
    masked: [],
  }
  assert.deepEqual(ids(planGrant(access).steps), ['login', 'grant', 'prove', 'activate'])
  assert.deepEqual(ids(planRevoke({ ...access, to: 'expired', because: 'time' }).steps), ['revoke', 'prove', 'close'])
})

test('a roll back keeps the masks and row filters of now on what the earlier release left open', () => {
  const [output] = spec.outputs
  const mask = { name: 'm', object: 'planes', column: 'tailnum', method: 'hash' as const, arguments: {}, exempt: [] }
  const filter = { name: 'f', object: 'planes', condition: { op: 'eq' as const, column: 'tailnum', value: 'N1' }, exempt: [] }
  const lost = { ...filter, name: 'g', condition: { op: 'eq' as const, column: 'gone', value: 'x' } }
  const now = { ...spec, outputs: [{ ...output!, masks: [mask], rowFilters: [filter] }] }
  const [kept] = keepProtection(spec, now).outputs
  assert.deepEqual(kept!.masks, [mask])
  assert.deepEqual(kept!.rowFilters, [filter])
  const strict = { ...now, outputs: [{ ...now.outputs[0]!, rowFilters: [lost] }] }
  assert.throws(
    () => keepProtection(spec, strict),
    (error: HeddleError) => error.code === 'ROLLBACK_PROTECTION_LOST',
  )
  const own = { ...mask, method: 'null' as const }
  assert.deepEqual(keepProtection({ ...spec, outputs: [{ ...output!, masks: [own] }] }, now).outputs[0]!.masks, [own])
})
