import { choice, free, type JsonSchema, list, name, object, ref, semver, sqlWord, text } from './schema-parts.ts'
import type { TraitName } from './trait-schemas.ts'

export type ComponentRole = 'input-port' | 'ingestion' | 'transformation' | 'output-port'
/** Names of files of `src/commands/`; null where the type has nothing to do at that point or no adapter is connected for it. */
export type CommandNames = { plan: string | null; run: string | null; confirm: string | null; undo: string | null }

/** Binds a component type to its schema and to names of existing commands: a platform team adds types as data. */
export type ComponentDefinition = {
  name: string
  role: ComponentRole
  description: string
  /** of `properties` */
  jsonSchema: JsonSchema
  commands: CommandNames
  traits: readonly TraitName[]
}

const NOTHING: CommandNames = { plan: null, run: null, confirm: null, undo: null }
const INGEST: CommandNames = { plan: 'plan-ingestion', run: 'ingest', confirm: 'confirm-batch', undo: 'drop-batch' }
const TABLE = text('staging table it writes: staging.<table>', {
  pattern: '^staging\\.[a-z_][a-z0-9_]{0,59}$',
  'x-expected': 'staging.<table> in lower case',
})

const inputContract = object(
  'what the source holds: one object',
  { schema: { type: 'array', items: ref('dataObject'), minItems: 1, maxItems: 1, description: 'one object' } },
  ['schema'],
)
const contractRef = text('a hand-written ODCS contract in this repository', {
  pattern: '^(?!/)(?!.*\\.\\.)[A-Za-z0-9_./-]{1,200}\\.odcs\\.yaml$',
  'x-expected': 'a path inside the repository ending in .odcs.yaml',
})
const outputContract = object(
  'the ODCS schema; the rest of the contract is generated',
  {
    schema: { type: 'array', items: ref('dataObject'), minItems: 1, maxItems: 100, description: 'objects' },
    relationships: list('foreign keys', free('one')),
  },
  ['schema'],
)
const port = name('what consumers call it (default: the name of the component); two live majors are two components with one port')

