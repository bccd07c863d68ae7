import type {
  Agreement,
  Connection,
  Plan,
  Product,
  ProductSummary,
  Request,
  Run,
  RunEvent,
  RunStep,
  RunSummary,
} from './types.ts'

/** For tests only: one valid answer of each kind, to change where a test needs it otherwise. */
const AT = '2026-03-01T13:05:00.000Z'

export const sampleRunSummary: RunSummary = {
  number: 812,
  kind: 'deploy',
  product: 'fleet/planes',
  environment: 'prod',
  state: 'running',
  by: 'dev',
  because: 'push 9c1e2b0',
  commit: '9c1e2b0aa11bb22cc33dd44ee55ff66aa77bb88c',
  step: 'dbt build',
  problem: null,
  createdAt: AT,
  startedAt: AT,
  endedAt: null,
  ms: null,
  usualMs: 170_000,
}

export function sampleStep(change: Partial<RunStep> & { id: string; stage: string }): RunStep {
  return {
    command: change.id,
    address: 'fleet/planes',
    title: change.id,
    risk: 'safe',
    because: 'it is not there yet',
    dependsOn: [],
    state: 'pending',
    attempt: 1,
    startedAt: null,
    endedAt: null,
    ms: null,
    problem: null,
    outcome: null,
    ...change,
  }
}

export const sampleRun: Run = {
  ...sampleRunSummary,
  steps: [
    sampleStep({
      id: 'copy',
      stage: 'ingest',
      state: 'succeeded',
      startedAt: AT,
      endedAt: '2026-03-01T13:05:41.000Z',
      ms: 41_000,
      outcome: '3,322 rows',
    }),
    sampleStep({ id: 'dbt build', stage: 'transform', state: 'running', startedAt: '2026-03-01T13:05:41.000Z' }),
    sampleStep({ id: 'switch', stage: 'publish', risk: 'disruptive' }),
  ],
  nodes: [],
  isolation: 'own uid',
  approvers: [],
  approvals: [],
  served: 'r12',
  actions: { retry: false, cancel: true, undo: false, approve: false },
}

const sampleProblem = {
  code: 'TRANSFORMATION_TEST_FAILED',
  message: 'test not_null_planes_tailnum found 14 rows',
  fix: 'Correct the model or its source, and push.',
  at: { file: 'models/planes.yml', line: 22, column: 11 },
}

export const sampleFailedRun: Run = {
  ...sampleRun,
  state: 'failed',
  endedAt: '2026-03-01T13:07:29.000Z',
  ms: 149_000,
  problem: sampleProblem,
  steps: [
    sampleRun.steps[0]!,
    { ...sampleRun.steps[1]!, state: 'failed', endedAt: '2026-03-01T13:07:29.000Z', ms: 108_000, problem: sampleProblem },
    sampleRun.steps[2]!,
  ],
  actions: { retry: true, cancel: false, undo: false, approve: false },
}

export const samplePlan: Plan = {
  run: null,
  kind: 'deploy',
  product: 'fleet/planes',
  environment: 'prod',
  steps: [
    {
      id: 'schema',
      stage: 'provision',
      command: 'reconcile-schema',
      address: 'fleet/planes',
      title: 'schema fleet_planes',
      risk: 'safe',
      because: 'it is not there yet',
      dependsOn: [],
    },
    {
      id: 'switch',
      stage: 'publish',
      command: 'publish',
      address: 'fleet/planes/planes',
      title: 'switch planes v1',
      risk: 'disruptive',
      because: 'column region goes',
      dependsOn: ['schema'],
    },
  ],
  affected: ['fin/revenue'],
  unchanged: 9,
  asOf: AT,
  summary: '2 steps: 1 to provision, 1 to publish',
  diagnostics: [],
}

export const sampleRequest: Request = {
  number: 55,
  kind: 'product',
  state: 'approved',
  by: 'dev',
  title: 'New product fleet/planes',
  payload: { domain: 'fleet', name: 'planes' },
  approvers: ['ana'],
  approvals: [],
  run: 812,
  plan: samplePlan,
  createdAt: AT,
  updatedAt: AT,
  next: 'The bootstrap runs.',
  actions: { approve: false, deny: false, withdraw: false, edit: false, retry: false, undo: false },
}

export const sampleSummary: ProductSummary = {
  address: 'fleet/planes',
  title: 'Planes',
  domain: 'fleet',
  owner: 'fleet-team',
  state: 'active',
  since: AT,
  reason: null,
  release: 'r12 · 1.5.0',
  slo: 'met',
  freshness: 720,
}

export const sampleProduct: Product = {
  ...sampleSummary,
  description: 'Every plane of the fleet',
  repository: { cloneUrl: 'http://127.0.0.1:4000/git/fleet/planes.git', head: '9c1e2b0aa11bb22cc33dd44ee55ff66aa77bb88c' },
  environments: [
    {
      name: 'prod',
      state: 'active',
      release: {
        number: 12,
        label: '1.5.0',
        commit: '9c1e2b0aa11bb22cc33dd44ee55ff66aa77bb88c',
        at: AT,
        run: 811,
        revision: 14,
      },
      protected: false,
    },
  ],
  served: [
    {
      environment: 'prod',
      port: 'planes',
      major: 1,
      version: '1.5.0',
      schema: 'fleet_planes_planes_v1',
      revision: 14,
      publishedAt: AT,
      objects: [{ name: 'planes', columns: [{ name: 'tailnum', type: 'text', tags: ['id'], mask: 'hash' }], rows: 3322 }],
    },
  ],
  roles: [{ role: 'consumer', subjects: ['bob'], may: 'read output ports' }],
  offers: [
    {
      name: 'standard',
      ports: ['planes'],
      purposes: ['analytics'],
      defaultDays: 90,
      maxDays: 365,
      terms: 'https://example.com/terms',
      approvers: ['ana'],
    },
  ],
  catalog: { community: 'fleet', state: 'listed', metadata: {}, metrics: {} },
  monitors: [{ port: 'planes', object: 'planes', kind: 'freshness', state: 'met' }],
  runs: [sampleRunSummary],
}

export const sampleAgreement: Agreement = {
  number: 42,
  request: 56,
  product: 'fleet/planes',
  environment: 'prod',
  port: 'planes',
  major: 1,
  subject: 'bob',
  purpose: 'analytics',
  offer: 'standard',
  state: 'active',
  startsAt: AT,
  endsAt: '2026-05-30T13:05:00.000Z',
  endedBecause: null,
  evidence: [
    {
      expect: 'active',
      at: AT,
      run: 813,
      proofs: [{ what: 'reads planes', expected: 'works', ok: true, sqlstate: null, detail: 'logged in as bob' }],
    },
  ],
}

export const sampleConnection: Connection = {
  url: 'postgresql://prod__u__bob:secret@127.0.0.1:5433/prod',
  jdbc: 'jdbc:postgresql://127.0.0.1:5433/prod?user=prod__u__bob&password=secret',
  psql: "psql 'postgresql://prod__u__bob:secret@127.0.0.1:5433/prod'",
  user: 'prod__u__bob',
  host: '127.0.0.1',
  port: 5433,
  database: 'prod',
  expiresAt: '2026-03-01T21:05:00.000Z',
  replaced: null,
  ports: [
    {
      port: 'planes',
      schema: 'fleet_planes_planes_v1',
      objects: ['planes'],
      http: 'http://127.0.0.1:4000/data/fleet/planes/planes/v1',
    },
  ],
}

export function sampleEvent(id: number, kind: string, data: Record<string, unknown> = {}, step: string | null = null): RunEvent {
  return { id, at: AT, step, kind, data }
}
