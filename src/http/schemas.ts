import { z } from 'zod'

/**
 * The shapes of /api/v1, the one thing of http that the client, the CLI and the portal see. Times are RFC 3339 in UTC. Lists are `{items, next}` with a
 * cursor in `next`. Errors are RFC 9457 problem documents (`Problem`).
 */
const Time = z.iso.datetime()
const Address = z.string()

export const Position = z.object({ file: z.string(), line: z.number(), column: z.number(), endColumn: z.number().optional() })
export const Diagnostic = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string(),
  what: z.string(),
  why: z.string().optional(),
  fix: z.string().optional(),
  at: Position.optional(),
})
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.string(),
  detail: z.string(),
  why: z.string().optional(),
  fix: z.string(),
  docs: z.string(),
  requestId: z.string(),
  at: Position.optional(),
  details: z.array(Diagnostic).optional(),
})

export const ServiceState = z.object({ name: z.string(), state: z.enum(['up', 'starting', 'down']), detail: z.string() })
export const Health = z.object({ state: z.enum(['ready', 'starting']), version: z.string(), services: z.array(ServiceState) })

export const Me = z.object({
  name: z.string(),
  title: z.string(),
  groups: z.array(z.string()),
  platform: z.boolean(),
  as: z.string().nullable(),
  viewAs: z.array(z.string()),
})

