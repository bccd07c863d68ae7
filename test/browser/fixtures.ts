import { z } from 'zod'
import * as shapes from '../../src/http/schemas.ts'
import { makeFindFixtures } from './find-fixtures.ts'
import { makeOperateFixtures } from './operate-fixtures.ts'

/**
 * A small mesh as the API would tell it. Everything goes through the schemas of the API when it is made, so the double cannot drift from them.
 */
export type Fixtures = ReturnType<typeof makeFixtures>

const minute = 60_000

export function makeFixtures(now: number) {
  const at = (ms: number) => new Date(now - ms).toISOString()
  const me = shapes.Me.parse({
    name: 'dev',
    title: 'Dev, developer of this machine',
    groups: ['team-operations', 'team-fleet'],
    platform: true,
    as: null,
    viewAs: ['consumer', 'owner', 'platform'],
  } satisfies z.infer<typeof shapes.Me>)
  const health = shapes.Health.parse({ state: 'ready', version: '0.1.0', services: [] } satisfies z.infer<typeof shapes.Health>)
  const domains = z.array(shapes.Domain).parse(
    [
      ['fleet', 'Fleet', 'team-fleet'],
      ['operations', 'Operations', 'team-operations'],
      ['clinical-care', 'Clinical care', 'clinical-data-team'],
    ].map(([name, title, owner], index) => ({
      name,
      title,
      owners: [owner],
      products: index,
      budget: { connections: 20, statementMs: 60_000, tempFileBytes: 1e9 },
    })),
  )
  const failedRun = makeFailedRun(now - 12 * minute)
  const liveRun = makeLiveRun(now)
  const waitingRun = shapes.Run.parse({
    ...summary(815, 'deploy', 'clinical-care/encounters', 'waiting', now - 22 * minute),
    commit: 'b81d07e4c0ffee',
    because: 'push to main, green in dev',
    steps: [
      step('publish:encounters-sql', 'publish', 'Publish encounters-sql v2', 'pending', {
        risk: 'disruptive',
        because: 'column birth_date is masked',
      }),
      step('catalog', 'catalog', 'List in the catalog', 'pending'),
    ],
    nodes: [],
    isolation: null,
    approvers: ['clinical-data-team', 'platform'],
    approvals: [],
    served: 'r4 · 2.1.0',
    actions: { retry: false, cancel: true, undo: false, approve: true },
  })
  const runs = z
    .array(shapes.RunSummary)
    .parse([
      summary(815, 'deploy', 'clinical-care/encounters', 'waiting', now - 22 * minute),
      pickSummary(failedRun),
      pickSummary(liveRun),
      ...[1, 4, 7, 10, 13, 16, 19, 22].flatMap((hour, index) => [
        summary(
          800 - index * 3,
          index % 3 === 1 ? 'deploy' : 'refresh',
          'operations/flights',
          'succeeded',
          now - hour * 60 * minute,
          22_400,
        ),
        summary(799 - index * 3, 'refresh', 'fleet/planes', 'succeeded', now - (hour * 60 + 17) * minute, 4_100),
        summary(
          798 - index * 3,
          'refresh',
          'clinical-care/encounters',
          index === 5 ? 'failed' : 'succeeded',
          now - (hour * 60 + 41) * minute,
          18_200,
        ),
      ]),
    ])
  const products = z
    .array(shapes.ProductSummary)
    .parse([
      productSummary(
        'operations/flights',
        'Flights',
        'team-operations',
        'degraded',
        'Deploy of 4e1c9a2 failed in transform.',
        at(12 * minute),
        'r12 · 1.5.0',
        11_520,
      ),
      productSummary(
        'clinical-care/encounters',
        'Encounters',
        'clinical-data-team',
        'active',
        null,
        at(16 * 1440 * minute),
        'r4 · 2.1.0',
        7_380,
      ),
      productSummary('fleet/planes', 'Planes', 'team-fleet', 'active', null, at(3 * 1440 * minute), 'r5 · 1.1.0', 4_620),
      productSummary('fleet/crews', 'Crews', 'team-fleet', 'draft', null, at(4 * minute), null, null),
    ])
  const product = makeProduct(
    now,
    z.array(shapes.RunSummary).parse(runs.filter((run) => run.product === 'clinical-care/encounters')),
  )
  const requests = z
    .array(shapes.Request)
    .parse([makeAccessRequest(now), makeProductRequest(now), makeFailedRequest(now), makeRetireRequest(now)])
  const agreements = z
    .array(shapes.Agreement)
    .parse([makeAgreement(now, 42, 'analytics-users', 'active'), makeAgreement(now, 17, 'svc-ward-report', 'revoked')])
  const connection = shapes.Connection.parse({
    url: 'postgresql://dev_1f:s%23cret-pw@127.0.0.1:5433/prod',
    jdbc: 'jdbc:postgresql://127.0.0.1:5433/prod?user=dev_1f&password=s%23cret-pw',
    psql: "psql 'postgresql://dev_1f:s%23cret-pw@127.0.0.1:5433/prod'",
    user: 'dev_1f',
    host: '127.0.0.1',
    port: 5433,
    database: 'prod',
    expiresAt: at(-8 * 60 * minute),
    replaced: null,
    ports: [
      {
        port: 'encounters-sql',
        schema: 'clinical_care_encounters_encounters_sql_v2',
        objects: ['encounters'],
        http: 'http://127.0.0.1:4000/data/clinical-care/encounters/encounters-sql/v2',
      },
    ],
  } satisfies z.infer<typeof shapes.Connection>)
  const failedEvents = makeFailedEvents(now - 12 * minute)
  return {
    me,
    health,
    domains,
    runs,
    run: { failed: failedRun, live: liveRun, waiting: waitingRun },
    products,
    product,
    requests,
    agreements,
    connection,
    failedEvents,
    find: makeFindFixtures(now, products),
    otherAgreements: [{ ...makeAgreement(now, 38, 'consumer', 'active'), product: 'operations/flights', purpose: 'analytics' }],
    operate: makeOperateFixtures(now, product, runs),
  }
}

