import type { ColumnType, Generated, JSONColumnType } from 'kysely'
import type { Problem } from '../core/fail.ts'
import type { Step } from '../plan/step.ts'
import type { TriggerDefinition } from '../plan/triggers.ts'
import type { Message } from '../platform/notification.ts'
import type { ProjectLineage } from '../platform/transformation.ts'
import type { LevelState, Verdict } from '../slo/evaluate.ts'
import type { Outcome } from '../slo/level.ts'
import type { ProductSpec, ServiceLevel } from '../spec/types.ts'

/** The rows of the control database, as `migrations/` makes them. Times are Dates; bigints that can pass 2^53 do not occur. */
type Json<T extends object | null> = JSONColumnType<T, string, string>
type Made = ColumnType<Date, Date | undefined, Date>

export type RunKind =
  | 'bootstrap'
  | 'deploy'
  | 'refresh'
  | 'promote'
  | 'rollback'
  | 'retire'
  | 'restore'
  | 'roll-out'
  | 'grant'
  | 'revoke'
  | 'undo'
/** Runs that make a commit the environment's release. */
export const DEPLOY_KINDS: readonly RunKind[] = ['deploy', 'promote']
export const RUN_STATES = ['waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'superseded', 'denied'] as const
export type RunState = (typeof RUN_STATES)[number]
export type StepState = 'pending' | 'running' | 'succeeded' | 'failed' | 'skipped' | 'cancelled'
export type RequestKind = 'product' | 'domain' | 'access' | 'retire' | 'restore'
export type RequestState = 'draft' | 'submitted' | 'approved' | 'denied' | 'withdrawn' | 'done' | 'failed'
export type AgreementState =
  | 'requested'
  | 'approved'
  | 'applying'
  | 'active'
  | 'expiring'
  | 'expired'
  | 'revoked'
  | 'denied'
  | 'withdrawn'
  | 'failed'
/** `as`: the names of the rule that the decider stood for when deciding, itself or its groups */
export type Approval = { by: string; as: string[]; at: string; decision: 'approved' | 'denied'; note: string | null }

export type IncidentState = 'open' | 'acknowledged' | 'resolved'
/** Why a level fails, in words for people and with what it points at. No row values. */
export type Cause = {
  kind: 'run' | 'upstream' | 'idle' | 'unreadable' | 'short' | 'platform'
  what: string
  /** what to do next */
  next: string
  /** number of the failed run */
  run?: number
  /** address of the product whose data is waited for */
  upstream?: string
  /** number of that product's open incident */
  incident?: number
}
/** Secrets are resolved when a message is sent, so the row holds names only. */
export type StoredDestination = { kind: 'email'; to: string[] } | { kind: 'webhook'; urlSecret: string }

export type LineageLevel = 'product' | 'object' | 'column'
/** What a run knew of what it published. No row's value. */
export type BuiltPlace = {
  run: number
  revision: number
  at: string
  objects: { port: string; major: number; object: string; rows: number | null; columns: string[] }[]
  /** hash of the lineage of the commit; null when there is none */
  lineage: string | null
}

export type Database = {
  mesh: { version: Generated<number>; document: Json<object>; hash: string; applied_at: Made }
  subject: {
    id: string
    name: string
    kind: 'user' | 'group' | 'service'
    title: string
    email: string | null
    domain: string | null
    groups: string[]
    attributes: Json<Record<string, string[]>>
    sample: boolean
    disabled_at: Date | null
  }
  token: {
    id: string
    subject: string
    kind: 'session' | 'once' | 'git' | 'service' | 'read'
    name: string | null
    hash: string
    product: string | null
    expires_at: Date
    used_at: Date | null
    revoked_at: Date | null
  }
  domain: {
    name: string
    title: string
    owners: string[]
    budget: Json<{ connections: number; statementMs: number; tempFileBytes: number }>
  }
  product: {
    id: string
    domain: string
    name: string
    title: string
    owner: string
    state: 'draft' | 'active' | 'retired'
    uid: Generated<number>
    created_at: Made
  }
  request: {
    id: string
    number: Generated<number>
    kind: RequestKind
    payload: Json<Record<string, unknown>>
    by: string
    state: RequestState
    approvers: string[]
    approvals: Json<Approval[]>
    run: string | null
    created_at: Made
    updated_at: Made
  }
  plan: {
    id: string
    kind: RunKind
    product: string
    environment: string
    world_hash: string
    steps: Json<Step[]>
    affected: Json<string[]>
    created_at: Made
  }
  run: {
    id: string
    number: Generated<number>
    kind: RunKind
    product: string
    environment: string
    lane: string
    plan: string
    state: RunState
    by: string
    because: string
    commit_id: string | null
    detail: Json<Record<string, unknown>>
    approvers: string[]
    approvals: Json<Approval[]>
    /** below 0: in the background, behind every other run */
    priority: Generated<number>
    epoch: Generated<number>
    owner: string | null
    lease_until: Date | null
    cancel_by: string | null
    problem: Json<Problem> | null
    created_at: Made
    started_at: Date | null
    ended_at: Date | null
  }
  step: {
    run: string
    id: string
    ordinal: number
    stage: string
    command: string
    address: string
    title: string
    args: Json<Record<string, unknown>>
    depends_on: string[]
    risk: 'safe' | 'disruptive' | 'destructive'
    because: string
    state: ColumnType<StepState, StepState | undefined, StepState>
    attempt: Generated<number>
    epoch: number | null
    started_at: Date | null
    ended_at: Date | null
    result: Json<Record<string, unknown>> | null
    problem: Json<Problem> | null
  }
  event: { id: Generated<number>; run: string; step: string | null; at: Made; kind: string; data: Json<Record<string, unknown>> }
  release: {
    id: string
    product: string
    environment: string
    number: number
    label: string
    commit_id: string
    content: string
    spec: Json<ProductSpec>
    spec_hash: string
    revision: number
    run: string
    current: boolean
    pinned_at: Date | null
    pinned_by: string | null
    at: Made
  }
  inventory: {
    environment: string
    address: string
    product: string | null
    kind: string
    input_hash: string
    observed: Json<Record<string, unknown>>
    generation: Generated<number>
    run: string
    updated_at: Made
  }
  batch: {
    id: string
    product: string
    environment: string
    component: string
    table_name: string
    relation: string
    rows: number
    bytes: number
    sha256: string
    run: string
    sealed_at: Made
  }
  publication: {
    id: string
    product: string
    environment: string
    payload: Json<Record<string, unknown>>
    at: Date
    observed_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  }
  reading: {
    run: string
    input: string
    product: string
    environment: string
    upstream: string
    port: string
    major: number
    publication: number
    revision: number
    at: Made
  }
  published_port: {
    product: string
    environment: string
    port: string
    major: number
    publication: number
    revision: number
    at: Date
  }
  trigger: {
    product: string
    environment: string
    component: string
    definition: Json<TriggerDefinition>
    next_due: Date | null
    fired_at: Date | null
  }
  trigger_source: {
    product: string
    environment: string
    component: string
    input: string
    upstream: string
    port: string
    major: number
    seen: number
  }
  usage: {
    product: string
    environment: string
    port: string
    major: number
    /** a date; ask for `day::text` */
    day: ColumnType<Date, string, string>
    reader: string
    reads: number
    last_read_at: Date
  }
  usage_port: { product: string; environment: string; port: string; major: number; counted_since: Date | null }
  usage_coverage: {
    environment: string
    as_of: Date
    counting_since: Date | null
    obstacle: string | null
    gaps: JSONColumnType<{ from: string; to: string; why: string }[], string, string>
  }
  agreement: {
    id: string
    number: Generated<number>
    request: string
    product: string
    environment: string
    port: string
    major: number
    offer: string
    terms: Json<Record<string, unknown>>
    terms_hash: string
    subject: string
    purpose: string
    state: AgreementState
    starts_at: Date | null
    ends_at: Date
    ended_because: string | null
    updated_at: Made
  }
  evidence: { id: string; agreement: string; run: string; expect: 'granted' | 'revoked'; proofs: Json<unknown[]>; at: Made }
  community: { domain: string; title: string; created_at: Made }
  entry: {
    product: string
    community: string
    state: 'draft' | 'listed' | 'delisted'
    document: Json<Record<string, unknown>>
    metadata: Json<Record<string, unknown>>
    metrics: Json<Record<string, unknown>>
    built: ColumnType<Record<string, BuiltPlace>, string | undefined, string>
    run: string
    updated_at: Made
  }
  search_entry: {
    product: string
    version: number
    state: string
    domain: string
    address: string
    freshness: number
    names: string
  }
  search_text: { product: string; columns: string; column_paths: string; prose: string }
  lineage_document: {
    product: string
    environment: string
    commit_id: string
    component: string
    document: Json<ProjectLineage>
    run: string
    at: Made
  }
  lineage_node: {
    product: string
    environment: string
    level: LineageLevel
    address: string
    kind: 'source' | 'product' | 'model' | 'object' | 'column'
    name: string
    parent: string
  }
  lineage_edge: {
    product: string
    environment: string
    level: LineageLevel
    from_address: string
    to_address: string
    kind: 'reads' | 'builds'
    upstream: string | null
  }
  lineage_gap: { product: string; environment: string; what: string }
  namespace: { domain: string; created_at: Made }
  monitor: {
    id: string
    product: string
    environment: string
    namespace: string
    port: string
    object: string
    kind: ServiceLevel['kind']
    level: Json<ServiceLevel>
    run: string
    since: Made
  }
  observation: {
    monitor: string
    slice_start: Date
    outcome: Outcome
    value: number | null
    observed_at: Date | null
    recorded_at: Made
    run: string | null
    replayed: ColumnType<boolean, boolean | undefined, boolean>
    problem: string | null
  }
  evaluation: { monitor: string; at: Date; due_at: Date; state: LevelState; since: Date; verdict: Json<Verdict> }
  planned_stop: { id: string; began_at: Date; ended_at: Date | null }
  incident: {
    id: string
    number: Generated<number>
    key: string
    product: string | null
    environment: string | null
    slo: string
    monitor: string | null
    state: IncidentState
    severity: 'page' | 'ticket'
    cause: Json<Cause>
    opened_at: Date
    acknowledged_at: Date | null
    acknowledged_by: string | null
    resolved_at: Date | null
  }
  notification: {
    id: string
    key: string
    product: string | null
    environment: string | null
    incidents: string[]
    change: 'opened' | 'resolved'
    receiver: string
    destination: Json<StoredDestination>
    message: Json<Message>
    attempts: Generated<number>
    next_try: Date
    delivered_at: Date | null
    given_up_at: Date | null
    problem: string | null
    created_at: Made
  }
  handled_push: { product: string; commit_id: string; at: Made }
  audit: { seq: Generated<number>; at: Made; body: string; previous: string; hash: string }
}
