import { z } from 'zod'
import * as shapes from '../../src/http/schemas.ts'
import { makePlan } from './fixtures.ts'

/** Products as their owners run them: one at risk, one that gathers, one without promises, one retired. All through the schemas of the API. */
export type OperateFixtures = ReturnType<typeof makeOperateFixtures>

type Level = z.infer<typeof shapes.ServiceLevel>
type Day = Level['days'][number]
const minute = 60_000
const day = 1440 * minute

export function makeOperateFixtures(
  now: number,
  base: z.infer<typeof shapes.Product>,
  runs: z.infer<typeof shapes.RunSummary>[],
) {
  const at = (ms: number) => new Date(now - ms).toISOString()
  const release = (number: number, label: string, ago: number, revision: number) => ({
    number,
    label,
    commit: `${(number * 7919).toString(16)}9f2d11c0aa77b0d4e1c9a2b77d0c0ffee00`,
    at: at(ago),
    run: 700 + number * 7,
    revision,
  })
  const current = release(12, '1.5.0', 6 * day, 88)
  const flights = shapes.Product.parse({
    ...base,
    address: 'operations/flights',
    title: 'Flights',
    domain: 'operations',
    owner: 'team-operations',
    state: 'degraded',
    since: at(12 * minute),
    reason: 'run 812: 7,230 of 308,641 flights have no dep_time',
    release: 'r12 · 1.5.0',
    slo: 'at-risk',
    freshness: 11_520,
    description: 'One row per departure from New York, with its planned and real times. For every product about operations.',
    repository: { cloneUrl: 'http://127.0.0.1:4000/git/operations/flights.git', head: '4e1c9a2b77d0' },
    environments: [{ name: 'prod', state: 'degraded', release: current, protected: false }],
    served: [
      {
        ...base.served[0]!,
        environment: 'prod',
        port: 'daily',
        major: 1,
        version: '1.5.0',
        schema: 'operations_flights_daily_v1',
        revision: 88,
        publishedAt: at(192 * minute),
      },
    ],
    roles: [
      {
        role: 'consumer',
        subjects: ['analysts-ops', 'service:punctuality/delays'],
        may: 'reads the output ports of its agreements',
      },
      { role: 'service', subjects: ['its jobs'], may: 'reads and writes internal data, inputs and outputs' },
      { role: 'owner', subjects: ['team-operations'], may: 'edits metadata, reads all data and metrics' },
    ],
    offers: base.offers.map((offer) => ({ ...offer, name: 'internal-use', ports: ['daily'], approvers: ['team-operations'] })),
    catalog: { community: 'Operations', state: 'listed', metadata: {}, metrics: {} },
    monitors: ['availability', 'completeness', 'freshness'].map((kind) => ({
      port: 'daily',
      object: 'flights',
      kind,
      state: 'met' as const,
    })),
    runs: runs.filter((run) => run.product === 'operations/flights'),
  })
  const planes = shapes.Product.parse({
    ...flights,
    address: 'fleet/planes',
    title: 'Planes',
    domain: 'fleet',
    owner: 'team-fleet',
    state: 'active',
    since: at(3 * day),
    reason: null,
    release: 'r1 · 1.0.0',
    slo: null,
    environments: [{ name: 'prod', state: 'active', release: release(1, '1.0.0', 3 * day, 4), protected: false }],
    roles: flights.roles.map((role) =>
      role.role === 'owner' ? { ...role, subjects: ['team-fleet'] } : { ...role, subjects: [] },
    ),
    offers: [],
    monitors: [],
    runs: [],
  })
  const retired = shapes.Product.parse({
    ...planes,
    address: 'fleet/stations',
    title: 'Stations',
    state: 'retired',
    since: at(2 * day),
    release: null,
    freshness: null,
    environments: [{ name: 'prod', state: 'draft', release: null, protected: false }],
    served: [],
    catalog: { community: 'Fleet', state: 'delisted', metadata: {}, metrics: {} },
    runs: [
      {
        ...runs.at(-1)!,
        number: 640,
        kind: 'retire',
        product: 'fleet/stations',
        environment: '*',
        state: 'succeeded',
        problem: null,
      },
    ],
  })
  const releases = z.array(shapes.PastRelease).parse(
    [
      [current, true, true, 'dev'],
      [release(11, '1.4.0', 13 * day, 71), false, true, 'ana'],
      [release(10, '1.3.2', 20 * day, 60), false, true, 'dev'],
      [release(9, '1.3.1', 34 * day, 44), false, false, 'dev'],
      [release(8, '1.3.0', 41 * day, 39), false, false, 'ana'],
    ].map(([one, isCurrent, kept, by]) => ({ ...(one as object), environment: 'prod', current: isCurrent, kept, by })),
  )
  return {
    products: { 'operations/flights': flights, 'fleet/planes': planes, 'fleet/stations': retired },
    levels: makeLevels(now),
    incidents: makeIncidents(now),
    releases,
    rollback: makeRollback(now),
    retirement: makeRetirement(now),
    certificate: makeCertificate(now),
  }
}