type RunOf = z.infer<typeof shapes.Run>
type StepOf = z.infer<typeof shapes.RunStep>

function summary(
  number: number,
  kind: string,
  product: string,
  state: RunOf['state'],
  started: number,
  ms: number | null = null,
): z.infer<typeof shapes.RunSummary> {
  const over = state !== 'waiting' && state !== 'running' && state !== 'queued'
  return {
    number,
    kind,
    product,
    environment: 'prod',
    state,
    by: kind === 'refresh' ? 'schedule' : 'dev',
    because: kind === 'refresh' ? 'every 3 h' : 'push to main',
    commit: '4e1c9a2b77d0',
    step: state === 'failed' ? 'transform' : null,
    problem: state === 'failed' ? { code: 'TRANSFORM_TEST_FAILED', message: 'A data test failed', fix: 'Open the run.' } : null,
    createdAt: new Date(started).toISOString(),
    startedAt: state === 'waiting' ? null : new Date(started).toISOString(),
    endedAt: over ? new Date(started + (ms ?? 3000)).toISOString() : null,
    ms,
    usualMs: ms,
  }
}

function pickSummary(run: RunOf): z.infer<typeof shapes.RunSummary> {
  return shapes.RunSummary.parse(run)
}

function step(id: string, stage: string, title: string, state: StepOf['state'], more: Partial<StepOf> = {}): StepOf {
  return {
    id,
    stage,
    command: `${stage}-x`,
    address: 'operations/flights',
    title,
    risk: 'safe',
    because: 'the spec asks for it',
    dependsOn: [],
    state,
    attempt: state === 'pending' ? 0 : 1,
    startedAt: null,
    endedAt: null,
    ms: null,
    usualMs: null,
    problem: null,
    outcome: null,
    ...more,
  }
}

function timed(
  zero: number,
  from: number,
  took: number,
  usual: number | null,
): Pick<StepOf, 'startedAt' | 'endedAt' | 'ms' | 'usualMs'> {
  return {
    startedAt: new Date(zero + from).toISOString(),
    endedAt: new Date(zero + from + took).toISOString(),
    ms: took,
    usualMs: usual,
  }
}

