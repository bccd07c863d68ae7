import { SOURCES_PATH } from './generate-sources.ts'
import { schemaFiles } from './schema-files.ts'

export type ScaffoldRequest = {
  domain: string
  product: string
  title: string
  /** who asked for the product: the first member of its team */
  owner: string
  purpose: string
  domainOwners: readonly string[]
}

/** The first files of a product: it deploys as it is, with an example seed, model and tests to replace. */
export function scaffoldFiles(request: ScaffoldRequest): Record<string, string> {
  const project = `${request.domain}_${request.product}`.replaceAll('-', '_')
  return {
    'data_product_spec.yml': specFile(request),
    'data_product_deploy.yml': deployFile(request),
    'README.md': readme(request),
    '.gitignore': 'dbt/target/\ndbt/logs/\ndbt/dbt_packages/\n',
    'dbt/dbt_project.yml': projectFile(project),
    'dbt/seeds/example_seed.csv':
      'id,label,amount,made_on\n1,first,10,2026-01-05\n2,second,25,2026-02-11\n3,third,40,2026-03-17\n',
    'dbt/models/example.sql': MODEL,
    'dbt/models/example.yml': MODEL_TESTS,
    'dbt/tests/example_has_rows.sql': TEST,
    [`dbt/${SOURCES_PATH}`]: '# Generated from data_product_spec.yml: what this project may read.\nversion: 2\n',
    ...schemaFiles(),
  }
}

function specFile({ domain, product, title, owner, purpose, domainOwners }: ScaffoldRequest): string {
  const members = [...new Set([owner, ...domainOwners])].map((name) => `{username: ${quoted(name)}, role: owner}`)
  return `# yaml-language-server: $schema=./.heddle/schemas/data_product_spec.schema.json
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: ${product}                 # never changes
  namespace: ${domain}             # the domain
spec:
  components:
    # Files, databases and other products come in through input ports:
    # - name: orders-file
    #   type: file-input-port
    #   properties: {server: {type: local, path: <source>/orders.csv, format: csv}}
    # - name: ingest
    #   type: file-ingestion
    #   dependsOn: [orders-file]
    #   properties: {writes: [{from: orders-file, to: staging.orders}]}
    - name: build
      type: dbt-transformation   # the project in dbt/
    - name: ${product}
      type: sql-output-port
      dependsOn: [build]
      properties:
        version: "1.0.0"
        contract:                # ODCS; what consumers may rely on
          schema:
            - name: example      # from the dbt model of that name
              dataGranularityDescription: One row per example
              properties:
                - {name: id, logicalType: integer, primaryKey: true, required: true, unique: true, description: Key}
                - {name: label, logicalType: string, required: true, description: What it is called}
                - {name: amount, logicalType: number, description: How much}
                - {name: made_on, logicalType: date, description: When}
              quality:
                - {id: has-rows, metric: rowCount, mustBeGreaterThan: 0, dimension: completeness}
      traits:
        - type: service-level
          properties: {availability: 99%, completeness: {within: 5%}, freshness: {threshold: 24h}}
  policies:
    - name: product
      type: data-product
      properties:
        title: ${quoted(title)}
        status: draft
        description: {purpose: ${quoted(purpose || `${title}.`)}}
        team: {name: ${quoted(domain)}, members: [${members.join(', ')}]}
    - name: internal-use         # the terms consumers accept
      type: data-sharing-agreement
      properties: {purpose: [analytics], classification: internal, duration: {default: 180d, max: 365d}}
`
}

function deployFile({ product }: ScaffoldRequest): string {
  return `# yaml-language-server: $schema=./.heddle/schemas/data_product_deploy.schema.json
apiVersion: heddle.dev/v1alpha1
kind: Pipeline
metadata: {name: ${product}}
triggers:
  push: {branches: [main]}
environments:                    # in order; protected ones wait for approval
  prod: {protected: false}
`
}

function projectFile(project: string): string {
  return `name: ${project}
version: '1.0.0'
config-version: 2
profile: heddle
model-paths: [models]
seed-paths: [seeds]
test-paths: [tests]
macro-paths: [macros]
models:
  ${project}:
    +materialized: table
`
}

const MODEL = `select
    id::bigint as id,
    label::text as label,
    amount::numeric as amount,
    made_on::date as made_on
from {{ ref('example_seed') }}
`

const MODEL_TESTS = `version: 2
models:
  - name: example
    description: Replace it with a model of your own.
    columns:
      - name: id
        data_tests: [unique, not_null]
      - name: label
        data_tests: [not_null]
`

const TEST = `-- A test fails when it gives rows.
select 1 as nothing_there
where not exists (select 1 from {{ ref('example') }})
`

function readme({ domain, product, title, purpose }: ScaffoldRequest): string {
  return `# ${plain(title)}

${plain(purpose)}

Data product \`${domain}/${product}\`.

- \`data_product_spec.yml\` says what the product is: inputs, how they become outputs, what consumers may rely on, who may read.
- \`data_product_deploy.yml\` says where it is deployed and who approves.
- \`dbt/\` makes the data: replace the example seed, model and tests.

Check your working tree, see what a push would do, and deploy:

    heddle validate
    heddle plan
    git push
`
}

/** A double-quoted YAML scalar; what cannot be seen is left out. */
function quoted(text: string): string {
  return JSON.stringify(plain(text))
}

function plain(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029\ufffd]+/gu, ' ')
    .trim()
    .slice(0, 1_000)
}