function level(now: number, kind: Level['kind'], more: Partial<Level>): Level {
  return shapes.ServiceLevel.parse({
    environment: 'prod',
    port: 'daily',
    object: 'flights',
    kind,
    name: kind,
    promise: '',
    state: 'met',
    since: new Date(now - 9 * day).toISOString(),
    failing: false,
    target: 9_900,
    value: 10_000,
    good: 480,
    evaluated: 480,
    unevaluated: 0,
    budget: { total: 4, used: 0, left: 4 },
    days: [],
    next: '5 more hours that are unreadable would breach it.',
    windowDays: 20,
    evaluatedAt: new Date(now - 40_000).toISOString(),
    incident: null,
    ...more,
  })
}

/** Twenty days to today; `odd` says which of them are not simply met, `replayed` how many of the oldest were replayed. */
function days(now: number, odd: Record<number, Partial<Day>> = {}, { replayed = 0, each = 24 } = {}): Day[] {
  return Array.from({ length: 20 }, (_, index) => ({
    day: new Date(now - (19 - index) * day).toISOString().slice(0, 10),
    state: 'met' as const,
    good: each,
    bad: 0,
    unevaluated: 0,
    replayed: index < replayed ? each : 0,
    ...odd[index],
  }))
}

function makeLevels(now: number): Record<string, Level[]> {
  const nothing = { state: 'no-data' as const, good: 0, bad: 0, replayed: 0 }
  const empty = Object.fromEntries(Array.from({ length: 19 }, (_, index) => [index, nothing]))
  return {
    'operations/flights': [
      level(now, 'availability', {
        promise: 'readable, 99% of hours',
        value: 9_979,
        good: 479,
        budget: { total: 4, used: 1, left: 3 },
        days: days(now, { 10: { state: 'at-risk', good: 23, bad: 1 } }, { replayed: 14 }),
        next: '4 more hours that are unreadable would breach it.',
      }),
      level(now, 'completeness', {
        promise: 'rows within 5% of the mean, 95% of updates',
        target: 9_500,
        state: 'at-risk',
        good: 19,
        evaluated: 20,
        budget: { total: 1, used: 1, left: 0 },
        value: 9_500,
        days: days(now, { 16: { state: 'at-risk', good: 3, bad: 1 } }, { replayed: 14, each: 4 }),
        next: 'One more short update breaches it.',
      }),
      level(now, 'freshness', {
        promise: 'at most 24 h old, 95% of hours',
        target: 9_500,
        state: 'at-risk',
        since: new Date(now - 472 * minute).toISOString(),
        failing: true,
        value: 9_646,
        good: 463,
        budget: { total: 24, used: 17, left: 7 },
        days: days(
          now,
          {
            6: { state: 'breached', good: 15, bad: 9 },
            12: { state: 'not-evaluated', good: 0, bad: 0, unevaluated: 24, replayed: 0 },
            15: { state: 'at-risk', good: 16, bad: 8 },
          },
          { replayed: 14 },
        ),
        next: '8 more hours that are late would breach it.',
        incident: 19,
      }),
    ],
    'clinical-care/encounters': [
      level(now, 'availability', {
        object: 'encounters',
        promise: 'readable, 99.5% of hours',
        state: 'gathering',
        since: new Date(now - 123 * minute).toISOString(),
        good: 3,
        evaluated: 3,
        budget: { total: 2, used: 0, left: 2 },
        days: days(now, { ...empty, 19: { state: 'met', good: 3, bad: 0 } }),
        next: '21 hours more and it is judged.',
      }),
      level(now, 'completeness', {
        object: 'encounters',
        promise: 'rows within 5% of the mean, 95% of updates',
        state: 'gathering',
        since: new Date(now - 123 * minute).toISOString(),
        value: null,
        good: 0,
        evaluated: 0,
        budget: { total: 0, used: 0, left: 0 },
        days: days(now, { ...empty, 19: nothing }),
        next: 'It needs 5 updates to compare with and has 2; the next after them is judged.',
      }),
      level(now, 'freshness', {
        object: 'encounters',
        promise: 'at most 6 h old, 95% of hours',
        state: 'no-data',
        since: null,
        value: null,
        good: 0,
        evaluated: 0,
        unevaluated: 2,
        budget: { total: 0, used: 0, left: 0 },
        days: days(now, { ...empty, 19: nothing }),
        next: 'Nothing was measured in the window.',
      }),
    ],
    'fleet/planes': [],
    'fleet/stations': [],
  }
}