function makeFailedRun(zero: number): RunOf {
  const node = (
    name: string,
    resource: string,
    status: string,
    from: number,
    took: number,
    usual: number,
    message: string | null = null,
  ) => {
    const { startedAt, endedAt } = timed(zero, from, took, usual)
    return { step: 'transform', name, resource, status, startedAt, endedAt, message, usualMs: usual }
  }
  const problem = {
    code: 'TRANSFORM_TEST_FAILED',
    message: '7,230 of 308,641 flights have no dep_time',
    why: 'Test not_null_flights_dep_time failed. All are cancelled flights: 4e1c9a2 removed the filter on dep_time.',
    fix: 'Keep them: set required: false for dep_time in the spec.',
    at: { file: 'dbt/models/int_flight_status.sql', line: 18, column: 1 },
    details: [
      {
        severity: 'error' as const,
        code: 'TRANSFORM_TEST_FAILED',
        what: 'not_null_flights_dep_time: 7,230 rows',
        fix: 'Leave them out: restore the filter where dep_time is not null.',
      },
    ],
  }
  return shapes.Run.parse({
    ...summary(812, 'deploy', 'operations/flights', 'failed', zero, 18_600),
    usualMs: 22_000,
    step: 'Build and test with dbt',
    problem,
    steps: [
      step('provision:schema', 'provision', 'Schema operations_flights__build', 'succeeded', {
        ...timed(zero, 100, 500, 600),
        outcome: 'unchanged',
      }),
      step('provision:roles', 'provision', 'Roles of operations/flights', 'succeeded', {
        ...timed(zero, 600, 700, 700),
        outcome: '1 role checked',
      }),
      step('ingest:flights', 'ingest', 'Load flights_src', 'succeeded', {
        ...timed(zero, 1_400, 6_800, 5_900),
        outcome: '308,641 rows',
      }),
      step('transform', 'transform', 'Build and test with dbt', 'failed', {
        ...timed(zero, 8_300, 9_700, 11_200),
        problem,
        outcome: null,
      }),
      step('verify', 'verify', 'Verify the revision', 'skipped', { usualMs: 900 }),
      step('policies', 'policies', 'Masks and row filters', 'skipped', { usualMs: 400 }),
      step('publish', 'publish', 'Publish', 'skipped', { usualMs: 800 }),
      step('monitors', 'monitors', 'Monitors', 'skipped', { usualMs: 200 }),
      step('catalog', 'catalog', 'List in the catalog', 'skipped', { usualMs: 200 }),
    ],
    nodes: [
      node('stg_flights', 'view', 'success', 8_500, 600, 600),
      node('stg_airlines', 'view', 'success', 8_500, 400, 400),
      node('int_flight_status', 'table', 'success', 9_100, 2_600, 2_400, '308,641 rows'),
      node('flights', 'table', 'success', 11_700, 4_900, 4_600, '308,641 rows'),
      node('unique_flights_flight_id', 'test', 'pass', 16_600, 700, 700),
      node('accepted_values_flights_carrier', 'test', 'pass', 16_600, 500, 500),
      node('not_null_flights_dep_time', 'test', 'fail', 16_700, 1_200, 600, '7,230 rows'),
      {
        ...node('daily', 'table', 'skipped', 0, 0, 1_600),
        startedAt: null,
        endedAt: null,
        message: 'depends on the failed test',
      },
    ],
    isolation: 'own-uid',
    approvers: [],
    approvals: [],
    served: 'r12 · 1.5.0',
    actions: { retry: true, cancel: false, undo: false, approve: false },
  })
}