export const RunState = z.enum(['waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'superseded', 'denied'])
export const StepState = z.enum(['pending', 'running', 'succeeded', 'failed', 'skipped', 'cancelled'])
export const RunProblem = z.object({
  code: z.string(),
  message: z.string(),
  why: z.string().optional(),
  fix: z.string(),
  at: Position.optional(),
  details: z.array(Diagnostic).optional(),
})

export const RunSummary = z.object({
  number: z.number(),
  kind: z.string(),
  product: Address,
  environment: z.string(),
  state: RunState,
  by: z.string(),
  because: z.string(),
  commit: z.string().nullable(),
  /** name of the running or failed step */
  step: z.string().nullable(),
  problem: RunProblem.nullable(),
  createdAt: Time,
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
  ms: z.number().nullable(),
  /** median of the last successful runs of the same kind, product and environment */
  usualMs: z.number().nullable(),
})

export const Step = z.object({
  id: z.string(),
  stage: z.string(),
  command: z.string(),
  address: Address,
  title: z.string(),
  risk: z.enum(['safe', 'disruptive', 'destructive']),
  because: z.string(),
  dependsOn: z.array(z.string()),
})
export const RunStep = Step.extend({
  state: StepState,
  attempt: z.number(),
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
  ms: z.number().nullable(),
  /** median of this step in the last successful runs of the same kind, product and environment */
  usualMs: z.number().nullable().optional(),
  problem: RunProblem.nullable(),
  /** one line of what came of it, e.g. "3,322 rows" */
  outcome: z.string().nullable(),
})
/** dbt nodes of a transform step, as the Gantt shows them */
export const RunNode = z.object({
  step: z.string(),
  name: z.string(),
  resource: z.string(),
  status: z.string(),
  startedAt: Time.nullable(),
  endedAt: Time.nullable(),
  message: z.string().nullable(),
  usualMs: z.number().nullable().optional(),
})
export const Run = RunSummary.extend({
  steps: z.array(RunStep),
  nodes: z.array(RunNode),
  isolation: z.string().nullable(),
  approvers: z.array(z.string()),
  approvals: z.array(z.object({ by: z.string(), at: Time, decision: z.string(), note: z.string().nullable() })),
  /** what a reader is served while this run is not finished or has failed, e.g. "r12" */
  served: z.string().nullable(),
  actions: z.object({ retry: z.boolean(), cancel: z.boolean(), undo: z.boolean(), approve: z.boolean() }),
})
/** One server-sent event of GET /runs/:number/events; the SSE id is `id`, resume with Last-Event-ID. */
export const RunEvent = z.object({
  id: z.number(),
  at: Time,
  step: z.string().nullable(),
  kind: z.string(),
  data: z.record(z.string(), z.unknown()),
})

export const Plan = z.object({
  /** null for a plan that was only looked at */
  run: z.number().nullable(),
  kind: z.string(),
  product: Address,
  environment: z.string(),
  steps: z.array(Step),
  affected: z.array(z.string()),
  unchanged: z.number(),
  asOf: Time,
  /** "Nothing to change as of 14:05", "9 steps: 2 to provision, …" */
  summary: z.string(),
  diagnostics: z.array(Diagnostic),
})

export const Release = z.object({
  number: z.number(),
  label: z.string(),
  commit: z.string(),
  at: Time,
  run: z.number(),
  revision: z.number(),
})
/** A release as the product's history shows it. */
export const PastRelease = Release.extend({
  environment: z.string(),
  current: z.boolean(),
  /** its data is kept, so it can be served again without a rebuild */
  kept: z.boolean(),
  by: z.string(),
})
export const ServiceLevelState = z.enum(['met', 'at-risk', 'breached', 'gathering', 'no-data', 'not-evaluated', 'paused'])
/** One service level of a product as it stands. Shares in basis points (9986 is 99.86 %); `good` and `evaluated` count hours, or updates for completeness. */
export const ServiceLevel = z.object({
  environment: z.string(),
  port: z.string(),
  object: z.string(),
  kind: z.enum(['availability', 'completeness', 'freshness']),
  name: z.string(),
  /** what was promised, in words: "readable 99% of hours" */
  promise: z.string(),
  state: ServiceLevelState,
  since: Time.nullable(),
  /** the promise does not hold at this moment */
  failing: z.boolean(),
  target: z.number(),
  value: z.number().nullable(),
  good: z.number(),
  evaluated: z.number(),
  /** hours nobody measured, or whose measuring failed */
  unevaluated: z.number(),
  /** hours (updates) that may be bad in the window; `left` is below 0 when more were */
  budget: z.object({ total: z.number(), used: z.number(), left: z.number() }),
  /** 20 days, the oldest first, in UTC */
  days: z.array(
    z.object({
      day: z.string(),
      state: z.enum(['met', 'at-risk', 'breached', 'no-data', 'not-evaluated']),
      good: z.number(),
      bad: z.number(),
      unevaluated: z.number(),
      /** of the good and bad ones: measured by a run that replayed the source's past */
      replayed: z.number().optional(),
    }),
  ),
  next: z.string(),
  windowDays: z.number(),
  evaluatedAt: Time.nullable(),
  /** number of the open incident */
  incident: z.number().nullable(),
})
export const Incident = z.object({
  number: z.number(),
  /** null: of the platform itself */
  product: Address.nullable(),
  environment: z.string().nullable(),
  slo: z.string(),
  state: z.enum(['open', 'acknowledged', 'resolved']),
  severity: z.enum(['page', 'ticket']),
  cause: z.object({
    kind: z.string(),
    what: z.string(),
    next: z.string(),
    run: z.number().optional(),
    upstream: Address.optional(),
    incident: z.number().optional(),
  }),
  openedAt: Time,
  acknowledgedAt: Time.nullable(),
  acknowledgedBy: z.string().nullable(),
  resolvedAt: Time.nullable(),
  /** who was told, and whether it arrived; addresses are not shown */
  messages: z.array(
    z.object({
      receiver: z.string(),
      kind: z.enum(['email', 'webhook']),
      change: z.enum(['opened', 'resolved']),
      attempts: z.number(),
      deliveredAt: Time.nullable(),
      problem: z.string().nullable(),
      /** no further try */
      givenUp: z.boolean(),
    }),
  ),
  actions: z.object({ acknowledge: z.boolean() }),
})
export const ProductSummary = z.object({
  address: Address,
  title: z.string(),
  domain: z.string(),
  owner: z.string(),
  state: z.string(),
  since: Time,
  reason: z.string().nullable(),
  release: z.string().nullable(),
  slo: ServiceLevelState.nullable(),
  /** seconds since the last publication */
  freshness: z.number().nullable(),
})
export const Served = z.object({
  environment: z.string(),
  port: z.string(),
  major: z.number(),
  version: z.string(),
  schema: z.string(),
  revision: z.number(),
  publishedAt: Time,
  objects: z.array(
    z.object({
      name: z.string(),
      columns: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          tags: z.array(z.string()),
          mask: z.string().nullable(),
          /** the author's words */
          meaning: z.string().nullable().optional(),
        }),
      ),
      rows: z.number().nullable(),
    }),
  ),
})
export const Product = ProductSummary.extend({
  description: z.string().nullable(),
  repository: z.object({ cloneUrl: z.string(), head: z.string().nullable() }),
  environments: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      release: Release.nullable(),
      protected: z.boolean(),
      /** a roll back keeps the release until the next push or an unpin */
      pinned: z.object({ by: z.string(), at: Time }).nullable().optional(),
    }),
  ),
  served: z.array(Served),
  roles: z.array(z.object({ role: z.string(), subjects: z.array(z.string()), may: z.string() })),
  offers: z.array(
    z.object({
      name: z.string(),
      ports: z.array(z.string()),
      purposes: z.array(z.string()),
      defaultDays: z.number(),
      maxDays: z.number(),
      terms: z.string(),
      approvers: z.array(z.string()),
    }),
  ),
  catalog: z
    .object({
      community: z.string(),
      state: z.string(),
      metadata: z.record(z.string(), z.unknown()),
      metrics: z.record(z.string(), z.unknown()),
    })
    .nullable(),
  monitors: z.array(z.object({ port: z.string(), object: z.string(), kind: z.string(), state: ServiceLevelState })),
  runs: z.array(RunSummary),
})

