import { COMPONENT_DEFINITIONS } from './definitions.ts'
import { POLICY_SCHEMAS } from './policy-schemas.ts'
import { DEFINITIONS, type JsonSchema, list, name, object, text, whole, words } from './schema-parts.ts'
import { TRAIT_SCHEMAS } from './trait-schemas.ts'

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

const metadata = object(
  'which product this is',
  {
    name: name('name of the product'),
    namespace: name('its domain'),
    labels: { type: 'object', description: 'labels', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', description: 'version, description and others', additionalProperties: { type: 'string' } },
  },
  ['name', 'namespace'],
)

/** `properties` of each type, by allOf / if / then; required where something in it is. */
function byType(schemas: Record<string, JsonSchema>): JsonSchema[] {
  return Object.entries(schemas).map(([type, schema]) => {
    const needed = Array.isArray(schema.required) && schema.required.length > 0
    return {
      if: { properties: { type: { const: type } }, required: ['type'] },
      // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema
      then: { properties: { properties: schema }, ...(needed && { required: ['properties'] }) },
    }
  })
}

const trait: JsonSchema = {
  ...object(
    'behaviour of one component',
    {
      type: { enum: Object.keys(TRAIT_SCHEMAS), description: 'type of trait', 'x-code': 'SPEC_TYPE_UNKNOWN' },
      properties: { description: 'settings' },
    },
    ['type'],
  ),
  allOf: byType(TRAIT_SCHEMAS),
}

const component: JsonSchema = {
  ...object(
    'a port, an ingestion or a transformation',
    {
      name: name('name'),
      type: {
        enum: COMPONENT_DEFINITIONS.map((definition) => definition.name),
        description: 'type',
        'x-code': 'SPEC_TYPE_UNKNOWN',
      },
      properties: { description: 'settings of the type' },
      traits: list('behaviour', { $ref: '#/$defs/trait' }),
      dependsOn: list('components that come first', name('a component'), { uniqueItems: true }),
      scopes: { type: 'object', description: 'deprecated in OAM: use policies', deprecated: true },
    },
    ['name', 'type'],
  ),
  allOf: byType(Object.fromEntries(COMPONENT_DEFINITIONS.map((definition) => [definition.name, definition.jsonSchema]))),
}

const policy: JsonSchema = {
  ...object(
    'something about the whole product',
    {
      name: name('name'),
      type: { enum: Object.keys(POLICY_SCHEMAS), description: 'type', 'x-code': 'SPEC_TYPE_UNKNOWN' },
      properties: { description: 'settings of the type' },
    },
    ['name', 'type'],
  ),
  allOf: byType(POLICY_SCHEMAS),
}

/** `data_product_spec.yml`: an OAM Application, closed. */
export const SPEC_SCHEMA: JsonSchema = {
  $schema: DIALECT,
  $id: 'https://heddle.dev/schemas/v1alpha1/data_product_spec.schema.json',
  title: 'data_product_spec.yml',
  ...object(
    'a data product',
    {
      apiVersion: { const: 'core.oam.dev/v1beta1', description: 'always core.oam.dev/v1beta1' },
      kind: { const: 'Application', description: 'always Application' },
      metadata,
      spec: object(
        'ports, how they are made, and terms',
        {
          components: {
            type: 'array',
            items: { $ref: '#/$defs/component' },
            minItems: 1,
            maxItems: 300,
            description: 'what runs or is exposed',
          },
          policies: list('what holds for the whole product', { $ref: '#/$defs/policy' }),
        },
        ['components'],
      ),
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  ),
  $defs: { ...DEFINITIONS, component, policy, trait },
}

/** `data_product_deploy.yml`: when, where, who approves, which secrets. What a deployment does inside is the plan's. */
export const DEPLOY_SCHEMA: JsonSchema = {
  $schema: DIALECT,
  $id: 'https://heddle.dev/schemas/v1alpha1/data_product_deploy.schema.json',
  title: 'data_product_deploy.yml',
  ...object(
    'how a data product is deployed',
    {
      apiVersion: { const: 'heddle.dev/v1alpha1', description: 'always heddle.dev/v1alpha1' },
      kind: { const: 'Pipeline', description: 'always Pipeline' },
      metadata: object('which product', { name: name('name of the product') }, ['name']),
      triggers: object('what starts a deployment', {
        push: object('a push', {
          branches: { ...list('branches (default main)', text('branch', { pattern: '^[A-Za-z0-9._/-]{1,200}$' })), minItems: 1 },
        }),
      }),
      environments: {
        type: 'object',
        description: 'in order: a push goes to the first, then on',
        minProperties: 1,
        maxProperties: 20,
        propertyNames: name('environment of the mesh'),
        additionalProperties: object('an environment', {
          policies: list('policies topology and override of the spec', name('policy'), { uniqueItems: true }),
          protected: { type: 'boolean', description: 'needs approval' },
          approvals: object(
            'who approves',
            {
              required: whole('how many', 1, 10),
              from: { ...words('subjects, groups, or the word owner'), minItems: 1 },
              prohibitSelfApproval: { type: 'boolean', description: 'the author may not approve' },
            },
            ['required', 'from'],
          ),
        }),
      },
      secrets: {
        type: 'object',
        description: 'every secret the spec names, and where its value is',
        maxProperties: 200,
        propertyNames: name('secret'),
        additionalProperties: object(
          'where',
          {
            provider: {
              enum: ['heddle', 'env', 'file', 'vault', 'aws-sm', 'azure-kv', 'snowflake'],
              description: 'who keeps it; heddle: heddle secret set NAME',
            },
            name: text('name there', {
              pattern: '^[A-Za-z0-9_./:-]{1,200}$',
              'x-expected': 'the name of the secret there, never its value',
            }),
          },
          ['provider', 'name'],
        ),
      },
    },
    ['apiVersion', 'kind', 'metadata', 'environments'],
  ),
}

/** A hand-written ODCS 3.1 contract, as far as it is read here. */
export const CONTRACT_SCHEMA: JsonSchema = {
  $schema: DIALECT,
  $id: 'https://heddle.dev/schemas/v1alpha1/odcs.schema.json',
  ...object(
    'an ODCS contract',
    {
      apiVersion: { enum: ['v3.0.0', 'v3.0.1', 'v3.0.2', 'v3.1.0', 'v3.2.0'], description: 'version of ODCS' },
      kind: { const: 'DataContract', description: 'always DataContract' },
      schema: { type: 'array', items: { $ref: '#/$defs/dataObject' }, minItems: 1, maxItems: 100, description: 'objects' },
      ...Object.fromEntries(
        ['id', 'version', 'status', 'name', 'tenant', 'domain', 'dataProduct', 'contractCreatedTs'].map((key) => [
          key,
          text(key),
        ]),
      ),
      ...Object.fromEntries(
        [
          'tags',
          'description',
          'servers',
          'support',
          'price',
          'team',
          'roles',
          'slaProperties',
          'slaDefaultElement',
          'authoritativeDefinitions',
          'customProperties',
        ].map((key) => [key, { description: key }]),
      ),
    },
    ['apiVersion', 'kind', 'id', 'version', 'status', 'schema'],
  ),
  $defs: DEFINITIONS,
}