function makeLiveRun(now: number): RunOf {
  const zero = now - 2_000
  return shapes.Run.parse({
    ...summary(816, 'deploy', 'fleet/planes', 'running', zero),
    step: 'Load planes.csv',
    usualMs: 4_100,
    steps: [
      step('provision:schema', 'provision', 'Schema fleet_planes__build', 'succeeded', {
        ...timed(zero, 50, 300, 400),
        outcome: 'unchanged',
      }),
      step('ingest:planes', 'ingest', 'Load planes.csv', 'running', {
        startedAt: new Date(zero + 400).toISOString(),
        usualMs: 900,
      }),
      step('transform', 'transform', 'Build and test with dbt', 'pending', { usualMs: 1_900 }),
      step('publish', 'publish', 'Publish', 'pending', { usualMs: 300 }),
    ],
    nodes: [],
    isolation: 'own-uid',
    approvers: [],
    approvals: [],
    served: 'r5 · 1.1.0',
    actions: { retry: false, cancel: true, undo: false, approve: false },
  })
}

function makeFailedEvents(zero: number): z.infer<typeof shapes.RunEvent>[] {
  let id = 0
  const event = (ms: number, stepId: string | null, kind: string, data: Record<string, unknown>) =>
    shapes.RunEvent.parse({ id: ++id, at: new Date(zero + ms).toISOString(), step: stepId, kind, data })
  const log = (ms: number, stepId: string | null, text: string, level = 'info') => event(ms, stepId, 'log', { level, text })
  const started = [event(0, null, 'state', { state: 'running' }), log(20, null, 'commit 4e1c9a2: 7 steps change, 31 unchanged')]
  const loading = Array.from({ length: 196 }, (_, index) =>
    log(1_400 + index * 30, 'ingest:flights', `COPY flights_src: ${(index + 1) * 1_575} rows read`),
  )
  const nodes = Array.from({ length: 17 }, (_, index) =>
    log(8_500 + index * 400, 'transform', `${index + 1} of 24 OK created sql view model operations_flights__build.stg_${index}`),
  )
  return [
    ...started,
    ...loading,
    ...nodes,
    log(16_600, 'transform', '3 of 5 START test not_null_flights_dep_time'),
    log(17_300, 'transform', '1 of 5 PASS unique_flights_flight_id in 0.7 s'),
    log(17_900, 'transform', '3 of 5 FAIL 7230 not_null_flights_dep_time in 1.2 s', 'error'),
    log(
      17_901,
      'transform',
      '     Got 7230 results, configured to fail if != 0\n     models/marts/flights.yml:22:11   compiled: target/compiled/not_null_flights_dep_time.sql',
      'error',
    ),
    log(17_990, 'transform', 'SKIP relation daily due to failed test on flights'),
    log(18_100, null, 'transform failed; verify, policies, publish and 2 more skipped; build schema kept for 24 h', 'warn'),
    event(18_500, 'transform', 'step', { id: 'transform', state: 'failed', ms: 9_700 }),
    event(18_600, null, 'state', { state: 'failed' }),
    { ...event(18_600, null, 'end', {}), id: id - 1 },
  ]
}

function productSummary(
  address: string,
  title: string,
  owner: string,
  state: string,
  reason: string | null,
  since: string,
  release: string | null,
  freshness: number | null,
) {
  const slo = state === 'degraded' ? 'at-risk' : release ? 'met' : null
  return { address, title, domain: address.split('/')[0], owner, state, since, reason, release, slo, freshness }
}

