import { join } from 'node:path'
import { startTestPlatform, type TestPlatform, type TestPlatformOptions } from './platform.ts'
import { waitForEnd, waitForRun, writeFiles } from './small-mesh.ts'

/** `lab/days` loads a source that grows by a day at a time; `hall/totals` reads it and runs when it has published. */
export const DAYS = 'lab/days'
export const TOTALS = 'hall/totals'

const MESH = `apiVersion: heddle.dev/v1alpha1
kind: Mesh
metadata: {name: two}
environments:
  prod: {warehouse: {adapter: postgres}}
domains:
  lab: {title: Lab, owners: [developer, owner]}
  hall: {title: Hall, owners: [developer, owner]}
sources:
  files: {path: "{data}/work/sources/files", domains: [lab]}
templates:
  days: {title: Days, path: "{data}/work/templates/days"}
  totals: {title: Totals, path: "{data}/work/templates/totals"}
subjects:
  developer: {title: Dana Developer, domain: lab, sample: true}
  owner: {title: Olu Owner, domain: lab, sample: true}
  platform: {title: Pat Platform, groups: [platform], sample: true}
`

export type MeshOfTwoOptions = Pick<TestPlatformOptions, 'env'> & {
  /** properties of the service-level trait of both; null = no levels */
  levels?: string | null
  /** the `notices` of mesh.yml */
  notices?: string
  /** policies that tell somebody, by product */
  receivers?: { days?: string; totals?: string }
  /** what the deploy file of `days` says about secrets */
  secrets?: string
}

/** The platform with both templates in place and no product yet. */
export async function startMeshOfTwo(options: MeshOfTwoOptions = {}): Promise<TestPlatform> {
  const platform = await startTestPlatform({ mesh: MESH + (options.notices ?? ''), ...(options.env && { env: options.env }) })
  const levels = options.levels ?? null
  await writeFiles(join(platform.data, 'work/templates/days'), {
    ...dbtFiles(
      'days',
      "select day::date as day, number::bigint as number from {{ source('staging', 'days') }}\n",
      'staging',
      'days',
      'days',
    ),
    'data_product_spec.yml': DAYS_SPEC(traitOf(levels)) + (options.receivers?.days ?? ''),
    'data_product_deploy.yml': deployFile('days') + (options.secrets ?? ''),
  })
  await writeFiles(join(platform.data, 'work/templates/totals'), {
    ...dbtFiles(
      'totals',
      "select day, sum(number)::bigint as total from {{ source('days', 'days') }} group by day\n",
      'days',
      'days',
      'days__days',
    ),
    'data_product_spec.yml': TOTALS_SPEC(traitOf(levels)) + (options.receivers?.totals ?? ''),
    'data_product_deploy.yml': deployFile('totals'),
  })
  return platform
}

/** The source holds `rows` rows for each of these days. */
export async function holdDays(platform: TestPlatform, days: readonly string[], rows = 3): Promise<void> {
  const lines = days.flatMap((day) => Array.from({ length: rows }, (_, index) => `${day},${index}\n`))
  await writeFiles(join(platform.data, 'work/sources/files'), { 'days.csv': `day,number\n${lines.join('')}` })
}

/** Both products, served; `totals` may read `days`. */
export async function makeBoth(platform: TestPlatform): Promise<void> {
  await make(platform, DAYS, 'days')
  const made = await platform.cli(['new', TOTALS, '--yes', '--template', 'totals'])
  if (made.status !== 0) throw new Error(made.stderr + made.stdout)
  const waiting = await waitForRun(platform, TOTALS, (run) => run.kind === 'deploy' && run.state === 'waiting')
  const { items } = await platform.client('owner').requests({ open: true })
  for (const request of items.filter((each) => each.kind === 'access' && each.state === 'submitted'))
    await platform.client('owner').decideRequest(request.number, 'approve')
  const run = await waitForEnd(platform, waiting.number)
  if (run.state !== 'succeeded') throw new Error(JSON.stringify(run.problem))
}

async function make(platform: TestPlatform, address: string, template: string): Promise<void> {
  const made = await platform.cli(['new', address, '--yes', '--template', template])
  if (made.status !== 0) throw new Error(made.stderr + made.stdout)
  await waitForRun(platform, address, (run) => run.kind === 'deploy' && run.state === 'succeeded')
}

function traitOf(levels: string | null): string {
  return levels === null ? '' : `      traits: [{type: service-level, properties: {${levels}}}]\n`
}

function deployFile(name: string): string {
  return `apiVersion: heddle.dev/v1alpha1
kind: Pipeline
metadata: {name: ${name}}
triggers: {push: {branches: [main]}}
environments: {prod: {protected: false}}
`
}

function dbtFiles(name: string, model: string, source: string, table: string, identifier: string): Record<string, string> {
  return {
    'dbt/dbt_project.yml': `name: ${name}_project
version: "1.0.0"
config-version: 2
profile: heddle
model-paths: [models]
models: {${name}_project: {+materialized: table}}
`,
    'dbt/models/sources.yml': `version: 2
sources:
  - name: ${source}
    schema: "{{ var('heddle_private', target.schema) }}"
    tables: [{name: ${table}, identifier: ${identifier}}]
`,
    [`dbt/models/${name}.sql`]: model,
  }
}

const POLICIES = (title: string) => `  policies:
    - name: product
      type: data-product
      properties: {title: ${title}, status: draft, description: {purpose: Tests.}}
    - name: internal-use
      type: data-sharing-agreement
      properties: {purpose: [analytics], classification: internal, duration: {default: 90d, max: 180d}}
`

const DAYS_SPEC = (trait: string) => `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: days, namespace: lab}
spec:
  components:
    - name: days-file
      type: file-input-port
      properties: {server: {type: local, path: files/days.csv, format: csv, delimiter: ",", null: ""}}
    - name: ingest
      type: file-ingestion
      dependsOn: [days-file]
      properties: {writes: [{from: days-file, to: staging.days}]}
    - name: build
      type: dbt-transformation
      dependsOn: [ingest]
    - name: days
      type: sql-output-port
      dependsOn: [build]
      properties:
        version: "1.0.0"
        contract:
          schema:
            - name: days
              dataGranularityDescription: One row per day and number
              properties:
                - {name: day, logicalType: date, required: true, description: Day}
                - {name: number, logicalType: integer, required: true, description: Number}
${trait}${POLICIES('Days')}`

const TOTALS_SPEC = (trait: string) => `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: totals, namespace: hall}
spec:
  components:
    - name: days
      type: data-product-input-port
      properties:
        dataProduct: {domain: lab, name: days}
        outputPort: days
        version: "^1.0.0"
        expects: [{name: days, properties: [{name: day, logicalType: date, required: true}, {name: number, logicalType: integer, required: true}]}]
    - name: build
      type: dbt-transformation
      dependsOn: [days]
      traits: [{type: trigger, properties: {events: {sources: [{component: days}]}}}]
    - name: totals
      type: sql-output-port
      dependsOn: [build]
      properties:
        version: "1.0.0"
        contract:
          schema:
            - name: totals
              dataGranularityDescription: One row per day
              properties:
                - {name: day, logicalType: date, primaryKey: true, required: true, unique: true, description: Day}
                - {name: total, logicalType: integer, description: Sum of the day}
${trait}${POLICIES('Totals')}`
