import type { Readable } from 'node:stream'
import type { Diagnostic } from '../core/diagnostic.ts'
import type { Mask, RowFilter } from '../policy/types.ts'
import type { Column, QualityRule } from '../spec/types.ts'
import type { Page, PageRead, PortCsv, PortRead, PortShape } from './port-read.ts'
import type { EffectContext, Fence, Resource } from './resource.ts'

/** Where a product lives in one environment; names derive from domain and name (core/names.ts), the UUID is the owner tag on every object. */
export type Place = { id: string; domain: string; product: string }

/** A domain's compute: shared by its products and its people. Limits in whole numbers; times in ms; bytes for temp files. */
export type DomainBudget = { connections: number; statementMs: number; tempFileBytes: number }

export type PortPlace = { place: Place; port: string; major: number }

export type PlannedColumn = Pick<Column, 'name' | 'logicalType' | 'physicalType' | 'required' | 'unique' | 'primaryKey'>
export type PlannedObject = { name: string; from: string; columns: PlannedColumn[]; quality: QualityRule[] }
export type ServedObject = { name: string; relation: string; columns: string[]; rows: number }

/** A revision's manifest: port object → relation. */
export type Revision = { n: number; objects: { name: string; relation: string; rows: number }[] }

export type ServicePass = { host: string; port: number; database: string; schema: string; user: string; password: string }
/** What the private schema shows under `name`: a sealed batch, or a served object. With `publication` it is that one, also when it is served no longer. */
export type PinnedSource = { name: string; relation: string; publication?: number }
/** `replaced`: until when the password before this one would have been good; null when there was none. */
export type Credential = {
  user: string
  password: string
  host: string
  port: number
  database: string
  expiresAt: string
  replaced: string | null
}

/** One thing tried while logged in as the subject: `ok` says whether the outcome was the expected one. No row values. */
export type Proof = {
  what: string
  expected: 'allowed' | 'refused' | 'masked' | 'filtered'
  ok: boolean
  sqlstate: string | null
  detail: string
  at: string
}

export type ExportedColumn = { name: string; type: string; required: boolean }
/** `fingerprint`: the same for the same rows in any order, as decimal digits. */
export type TableFacts = { name: string; rows: number; fingerprint: string }
export type ExportedTable = TableFacts & { columns: ExportedColumn[] }

/** Everything in an environment that carries a product's owner tag or one of its names, read from the server's own catalogs. */
export type Standing = {
  schemas: string[]
  relations: number
  roles: string[]
  /** functions made for it: what counts its reads */
  functions: string[]
  /** `role → member` */
  grants: string[]
  /** logins of the product's own: service and prober */
  sessions: string[]
  /** rows of the environment's registry that still name it */
  registry: string[]
  /** what others built on it: views outside its schemas */
  dependents: string[]
}

/** An object of a served port as a consumer would meet it. No row's value but the newest `element`; `error` is a code and says that nothing is known. */
export type Measured = {
  port: string
  major: number
  object: string
  exists: boolean
  /** a consumer of the port can read it */
  readable: boolean
  /** null unless counted */
  rows: number | null
  newest: string | null
  publishedAt: string | null
  error: string | null
}
export type MeasureRequest = {
  place: Place
  ports: { port: string; major: number; objects: { name: string; element: string | null; count: boolean }[] }[]
}

/**
 * Who read what. Days are in UTC and belong to the look that saw the reads, `reads` are sums of a whole day: taking them over twice changes nothing.
 */
export type UsageReading = {
  asOf: string
  /** why nothing is counted at the moment, in words; null when it is */
  obstacle: string | null
  countingSince: string | null
  /** what is served, and since when its reads are counted; null: from its next publication on */
  ports: { product: string; port: string; major: number; countedSince: string | null }[]
  /** times of which reads may be missing */
  gaps: { from: string; to: string; why: string }[]
  /** a reader is the name of a subject, or `service:domain/product` */
  reads: { product: string; port: string; major: number; reader: string; day: string; reads: number; lastReadAt: string }[]
}

/** What tells one of the platform's schemas apart from a name a stranger made. */
export type WarehouseFlags = {
  transactionalDdl: boolean
  rowPolicies: boolean
  columnMasks: boolean
  zeroCopyClone: 'views' | 'table' | 'none'
}

/**
 * One environment of one warehouse. Verbs that take an EffectContext are fenced: inside their own transaction they check `heddle.lease` and record
 * `heddle.applied(run, step)` with their result, so a repeated call returns the first result and changes nothing, and a stale epoch is refused with
 * WAREHOUSE_FENCE_STALE.
 */