function makeProduct(now: number, runs: z.infer<typeof shapes.RunSummary>[]): z.infer<typeof shapes.Product> {
  const at = (ms: number) => new Date(now - ms).toISOString()
  const column = (
    name: string,
    type: string,
    tags: string[] = [],
    mask: string | null = null,
    meaning: string | null = null,
  ) => ({
    name,
    type,
    tags,
    mask,
    meaning,
  })
  const release = { number: 4, label: '2.1.0', commit: '9f2d11c0aa', at: at(123 * minute), run: 790, revision: 31 }
  const served = {
    port: 'encounters-sql',
    major: 2,
    version: '2.1.0',
    schema: 'clinical_care_encounters_encounters_sql_v2',
    revision: 31,
    publishedAt: at(123 * minute),
    objects: [
      {
        name: 'encounters',
        rows: 186_000,
        columns: [
          column('encounter_id', 'text', [], null, 'One stay in one facility'),
          column('patient_id', 'text', ['pii', 'phi'], 'hash', 'Refers to the patient register'),
          column('facility_id', 'text', [], null, 'Facility of the stay'),
          column('birth_date', 'date', ['pii', 'phi'], 'round', 'Date of birth'),
          column('admitted_at', 'timestamp with time zone'),
          column('diagnosis', 'text', ['phi'], null, 'Main diagnosis, ICD-10'),
        ],
      },
    ],
  }
  return shapes.Product.parse({
    ...productSummary(
      'clinical-care/encounters',
      'Encounters',
      'clinical-data-team',
      'active',
      null,
      at(16 * 1440 * minute),
      'r4 · 2.1.0',
      7_380,
    ),
    description:
      'One row per stay in one of our facilities, with admission, discharge and main diagnosis. For quality reporting and bed planning.',
    repository: { cloneUrl: 'http://127.0.0.1:4000/git/clinical-care/encounters.git', head: '9f2d11c0aa' },
    environments: [
      {
        name: 'dev',
        state: 'active',
        release: { ...release, number: 5, label: '2.2.0', at: at(60 * minute), run: 798 },
        protected: false,
      },
      { name: 'prod', state: 'active', release, protected: true },
    ],
    served: [
      { ...served, environment: 'dev' },
      { ...served, environment: 'prod' },
    ],
    roles: [
      { role: 'consumer', subjects: ['analytics-users'], may: 'reads the output ports it has an agreement for' },
      { role: 'service', subjects: ['svc-clinical-care-encounters'], may: 'reads and writes internal data, inputs and outputs' },
      { role: 'owner', subjects: ['clinical-data-team'], may: 'edits metadata, reads all data and metrics' },
    ],
    offers: [
      {
        name: 'limited-data-set',
        ports: ['encounters-sql'],
        purposes: ['quality-reporting', 'bed-planning'],
        defaultDays: 90,
        maxDays: 365,
        terms: 'limited-data-set v3: no re-identification, no onward sharing',
        approvers: ['clinical-data-team', 'privacy-office'],
      },
    ],
    catalog: { community: 'Clinical care', state: 'listed', metadata: {}, metrics: {} },
    monitors: [
      { port: 'encounters-sql', object: 'encounters', kind: 'availability', state: 'met' },
      { port: 'encounters-sql', object: 'encounters', kind: 'completeness', state: 'met' },
      { port: 'encounters-sql', object: 'encounters', kind: 'freshness', state: 'at-risk' },
    ],
    runs,
  })
}

const nothing = { approve: false, deny: false, withdraw: false, edit: false, retry: false, undo: false }

function makeAccessRequest(now: number): z.infer<typeof shapes.Request> {
  return {
    number: 55,
    kind: 'access',
    state: 'submitted',
    by: 'consumer',
    title: 'read clinical-care/encounters/encounters-sql for quality-reporting',
    payload: {
      product: 'clinical-care/encounters',
      environment: 'prod',
      port: 'encounters-sql',
      offer: 'limited-data-set',
      purpose: 'quality-reporting',
      justification: 'Length-of-stay report for the quality board, monthly. I need admission and discharge times by facility.',
      duration: '180d',
    },
    approvers: ['clinical-data-team', 'privacy-office'],
    approvals: [],
    run: null,
    plan: makePlan(now, 'grant', 'clinical-care/encounters', [
      ['access', 'Grant encounters-sql v2 to consumer', 'request 55, purpose quality-reporting'],
      ['access', 'Log in as consumer and prove what works and what must not', 'every grant is proven'],
    ]),
    createdAt: new Date(now - 70 * minute).toISOString(),
    updatedAt: new Date(now - 70 * minute).toISOString(),
    next: 'You or another of clinical-data-team decide, then privacy-office.',
    actions: { ...nothing, approve: true, deny: true },
  }
}