export const RequestKind = z.enum(['product', 'domain', 'access', 'retire', 'restore'])
export const NewProduct = z.object({
  kind: z.literal('product'),
  payload: z.object({
    domain: z.string(),
    name: z.string(),
    title: z.string().optional(),
    purpose: z.string().optional(),
    owner: z.string().optional(),
    template: z.string().optional(),
  }),
})
export const NewDomain = z.object({
  kind: z.literal('domain'),
  payload: z.object({ name: z.string(), title: z.string(), owners: z.array(z.string()).min(1) }),
})
export const NewAccess = z.object({
  kind: z.literal('access'),
  payload: z.object({
    product: Address,
    environment: z.string().optional(),
    port: z.string(),
    offer: z.string().optional(),
    purpose: z.string(),
    justification: z.string().optional(),
    /** who will read: default the requester */
    subject: z.string().optional(),
    /** `90d`; default and cap come from the offer */
    duration: z.string().optional(),
  }),
})
export const NewRetire = z.object({
  kind: z.literal('retire'),
  payload: z.object({ product: Address, because: z.string().max(500).optional() }),
})
export const NewRestore = z.object({ kind: z.literal('restore'), payload: z.object({ product: Address }) })
export const NewRequest = z.discriminatedUnion('kind', [NewProduct, NewDomain, NewAccess, NewRetire, NewRestore])
export const Request = z.object({
  number: z.number(),
  kind: z.string(),
  state: z.enum(['draft', 'submitted', 'approved', 'denied', 'withdrawn', 'done', 'failed']),
  by: z.string(),
  title: z.string(),
  payload: z.record(z.string(), z.unknown()),
  approvers: z.array(z.string()),
  approvals: z.array(z.object({ by: z.string(), at: Time, decision: z.string(), note: z.string().nullable() })),
  run: z.number().nullable(),
  plan: Plan.nullable(),
  createdAt: Time,
  updatedAt: Time,
  /** what happens next and who does it */
  next: z.string(),
  /** the answer to one that asks for the same again: this is the open request from before */
  repeated: z.boolean().optional(),
  actions: z.object({
    approve: z.boolean(),
    deny: z.boolean(),
    withdraw: z.boolean(),
    edit: z.boolean(),
    retry: z.boolean(),
    undo: z.boolean(),
  }),
})
export const Decision = z.object({ note: z.string().optional() })

export const Agreement = z.object({
  number: z.number(),
  request: z.number(),
  product: Address,
  environment: z.string(),
  port: z.string(),
  major: z.number(),
  subject: z.string(),
  purpose: z.string(),
  offer: z.string(),
  state: z.enum([
    'requested',
    'approved',
    'applying',
    'active',
    'expiring',
    'expired',
    'revoked',
    'denied',
    'withdrawn',
    'failed',
  ]),
  startsAt: Time.nullable(),
  endsAt: Time,
  endedBecause: z.string().nullable(),
  evidence: z.array(
    z.object({
      expect: z.string(),
      at: Time,
      run: z.number(),
      proofs: z.array(
        z.object({
          what: z.string(),
          expected: z.string(),
          ok: z.boolean(),
          sqlstate: z.string().nullable(),
          detail: z.string(),
        }),
      ),
    }),
  ),
})

export const Connection = z.object({
  url: z.string(),
  jdbc: z.string(),
  psql: z.string(),
  user: z.string(),
  host: z.string(),
  port: z.number(),
  database: z.string(),
  expiresAt: Time,
  /** until when the password before this one would have been good: it ended with this; null when there was none */
  replaced: Time.nullable(),
  ports: z.array(
    z.object({
      port: z.string(),
      schema: z.string(),
      objects: z.array(z.string()),
      /** address of the port over HTTP; an object's name is its next part */
      http: z.string(),
    }),
  ),
})

