import type { Mask, ProductRole, RowFilter } from '../policy/types.ts'

/**
 * A product's spec after short forms are expanded, overrides of the environment merged and defaults filled in: what plan and lifecycle read. The text
 * form (OAM Application) never travels further than this folder.
 */
export type ProductSpec = {
  domain: string
  name: string
  /** semver; the highest bump of its ports when the author gave none */
  version: string
  title: string
  description: { purpose: string; limitations: string | null; usage: string | null }
  status: 'proposed' | 'draft' | 'active' | 'deprecated' | 'retired'
  tags: string[]
  team: { name: string; members: { username: string; role: string }[] }
  inputs: InputPort[]
  ingestions: Ingestion[]
  transformations: TransformationComponent[]
  outputs: OutputPort[]
  roles: RoleBinding[]
  offers: Offer[]
  receivers: { name: string; target: 'webhook' | 'email'; urlSecret: string | null; to: string[] }[]
  retention: { object: string; retainMs: number; element: string | null }[]
}

export type LogicalType = 'string' | 'date' | 'timestamp' | 'time' | 'number' | 'integer' | 'object' | 'array' | 'boolean'

export type Column = {
  name: string
  logicalType: LogicalType
  /** override for this environment's warehouse, else derived from logicalType */
  physicalType: string | null
  required: boolean
  unique: boolean
  primaryKey: boolean
  classification: 'public' | 'internal' | 'confidential' | 'restricted' | null
  tags: string[]
  description: string | null
}

export type QualityRule = {
  id: string
  severity: 'error' | 'warning'
  /** library metrics become SQL when rendered; `sql` is one read-only SELECT that gives one number, with ${object} for the relation */
  check:
    | {
        kind: 'library'
        metric: 'nullValues' | 'missingValues' | 'invalidValues' | 'duplicateValues' | 'rowCount'
        columns: string[]
        validValues?: string[]
      }
    | { kind: 'sql'; query: string }
  operator:
    | 'mustBe'
    | 'mustNotBe'
    | 'mustBeGreaterThan'
    | 'mustBeGreaterOrEqualTo'
    | 'mustBeLessThan'
    | 'mustBeLessOrEqualTo'
    | 'mustBeBetween'
    | 'mustNotBeBetween'
  operands: number[]
}

export type DataObject = { name: string; columns: Column[]; quality: QualityRule[]; description: string | null }

export type InputPort =
  | {
      kind: 'file'
      name: string
      path: string
      format: 'csv'
      delimiter: string
      null: string | null
      contract: DataObject | null
    }
  | { kind: 'product'; name: string; domain: string; product: string; port: string; versionRange: string; expects: DataObject[] }
  /** types whose adapter is not connected here parse and plan, and are refused when run */
  | { kind: 'database' | 'api' | 'remote-file'; name: string; server: Record<string, unknown>; secret: string | null }

export type Trigger = {
  cron: { schedule: string; timeZone: string } | null
  events: { match: 'all' | 'any'; sources: string[]; debounceMs: number; maxWaitMs: number | null } | null
}

export type Ingestion = {
  name: string
  type: string
  dependsOn: string[]
  writes: { from: string; object: string | null; table: string; disposition: 'replace' | 'append' | 'merge' }[]
  trigger: Trigger | null
}
export type TransformationComponent = {
  name: string
  type: string
  dependsOn: string[]
  projectDir: string
  select: string
  trigger: Trigger | null
}

export type OutputPort = {
  /** the component's name; `port` is what consumers call it (two live majors are two components with one port) */
  name: string
  port: string
  kind: 'sql' | 'api'
  version: string
  major: number
  title: string
  /** each served object, and the dbt model it comes from */
  objects: (DataObject & { from: string })[]
  serviceLevels: ServiceLevel[]
  rowFilters: RowFilter[]
  masks: Mask[]
}

export type ServiceLevel =
  | { kind: 'availability'; name: string; object: string; target: number; windowMs: number }
  | {
      kind: 'completeness'
      name: string
      object: string
      target: number
      within: number
      against: 'mean' | 'last'
      of: 'total' | 'delta'
      windowMs: number
      minimum: number
    }
  | {
      kind: 'freshness'
      name: string
      object: string
      element: string | null
      thresholdMs: number
      target: number
      windowMs: number
    }

export type RoleBinding = { role: ProductRole; ports: string[]; groups: string[]; subjects: string[]; approvers: string[] }

export type Offer = {
  name: string
  ports: string[]
  purposes: string[]
  prohibitedUses: string[]
  terms: { url: string | null; version: string; legalBasis: string | null }
  obligations: string[]
  classification: string | null
  approvers: { first: string[]; second: string[] }
  contact: string
  defaultMs: number
  maxMs: number
  renewable: boolean
  onExpiry: 'revoke' | 'notify'
}

/** The deploy file: when, where, who approves, which secrets. */
export type DeployFile = {
  name: string
  /** in promotion order; the first gets every push to main */
  environments: {
    name: string
    protected: boolean
    approvals: { required: number; from: string[]; prohibitSelfApproval: boolean }
  }[]
  secrets: Record<string, { provider: string; name: string }>
  branches: string[]
}
