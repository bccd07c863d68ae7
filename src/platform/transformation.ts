import type { Diagnostic } from '../core/diagnostic.ts'

/** One dbt project on disk, built as one login into one schema. Paths are absolute. */
export type TransformationJob = {
  /** names the job in events and isolates its working folders: `<run>` */
  key: string
  /** UUID of the product: chooses the uid and the target folder, which must stay the same from run to run so that dbt need not parse again */
  product: string
  environment: string
  command: 'parse' | 'build'
  projectDir: string
  /** dbt selection; empty means all */
  select: string
  threads: number
  target: { host: string; port: number; database: string; schema: string; user: string; password: string }
  /**
   * The output ports' objects and the models they come from. After a green build the adapter checks that every node of the manifest lies in the target
   * schema, that nothing carries `grants:`, and that these models exist as tables; what does not hold is a diagnostic and the outcome `failed`.
   */
  ports: { object: string; from: string }[]
  /** dbt vars */
  vars: Record<string, unknown>
  timeoutMs: number
}

export type NodeStatus = 'success' | 'error' | 'skipped' | 'pass' | 'fail' | 'warn'

export type TransformationEvent =
  | { kind: 'started'; pid: number; isolation: IsolationRung }
  | { kind: 'log'; level: 'info' | 'warn' | 'error'; text: string }
  | {
      kind: 'node-started'
      node: string
      resource: 'model' | 'seed' | 'snapshot' | 'test' | 'operation'
      name: string
      index: number
      total: number
      at: string
    }
  /** message is dbt's own with row values cut out; `failures` counts failing rows */
  | {
      kind: 'node-finished'
      node: string
      name: string
      status: NodeStatus
      seconds: number
      rows: number | null
      failures: number | null
      message: string | null
      file: string | null
      at: string
    }

export type TransformationResult = {
  outcome: 'succeeded' | 'failed' | 'cancelled' | 'lost'
  /** what stopped it, with file and line where dbt says so */
  diagnostics: Diagnostic[]
  /** parsed `target/manifest.json`, or null when the project did not parse */
  manifestPath: string | null
  /** of a green build; null when nothing could be said of it */
  lineage: ProjectLineage | null
}

/** What a project builds from what: names only, never a row's value and never its SQL. */
export type ProjectLineage = {
  /** relations the project makes; `reads` holds `model:NAME` and `source:NAME`, ephemeral models are seen through */
  models: { name: string; columns: string[]; reads: string[] }[]
  /** relations the project reads, by their name in the private schema */
  sources: { name: string; columns: string[] }[]
  /** `[model, column, model:NAME or source:NAME it comes from, its column]` */
  columns: [string, string, string, string][]
  /** what could not be read, in words: one line for each model */
  missing: string[]
}

/** How well user code is kept from ours; stored on each run. */
export type IsolationRung = 'own-uid' | 'landlock' | 'process'

export type Transformation = {
  readonly name: string
  /** Brings the fork server up; resolves when the first job could start at once. */
  warm(): Promise<{ ms: number; isolation: IsolationRung; pids: number[] }>
  /** Runs one job; events arrive in order; cancel by the signal. Never throws for a failing project, only for a broken platform. */
  run(job: TransformationJob, onEvent: (event: TransformationEvent) => void, signal: AbortSignal): Promise<TransformationResult>
  /** Removes what jobs of a product left on disk. Gone is success. */
  forget(product: string): Promise<void>
  stop(): Promise<void>
}