function makeIncidents(now: number): z.infer<typeof shapes.Incident>[] {
  const at = (ms: number) => new Date(now - ms).toISOString()
  const message = (receiver: string, kind: 'email' | 'webhook', change: 'opened' | 'resolved', more: object = {}) => ({
    receiver,
    kind,
    change,
    attempts: 1,
    deliveredAt: at(470 * minute),
    problem: null,
    givenUp: false,
    ...more,
  })
  const base = {
    product: 'operations/flights',
    environment: 'prod',
    slo: 'freshness',
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
  }
  return z.array(shapes.Incident).parse([
    {
      ...base,
      number: 19,
      state: 'open',
      severity: 'ticket',
      cause: {
        kind: 'run',
        what: 'Run 812 of operations/flights failed in Build and test with dbt: TRANSFORM_TEST_FAILED.',
        next: 'Look and go on from there: heddle logs 812 --failed, then heddle retry 812',
        run: 812,
      },
      openedAt: at(472 * minute),
      messages: [
        message('team-operations', 'email', 'opened'),
        message('operations-chat', 'webhook', 'opened', { attempts: 3, deliveredAt: null, problem: 'the receiver answered 503' }),
      ],
      actions: { acknowledge: true },
    },
    {
      ...base,
      number: 18,
      product: 'punctuality/delays',
      state: 'acknowledged',
      severity: 'page',
      cause: {
        kind: 'upstream',
        what: 'operations/flights has published nothing newer than 2026-03-18T06:10Z (incident 19).',
        next: 'Its owners are asked to act; look at heddle slo operations/flights',
        upstream: 'operations/flights',
        incident: 19,
      },
      openedAt: at(300 * minute),
      acknowledgedAt: at(280 * minute),
      acknowledgedBy: 'ana',
      messages: [],
      actions: { acknowledge: false },
    },
    {
      ...base,
      number: 12,
      slo: 'completeness',
      state: 'resolved',
      severity: 'ticket',
      cause: {
        kind: 'short',
        what: 'The last update of daily.flights brought fewer rows than promised (5 % below its baseline at most).',
        next: 'Look at the run that brought it: heddle runs operations/flights',
      },
      openedAt: at(4 * day),
      acknowledgedAt: at(4 * day - 20 * minute),
      acknowledgedBy: 'dev',
      resolvedAt: at(3 * day),
      messages: [message('team-operations', 'email', 'opened'), message('team-operations', 'email', 'resolved')],
      actions: { acknowledge: false },
    },
  ])
}