export function makeProductRequest(now: number): z.infer<typeof shapes.Request> {
  return {
    number: 56,
    kind: 'product',
    state: 'submitted',
    by: 'dev',
    title: 'new product clinical-care/wards',
    payload: {
      domain: 'clinical-care',
      name: 'wards',
      title: 'Wards',
      purpose: 'Beds and staff by ward, for planning.',
      owner: 'clinical-data-team',
    },
    approvers: ['clinical-data-team'],
    approvals: [],
    run: null,
    plan: makePlan(now, 'bootstrap', 'clinical-care/wards', [
      ['provision', 'Schemas clinical_care_wards, …__build', 'a product has private schemas'],
      ['provision', 'Roles consumer, service and owner in dev and prod', 'three roles a product'],
      ['monitors', 'Namespace clinical-care', 'exists, shared by the domain'],
      ['catalog', 'Draft entry in community Clinical care', 'a product is found from its first day'],
      ['repository', 'Repository clinical-care/wards with a scaffold of 9 files', 'deploys green untouched'],
    ]),
    createdAt: new Date(now - 5 * minute).toISOString(),
    updatedAt: new Date(now - 5 * minute).toISOString(),
    next: 'clinical-data-team decides; usual answer 2 h.',
    actions: { ...nothing, withdraw: true, edit: true },
  }
}

function makeFailedRequest(now: number): z.infer<typeof shapes.Request> {
  return {
    ...makeProductRequest(now),
    number: 54,
    state: 'failed',
    title: 'new product fleet/crews',
    payload: { domain: 'fleet', name: 'crews', owner: 'team-fleet' },
    approvals: [{ by: 'owner', at: new Date(now - 9 * minute).toISOString(), decision: 'approved', note: 'needed for rosters' }],
    run: 812,
    next: 'Retry from the failed step, edit, or undo.',
    actions: { ...nothing, retry: true, edit: true, undo: true },
  }
}

function makeRetireRequest(now: number): z.infer<typeof shapes.Request> {
  return {
    ...makeProductRequest(now),
    number: 53,
    kind: 'retire',
    state: 'submitted',
    by: 'ana',
    title: 'Retire fleet/planes',
    payload: { product: 'fleet/planes', because: 'Replaced by fleet/aircraft.' },
    approvers: ['team-fleet'],
    plan: null,
    next: 'team-fleet decides: heddle approve 53',
    actions: { ...nothing, approve: true, deny: true },
  }
}

export function makePlan(
  now: number,
  kind: string,
  product: string,
  steps: [string, string, string][],
): z.infer<typeof shapes.Plan> {
  return shapes.Plan.parse({
    run: null,
    kind,
    product,
    environment: 'prod',
    steps: steps.map(([stage, title, because], index) => ({
      id: `${stage}:${index}`,
      stage,
      command: stage,
      address: product,
      title,
      risk: 'safe',
      because,
      dependsOn: [],
    })),
    affected: [],
    unchanged: 0,
    asOf: new Date(now).toISOString(),
    summary: `${steps.length} steps: all safe`,
    diagnostics: [],
  })
}

function makeAgreement(
  now: number,
  number: number,
  subject: string,
  state: 'active' | 'revoked',
): z.infer<typeof shapes.Agreement> {
  const proof = (what: string, expected: string, ok = true, sqlstate: string | null = null) => ({
    what,
    expected,
    ok,
    sqlstate,
    detail: '',
  })
  return {
    number,
    request: number,
    product: 'clinical-care/encounters',
    environment: 'prod',
    port: 'encounters-sql',
    major: 2,
    subject,
    purpose: 'quality-reporting',
    offer: 'limited-data-set',
    state,
    startsAt: new Date(now - 30 * 1440 * minute).toISOString(),
    endsAt: new Date(now + 60 * 1440 * minute).toISOString(),
    endedBecause: state === 'revoked' ? 'revoked by owner: report retired' : null,
    evidence: [
      {
        expect: state === 'revoked' ? 'revoked' : 'granted',
        at: new Date(now - 7 * minute).toISOString(),
        run: 790,
        proofs: [
          proof(
            'select from the served view',
            state === 'revoked' ? 'refused' : 'reads',
            true,
            state === 'revoked' ? '42501' : null,
          ),
          proof('patient_id', 'masked as hash'),
          proof('select from the build schema', 'refused', true, '42501'),
          proof('rows of other facilities', 'none'),
        ],
      },
    ],
  }
}
