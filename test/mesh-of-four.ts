import { join } from 'node:path'
import { startTestPlatform, type TestPlatform } from './platform.ts'
import { writeFiles } from './small-mesh.ts'

/** top → left, right → bottom: each a product of one number column, with its template. `bottom` waits for both sides. */
export const MESH_OF_FOUR = `apiVersion: heddle.dev/v1alpha1
kind: Mesh
metadata: {name: four}
environments:
  prod: {warehouse: {adapter: postgres}}
domains:
  lab: {title: Lab, owners: [developer, owner]}
  hall: {title: Hall, owners: [developer, owner]}
sources:
  files: {path: "{data}/work/sources/files", domains: [lab]}
templates:
  top: {title: Top, path: "{data}/work/templates/top"}
  left: {title: Left, path: "{data}/work/templates/left"}
  right: {title: Right, path: "{data}/work/templates/right"}
  bottom: {title: Bottom, path: "{data}/work/templates/bottom"}
subjects:
  developer: {title: Dana Developer, domain: lab, sample: true}
  owner: {title: Olu Owner, domain: lab, sample: true}
  platform: {title: Pat Platform, groups: [platform], sample: true}
`

type Member = { name: string; domain: string; reads: string[]; trigger: string | null }
export const MEMBERS: readonly Member[] = [
  { name: 'top', domain: 'lab', reads: [], trigger: null },
  { name: 'left', domain: 'hall', reads: ['top'], trigger: 'events: {sources: [{component: top}]}' },
  { name: 'right', domain: 'hall', reads: ['top'], trigger: 'events: {sources: [{component: top}]}' },
  {
    name: 'bottom',
    domain: 'hall',
    reads: ['left', 'right'],
    trigger: 'events: {match: all, sources: [{component: left}, {component: right}]}, cron: {schedule: "0 3 * * *"}',
  },
]

export function addressOf(name: string): string {
  return `${MEMBERS.find((member) => member.name === name)!.domain}/${name}`
}

export async function startMeshOfFour(mesh = MESH_OF_FOUR): Promise<TestPlatform> {
  const platform = await startTestPlatform({ mesh })
  for (const member of MEMBERS) await writeFiles(join(platform.data, 'work/templates', member.name), filesOf(member))
  await arrive(platform, 1)
  return platform
}

/** The source of `top` holds the numbers up to n. */
export async function arrive(platform: TestPlatform, n: number): Promise<void> {
  const rows = Array.from({ length: n }, (_, index) => `${index + 1}\n`)
  await writeFiles(join(platform.data, 'work/sources/files'), { 'numbers.csv': `number\n${rows.join('')}` })
}

export function filesOf({ name, domain, reads, trigger }: Member): Record<string, string> {
  const inputs =
    reads.length === 0
      ? `    - name: numbers-file
      type: file-input-port
      properties: {server: {type: local, path: files/numbers.csv, format: csv, delimiter: ",", null: ""}}
    - name: ingest
      type: file-ingestion
      dependsOn: [numbers-file]
      properties: {writes: [{from: numbers-file, to: staging.numbers}]}
`
      : reads
          .map(
            (other) => `    - name: ${other}
      type: data-product-input-port
      properties:
        dataProduct: {domain: ${addressOf(other).split('/')[0]}, name: ${other}}
        outputPort: ${other}
        version: "^1.0.0"
        expects: [{name: ${other}, properties: [{name: number, logicalType: integer, required: true}]}]
`,
          )
          .join('')
  const from =
    reads.length === 0 ? ["{{ source('staging', 'numbers') }}"] : reads.map((other) => `{{ source('${other}', '${other}') }}`)
  const sources =
    reads.length === 0
      ? '  - name: staging\n    schema: "{{ var(\'heddle_private\', target.schema) }}"\n    tables: [{name: numbers}]\n'
      : reads
          .map(
            (other) =>
              `  - name: ${other}\n    schema: "{{ var('heddle_private', target.schema) }}"\n    tables: [{name: ${other}, identifier: ${other}__${other}}]\n`,
          )
          .join('')
  return {
    'data_product_spec.yml': `apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {name: ${name}, namespace: ${domain}}
spec:
  components:
${inputs}    - name: build
      type: dbt-transformation
      dependsOn: [${reads.length === 0 ? 'ingest' : reads.join(', ')}]
${trigger ? `      traits: [{type: trigger, properties: {${trigger}}}]\n` : ''}    - name: ${name}
      type: sql-output-port
      dependsOn: [build]
      properties:
        version: "1.0.0"
        contract:
          schema:
            - name: ${name}
              dataGranularityDescription: One row per number
              properties: [{name: number, logicalType: integer, primaryKey: true, required: true, unique: true, description: Number}]
  policies:
    - name: product
      type: data-product
      properties: {title: ${name}, status: draft, description: {purpose: Tests.}}
    - name: internal-use
      type: data-sharing-agreement
      properties: {purpose: [analytics], classification: internal, duration: {default: 90d, max: 180d}}
`,
    'data_product_deploy.yml': `apiVersion: heddle.dev/v1alpha1
kind: Pipeline
metadata: {name: ${name}}
triggers: {push: {branches: [main]}}
environments: {prod: {protected: false}}
`,
    'dbt/dbt_project.yml': `name: ${name}_project
version: "1.0.0"
config-version: 2
profile: heddle
model-paths: [models]
models: {${name}_project: {+materialized: table}}
`,
    'dbt/models/sources.yml': `version: 2\nsources:\n${sources}`,
    [`dbt/models/${name}.sql`]: `${from.map((relation) => `select number::bigint as number from ${relation}`).join('\nintersect\n')}\n`,
  }
}