export type Warehouse = {
  readonly environment: string
  readonly flags: WarehouseFlags
  /** The one superuser step: database, provisioner, groups, revokes, schema `heddle`. Repeating it repairs. */
  initialise(): Promise<{ did: string[] }>
  close(): Promise<void>

  /** The product's UUID in every environment's registry row: refuses a name whose schemas or roles belong to something else (PRODUCT_NAME_TAKEN). */
  readonly budget: Resource<{ domain: string }, DomainBudget, DomainBudget>
  /** the product's roles: consumer, service, owner, keeper, prober */
  readonly roles: Resource<Place, { owners: string[] }, { roles: string[] }>
  /** private and build schema */
  readonly schemas: Resource<Place, Record<string, never>, { schemas: string[] }>
  /** the read role of one port and major, member of consumer */
  readonly port: Resource<PortPlace, Record<string, never>, { role: string }>

  /**
   * Takes the lease of a lane: raises its epoch to the given one. When it was held by an earlier epoch (a take-over), the service login's password is
   * rotated and its sessions are ended first. @throws WAREHOUSE_FENCE_STALE when a higher epoch holds it
   */
  takeLease(request: { place: Place; fence: Fence }): Promise<{ tookOver: boolean }>
  /** The highest epoch that ever held a lane here, 0 before the first. */
  highestEpoch(): Promise<number>
  /** Did this step's effect happen? Its recorded result, or null. */
  confirm(request: { fence: Fence }): Promise<{ result: unknown } | null>

  /** A password for the product's service login, for this run only. */
  openService(request: { place: Place; validMs: number; context: EffectContext }): Promise<ServicePass>
  /** NOLOGIN again, sessions ended, none left. */
  closeService(request: { place: Place; context: EffectContext }): Promise<void>

  /** Loads CSV rows (no header) into a new sealed batch table, in one transaction. */
  loadBatch(request: {
    place: Place
    component: string
    table: string
    columns: { name: string; type: string }[]
    csv: { stream: NodeJS.ReadableStream; delimiter: string; null: string | null }
    context: EffectContext
  }): Promise<{ relation: string; rows: number }>
  /** Points the private schema's views, which dbt reads as sources, to sealed batches and to upstream revisions; the service may read exactly these. */
  pinSources(request: { place: Place; sources: PinnedSource[]; context: EffectContext }): Promise<{
    /** of served objects: which publication, and the revision below it */
    pinned: { name: string; publication: number; revision: number }[]
  }>

  /**
   * Verifies what dbt left in the build schema and moves the tables to the keeper as revision n; dbt's views are dropped; a new empty build schema is
   * made. Findings (each a diagnostic) mean nothing moved. Never selects from an unsealed relation.
   */
  seal(request: {
    place: Place
    n: number
    objects: PlannedObject[]
    context: EffectContext
  }): Promise<{ findings: Diagnostic[]; revision: Revision | null }>
  /** Quality rules of the contract, run by the prober on the sealed tables. */
  checkQuality(request: {
    place: Place
    revision: Revision
    objects: PlannedObject[]
    context: EffectContext
  }): Promise<Diagnostic[]>
  /** The complete served schema of a revision (views, masks, row filters, grants), beside the one consumers read. */
  buildServed(request: {
    at: PortPlace
    revision: Revision
    objects: { name: string; columns: string[]; masks: Mask[]; rowFilters: RowFilter[] }[]
    context: EffectContext
  }): Promise<{ schema: string }>
  /** The switch: one transaction for every port. `release` travels in the outbox event. */
  publish(request: {
    place: Place
    revision: Revision
    ports: { port: string; major: number }[]
    release: string
    context: EffectContext
  }): Promise<{ publishedAt: string }>
  /** Drops revisions, served schemas and batches that nothing refers to, never CASCADE; `kept` names what still has a reader. */
  collect(request: { place: Place; keep: number[]; context: EffectContext }): Promise<{ dropped: string[]; kept: string[] }>
  /**
   * Hands every table of a kept revision to `sink` as CSV (no header; NULL is an empty field, an empty text is quoted), read by the prober past all row
   * filters. What was read is compared with what was sealed. @throws WAREHOUSE_EXPORT_INCOMPLETE
   */
  exportRevision(request: {
    place: Place
    n: number
    sink(table: { name: string; columns: ExportedColumn[] }, csv: Readable): Promise<void>
    signal: AbortSignal
  }): Promise<ExportedTable[]>
  /** Makes the tables in the build schema and fills them, as the product's service login; what an earlier attempt left there goes first. */
  loadRevision(request: {
    place: Place
    tables: { name: string; columns: ExportedColumn[]; csv(): Promise<Readable> }[]
    context: EffectContext
  }): Promise<{ name: string; rows: number }[]>
  /** Rows and fingerprint of each table of a kept revision, read by the prober. */
  measureRevision(request: { place: Place; n: number; signal: AbortSignal }): Promise<TableFacts[]>
  standing(place: Place): Promise<Standing>
  /**
   * Removes everything of the product from the environment: who reads it is let go and its sessions end, then served schemas, private and build schema,
   * revisions, roles. Only what carries the product's tag is touched. Numbers of its publications stay, so that they never start again.
   * @throws WAREHOUSE_OBJECT_USED when others built on it
   */
  removeProduct(request: {
    place: Place
    context: EffectContext
  }): Promise<{ schemas: string[]; roles: string[]; sessionsEnded: number }>
  /** The revisions that are kept, newest first. */
  sealed(place: Place): Promise<Revision[]>
  /** What consumers read now, from the warehouse itself. */
  served(place: Place): Promise<
    {
      port: string
      major: number
      schema: string
      /** counts what consumers were given under this name; only grows */
      publication: number
      revision: number
      publishedAt: string
      objects: ServedObject[]
    }[]
  >

  /**
   * Looks at what is served in one session of the product's prober, which may read what a consumer of the port may. An object that cannot be measured has
   * an `error`; that nothing at all could be measured is thrown.
   */
  measure(request: MeasureRequest): Promise<Measured[]>

  /** Makes the subject's own login when missing (NOLOGIN until a credential is issued) and sets the attributes that row filters read, at once. */
  subject(request: {
    subject: string
    domain: string | null
    attributes: Record<string, string[]>
    context: EffectContext | null
  }): Promise<{ login: string }>
  issueCredential(request: { subject: string; validMs: number }): Promise<Credential>
  grant(request: { subject: string; at: PortPlace; context: EffectContext }): Promise<void>
  grantOwner(request: { subject: string; place: Place; context: EffectContext }): Promise<void>
  /** Membership away, open sessions ended, none left (when the subject keeps other grants its login stays and only its sessions end). */
  revoke(request: { subject: string; at: PortPlace; context: EffectContext }): Promise<{ sessionsEnded: number }>
  /** Logs in as the subject and tries what must work and what must not. */
  prove(request: { subject: string; at: PortPlace; expect: 'granted' | 'revoked'; masked: string[] }): Promise<Proof[]>
  /**
   * Lets a product read a port: its keeper owns the views that its runs read, so the keeper becomes a member. `attributes` are what the port's row filters
   * and masks see of the product's service login. The consumer needs its roles here (WAREHOUSE_OBJECT_MISSING).
   */
  grantProduct(request: {
    consumer: Place
    at: PortPlace
    attributes: Record<string, string[]>
    context: EffectContext
  }): Promise<void>
  /** Membership away, a running build of the consumer ended, its views on the port dropped where nothing stands on them. */
  revokeProduct(request: { consumer: Place; at: PortPlace; context: EffectContext }): Promise<{ sessionsEnded: number }>
  /** What the catalogs say the consumer may read of the port. */
  proveProduct(request: { consumer: Place; at: PortPlace; expect: 'granted' | 'revoked' }): Promise<Proof[]>
  /** What row filters and masks of other products see of this product's service login; at once. */
  setServiceAttributes(request: { place: Place; attributes: Record<string, string[]> }): Promise<void>
  /** Gives domains that have a budget here another one, with all their logins; others are left alone. @returns the domains whose budget was another */
  changeBudgets(budgets: Record<string, DomainBudget>): Promise<string[]>
  /**
   * Counts what consumers read of served objects since the last look (once per object a statement reads; the platform's own reads, and a product's of
   * itself, are left out) and returns the sums that changed at or after `since`. Survives restarts of either side; what was lost is a gap.
   */
  readUsage(request: { since: string | null; keepDays: number }): Promise<UsageReading>
  /** What readers of the port are given now, or null when nothing is published. */
  describePort(at: PortPlace): Promise<PortShape | null>
  /**
   * Reads as the subject, through its reader login: a second login that is a member of the subject's own, so a password from issueCredential stays good.
   * Null: the port was switched to another publication meanwhile.
   * @throws ACCESS_NOT_GRANTED, DATA_BUDGET_EXCEEDED, DATA_READERS_BUSY
   */
  readPage(request: PageRead): Promise<Page | null>
  /** As readPage, but everything, as CSV with a header line; ends with an error when the session ends. */
  readCsv(request: PortRead & { limit: number | null }): Promise<PortCsv | null>
  /** Cancels the statements of domains that are over budget; called every second. */
  enforceBudgets(): Promise<{ domain: string; login: string; ms: number }[]>
  /** Outbox events not yet acknowledged, and their acknowledgement. */
  drainOutbox(
    handle: (event: { id: string; kind: string; product: string; payload: Record<string, unknown>; at: string }) => Promise<void>,
  ): Promise<number>
  /** Calls `hint` soon after something came into the outbox, and whenever the connection came back. A hint may be missed: look now and then all the same. */
  watchOutbox(hint: () => void): Promise<{ close(): Promise<void> }>
}