function makeRollback(now: number): z.infer<typeof shapes.Plan> {
  const plan = makePlan(now, 'rollback', 'operations/flights', [
    ['verify', 'Revision 71 of r11 is kept', 'roll back from r12 · 1.5.0'],
    ['policies', 'Masks, row filters and grants of daily v1', 'roll back from r12 · 1.5.0'],
    ['publish', 'Publish revision 71', 'roll back from r12 · 1.5.0'],
    ['monitors', 'Monitors of 3 service levels', 'roll back from r12 · 1.5.0'],
    ['catalog', 'List in the catalog', 'roll back from r12 · 1.5.0'],
    ['release', 'r11 · 1.4.0 is the current release', 'roll back from r12 · 1.5.0'],
  ])
  plan.steps[2]!.risk = 'disruptive'
  return {
    ...plan,
    affected: ['analysts-ops', 'service:punctuality/delays'],
    summary: '6 steps: 1 verify, 1 policies, 1 publish, 1 monitors, 1 catalog, 1 release',
  }
}

function makeRetirement(now: number): z.infer<typeof shapes.Plan> {
  const steps: [string, string, 'safe' | 'disruptive' | 'destructive'][] = [
    ['stop', 'No new runs; those under way end', 'disruptive'],
    ['archive', 'Archive data of prod (r4), repository, spec, agreements, journal', 'safe'],
    ['archive', 'Read the archive back and compare it with what stands: from here on only forward', 'safe'],
    ['monitors', 'Delete 0 monitors of prod', 'destructive'],
    ['catalog', 'Delist from the catalog; a tombstone says where the archive is', 'destructive'],
    ['remove', 'Remove 4 schemas, 5 roles, 2 grants in prod', 'destructive'],
    ['remove', 'Remove the repository, its tokens and working folders', 'destructive'],
    ['remove', 'Clear inventory, batches and pushes', 'destructive'],
    ['certificate', 'Ask PostgreSQL and git that nothing is left', 'safe'],
  ]
  const plan = makePlan(
    now,
    'retire',
    'fleet/planes',
    steps.map(([stage, title]): [string, string, string] => [stage, title, 'retirement asked for']),
  )
  plan.steps = plan.steps.map((step, index) => ({ ...step, risk: steps[index]![2] }))
  return { ...plan, environment: '*', summary: '9 steps: 1 stop, 2 archive, 1 monitors, 1 catalog, 3 remove, 1 certificate' }
}

function makeCertificate(now: number): z.infer<typeof shapes.Certificate> {
  const about = ['schemas', 'tables and views', 'roles and logins', 'grants', 'open sessions', 'registry rows']
  return shapes.Certificate.parse({
    product: 'fleet/stations',
    id: '0196f0c4-0000-7000-8000-000000000001',
    retiredAt: new Date(now - 2 * day).toISOString(),
    by: 'dev',
    because: 'Nobody has read it for 74 days; network/airports has the same columns.',
    run: 640,
    archive: {
      name: 'fleet.stations.640',
      place: '/var/lib/heddle/archive/fleet.stations.640',
      files: 7,
      bytes: 1_482_113,
      sha256: ['9f2d11c0aa77b0d4e1c9a2b77d0c0ffee009f2d11c0aa77b0d4e1c9a2b77d0c0  data/prod/r4/1-stations.csv.gz'],
    },
    findings: [
      ...about.map((question) => ({ asked: 'PostgreSQL, prod', question, found: [] })),
      { asked: 'git', question: 'repository', found: [] },
      { asked: 'monitoring', question: 'monitors', found: [] },
      { asked: 'scheduler', question: 'schedules, triggers', found: [] },
      { asked: 'catalog', question: 'listed entries', found: [] },
    ],
    kept: ['archive fleet.stations.640', 'tombstone in the catalog', 'budget of fleet'],
    text: 'Certificate of retirement: fleet/stations\n',
  })
}