export const COMPONENT_DEFINITIONS: readonly ComponentDefinition[] = [
  {
    name: 'file-input-port',
    role: 'input-port',
    description: 'Files: of a source the mesh allows (type: local), or on a server',
    jsonSchema: object(
      'a file source',
      {
        server: {
          ...object(
            'an ODCS server',
            {
              server: text('id'),
              type: choice('where the files are', ['local', 'sftp', 's3', 'custom']),
              path: text('<source name>/<file> (type: local)', {
                pattern: '^(?!/)(?!.*(^|/)\\.\\.?(/|$))[^\\\\:*?"<>|\\u0000]+/[^\\\\:*?"<>|\\u0000]+$',
                maxLength: 400,
                'x-expected': '<source name>/<file>, relative, without ..',
              }),
              location: text('address (other types)'),
              format: choice('format', ['csv', 'json', 'parquet']),
              delimiter: { type: 'string', minLength: 1, maxLength: 1, description: 'one character (default ,)' },
              null: { type: 'string', maxLength: 20, description: 'the text that stands for null' },
              description: text('what it is'),
              environment: text('environment'),
            },
            ['type'],
          ),
          allOf: [
            {
              if: { properties: { type: { const: 'local' } } },
              // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema
              then: { required: ['path'], properties: { format: choice('local files', ['csv']) } },
              else: { required: ['location'] },
            },
          ],
        },
        secretRef: ref('secretRef'),
        contract: inputContract,
        contractRef,
      },
      ['server'],
    ),
    commands: NOTHING,
    traits: [],
  },
  {
    name: 'database-input-port',
    role: 'input-port',
    description: 'Tables of another database',
    jsonSchema: object(
      'a database source',
      {
        server: free('an ODCS server'),
        secretRef: ref('secretRef'),
        objects: list('tables read', sqlWord('table')),
        contractRef,
      },
      ['server', 'secretRef'],
    ),
    commands: NOTHING,
    traits: [],
  },
  {
    name: 'api-input-port',
    role: 'input-port',
    description: 'An HTTP API',
    jsonSchema: object(
      'an API source',
      {
        server: free('an ODCS server'),
        secretRef: ref('secretRef'),
        specification: object(
          'its description',
          { type: choice('kind', ['openapi', 'asyncapi', 'graphql']), url: text('address') },
          ['type', 'url'],
        ),
        contractRef,
      },
      ['server'],
    ),
    commands: NOTHING,
    traits: [],
  },
  {
    name: 'data-product-input-port',
    role: 'input-port',
    description: 'An output port of another data product; files the access request of this product itself',
    jsonSchema: object(
      'another data product',
      {
        dataProduct: object('the product', { domain: name('domain'), name: name('product') }, ['domain', 'name']),
        outputPort: name('its output port'),
        version: text('range of versions this product was tested with', {
          pattern: '^(\\*|[\\^~]?\\d+(\\.\\d+){0,2})$',
          'x-expected': 'a quoted range such as "^1.2.0"',
        }),
        expects: list('what this product relies on, checked against the upstream contract', ref('expected')),
      },
      ['dataProduct', 'outputPort', 'version'],
    ),
    commands: NOTHING,
    traits: [],
  },
  {
    name: 'file-ingestion',
    role: 'ingestion',
    description: 'COPY of files into staging tables',
    jsonSchema: object(
      'what is written',
      {
        writes: list('one line per table', object('from → to', { from: name('input port'), to: TABLE }, ['from', 'to']), {
          minItems: 1,
        }),
      },
      ['writes'],
    ),
    commands: INGEST,
    traits: ['trigger'],
  },
  {
    name: 'dlt-ingestion',
    role: 'ingestion',
    description: 'Load sources into staging tables with dlt',
    jsonSchema: object(
      'what is written',
      {
        writes: list(
          'one line per table',
          object(
            'from → to',
            {
              from: name('input port'),
              object: text('table or resource of the source'),
              to: TABLE,
              write_disposition: choice('how rows come in', ['merge', 'replace', 'append']),
              primary_key: list('key (merge)', sqlWord('column')),
              incremental: sqlWord('column that only grows'),
            },
            ['from', 'to'],
          ),
          { minItems: 1 },
        ),
      },
      ['writes'],
    ),
    commands: INGEST,
    traits: ['trigger'],
  },
  {
    name: 'talend-ingestion',
    role: 'ingestion',
    description: 'Run a Talend job that writes staging tables',
    jsonSchema: object(
      'job and tables',
      {
        job: object('the job', { name: text('name'), version: text('quoted version', { maxLength: 20 }) }, ['name']),
        context: text('context of the job'),
        writes: list('tables the job writes', object('from → to', { from: name('input port'), to: TABLE }, ['from', 'to']), {
          minItems: 1,
        }),
      },
      ['job', 'writes'],
    ),
    commands: INGEST,
    traits: ['trigger'],
  },
  {
    name: 'dbt-transformation',
    role: 'transformation',
    description: 'Build and test a dbt project',
    jsonSchema: object('the project', {
      projectDir: text('folder of the project (default dbt)', {
        pattern: '^(?!/)(?!.*\\.\\.)[A-Za-z0-9_./-]{1,200}$',
        'x-expected': 'a folder inside the repository',
      }),
      select: text('dbt selection (default: everything)', {
        pattern: '^[A-Za-z0-9_+@:.*,/ -]{1,400}$',
        'x-expected': 'a dbt selection',
      }),
      failOn: choice('which test failures stop the run', ['error', 'warn']),
    }),
    commands: { plan: 'plan-transformation', run: 'transform', confirm: 'confirm-transform', undo: null },
    traits: ['trigger'],
  },
  {
    name: 'sql-output-port',
    role: 'output-port',
    description: 'Tables read by SQL',
    jsonSchema: object(
      'a served port',
      {
        port,
        version: semver('version of the contract'),
        title: text('shown name', { maxLength: 200 }),
        description: text('what it serves'),
        contract: outputContract,
        contractRef,
      },
      ['version'],
    ),
    commands: { plan: 'plan-port', run: 'publish', confirm: 'confirm-publication', undo: 'roll-back' },
    traits: ['service-level', 'data-policy'],
  },
  {
    name: 'api-output-port',
    role: 'output-port',
    description: 'The same data over HTTP',
    jsonSchema: object(
      'a served port',
      {
        port,
        version: semver('version of the contract'),
        title: text('shown name', { maxLength: 200 }),
        description: text('what it serves'),
        protocol: choice('protocol', ['rest']),
        source: name('SQL output port whose contract and policies it inherits'),
        path: text('path below the port', { pattern: '^/[A-Za-z0-9_/-]{0,200}$', 'x-expected': 'a path such as /planes' }),
        contract: outputContract,
        contractRef,
      },
      ['version', 'protocol'],
    ),
    commands: { plan: 'plan-port', run: 'publish', confirm: 'confirm-publication', undo: 'roll-back' },
    traits: ['service-level'],
  },
]

export function definitionOf(type: string): ComponentDefinition | undefined {
  return COMPONENT_DEFINITIONS.find((definition) => definition.name === type)
}