/** A port as it is read over HTTP. `type` is the warehouse's; `json` how its values stand in JSON (bigint and numeric are strings, so that nothing is rounded). */
export const DataPort = z.object({
  product: Address,
  environment: z.string(),
  port: z.string(),
  major: z.number(),
  publication: z.number(),
  asOf: Time,
  objects: z.array(
    z.object({
      name: z.string(),
      http: z.string(),
      columns: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          json: z.enum(['number', 'float', 'boolean', 'json', 'timestamp', 'string']),
          /** a mask stands on it: some readers see, and filter by, the mask */
          masked: z.boolean(),
        }),
      ),
    }),
  ),
})

/** What was asked of PostgreSQL, git and the rest after a retirement, and found; `text` is the same for people. */
export const Certificate = z.object({
  product: Address,
  id: z.string(),
  retiredAt: Time,
  by: z.string(),
  because: z.string(),
  run: z.number(),
  archive: z.object({ name: z.string(), place: z.string(), files: z.number(), bytes: z.number(), sha256: z.array(z.string()) }),
  findings: z.array(z.object({ asked: z.string(), question: z.string(), found: z.array(z.string()) })),
  kept: z.array(z.string()),
  text: z.string(),
})

export const Domain = z.object({
  name: z.string(),
  title: z.string(),
  owners: z.array(z.string()),
  products: z.number(),
  budget: z.object({ connections: z.number(), statementMs: z.number(), tempFileBytes: z.number() }),
})
export const Subject = z.object({
  name: z.string(),
  title: z.string(),
  kind: z.string(),
  domain: z.string().nullable(),
  groups: z.array(z.string()),
  attributes: z.record(z.string(), z.array(z.string())),
  sample: z.boolean(),
})
export const AuditRow = z.object({
  seq: z.number(),
  at: Time,
  actor: z.string(),
  onBehalfOf: z.string().nullable(),
  action: z.string(),
  object: z.string(),
  detail: z.record(z.string(), z.unknown()),
})
export const IssuedToken = z.object({ token: z.string(), kind: z.string(), expiresAt: Time })
/** A subject's own token for a program that reads data; its text was shown once. */
export const ReadToken = z.object({ id: z.string(), name: z.string(), expiresAt: Time })

/** One product found by `GET /search`; `match` says which of its names was hit. Order: address, name, prefix, title, column, substring, text. */
export const SearchHit = z.object({
  product: ProductSummary,
  match: z.object({
    field: z.enum(['address', 'name', 'title', 'port', 'object', 'column', 'tag', 'description', 'docs']),
    /** what was hit: a product's address, or `domain/product/port.object.column` */
    address: Address,
    text: z.string(),
  }),
  community: z.string(),
  /** consumers with an active agreement */
  consumers: z.number(),
})

export const LineageLevel = z.enum(['product', 'object', 'column'])
/** `address`: product, `domain/product/port.object`, `domain/product/port.object.column`, or `source:<input>` of what lies outside the mesh. */
export const LineageNode = z.object({
  address: Address,
  kind: z.enum(['source', 'product', 'model', 'object', 'column', 'consumer']),
  name: z.string(),
  product: Address.nullable(),
  state: z.string().nullable(),
  slo: ServiceLevelState.nullable(),
  /** how many lie one hop before and behind it in the whole mesh, drawn or not */
  up: z.number(),
  down: z.number(),
})
/** `from` is read by `to`. */
export const LineageEdge = z.object({
  from: Address,
  to: Address,
  kind: z.enum(['reads', 'builds', 'consumes']),
})
export const Lineage = z.object({
  focus: Address,
  level: LineageLevel,
  environment: z.string(),
  nodes: z.array(LineageNode),
  edges: z.array(LineageEdge),
  /** parts that could not be read, in words; the rest is whole */
  missing: z.array(z.string()),
})

/** Reads of served objects per port and day by people and products, without the platform's own. */
export const PortUsage = z.object({
  environment: z.string(),
  port: z.string(),
  major: z.number(),
  /** the oldest first, in UTC; days before the port was served are left out */
  days: z.array(z.object({ day: z.string(), readers: z.number(), reads: z.number() })),
  /** of the same days, the busiest first; who may not see names sees only itself */
  readers: z.array(z.object({ subject: z.string(), reads: z.number(), lastReadAt: Time })),
  lastReadAt: Time.nullable(),
})
export const Usage = z.object({
  product: Address,
  asOf: Time.nullable(),
  /** what is counted and what cannot be, in words */
  coverage: z.string(),
  ports: z.array(PortUsage),
  /** set when nobody read the product for long enough */
  proposal: z.object({ unusedDays: z.number(), because: z.string(), since: Time }).nullable(),
})

/** A product nobody reads; shown to those who may retire it. */
export const RetirementProposal = z.object({ product: Address, unusedDays: z.number(), because: z.string(), since: Time })

export function List<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() })
}
