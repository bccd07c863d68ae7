/** JSON Schema 2020-12 as data. `x-code` names the diagnostic a mismatch gives, `x-expected` what to write instead; editors ignore both. */
export type JsonSchema = { [key: string]: unknown }

export const NAME_PATTERN = '^[a-z]([a-z0-9]|-(?=[a-z0-9])){0,62}$'
/** Unquoted dbt model names and column names; quoted everywhere, so the case is kept. */
export const SQL_NAME_PATTERN = '^[A-Za-z_][A-Za-z0-9_]{0,59}$'
export const SEMVER_PATTERN = '^(0|[1-9]\\d{0,8})\\.(0|[1-9]\\d{0,8})\\.(0|[1-9]\\d{0,8})$'

export function text(description: string, more: JsonSchema = {}): JsonSchema {
  return { type: 'string', minLength: 1, maxLength: 4000, description, ...more }
}
export function object(description: string, properties: Record<string, JsonSchema>, required: string[] = []): JsonSchema {
  return { type: 'object', description, properties, required, additionalProperties: false }
}
export function list(description: string, items: JsonSchema, more: JsonSchema = {}): JsonSchema {
  return { type: 'array', description, items, maxItems: 500, ...more }
}
export function choice(description: string, values: readonly string[]): JsonSchema {
  return { enum: [...values], description }
}
export function flag(description: string): JsonSchema {
  return { type: 'boolean', description }
}
export function whole(description: string, minimum: number, maximum: number): JsonSchema {
  return { type: 'integer', minimum, maximum, description }
}
export function name(description: string): JsonSchema {
  return {
    type: 'string',
    pattern: NAME_PATTERN,
    description,
    'x-code': 'CORE_NAME_INVALID',
    'x-expected': 'lower-case letters, digits and single hyphens, at most 63',
  }
}
export function sqlWord(description: string): JsonSchema {
  return {
    type: 'string',
    pattern: SQL_NAME_PATTERN,
    description,
    'x-code': 'CORE_NAME_INVALID',
    'x-expected': 'letters, digits and underscores, at most 60',
  }
}
export function duration(description: string): JsonSchema {
  return {
    type: 'string',
    pattern: '^[1-9][0-9]{0,5}[smhdw]$',
    description: `${description} (15m, 24h, 90d)`,
    'x-code': 'CORE_DURATION_INVALID',
    'x-expected': '<number><s|m|h|d|w>',
  }
}
/** Windows and retention may also be said in calendar units. */
export function span(description: string): JsonSchema {
  return {
    type: 'string',
    pattern: '^[1-9][0-9]{0,5}[smhdwMQY]$',
    description: `${description} (24h, 30d, 7Y)`,
    'x-code': 'CORE_DURATION_INVALID',
    'x-expected': '<number><s|m|h|d|w|M|Q|Y>',
  }
}
export function percent(description: string): JsonSchema {
  return {
    type: 'string',
    pattern: '^(100|[0-9]{1,2}(\\.[0-9]{1,4})?)%$',
    description: `${description} (99%)`,
    'x-expected': 'a percentage such as 99%',
  }
}
export function semver(description: string): JsonSchema {
  return {
    type: 'string',
    pattern: SEMVER_PATTERN,
    description,
    'x-code': 'SPEC_VERSION_INVALID',
    'x-expected': 'a quoted version such as "1.2.0"',
  }
}
export function free(description: string): JsonSchema {
  return { type: 'object', description }
}
export function ref(definition: keyof typeof DEFINITIONS): JsonSchema {
  return { $ref: `#/$defs/${definition}` }
}

export const names = (description: string) => list(description, name('a name'), { uniqueItems: true })
export const words = (description: string) => list(description, text('one of them', { maxLength: 200 }), { uniqueItems: true })

const LOGICAL_TYPES = ['string', 'date', 'timestamp', 'time', 'number', 'integer', 'object', 'array', 'boolean'] as const
const CLASSIFICATIONS = ['public', 'internal', 'confidential', 'restricted'] as const
const OPERATORS = [
  'mustBe',
  'mustNotBe',
  'mustBeGreaterThan',
  'mustBeGreaterOrEqualTo',
  'mustBeLessThan',
  'mustBeLessOrEqualTo',
  'mustBeBetween',
  'mustNotBeBetween',
] as const

const links = list(
  'business terms and other definitions',
  object('a link', { id: text('stable id'), type: text('kind'), url: text('address'), description: text('what') }, [
    'type',
    'url',
  ]),
)
const custom = list(
  'custom properties',
  object('one', { id: text('stable id'), property: text('name'), value: {}, description: text('what') }, ['property', 'value']),
)
const approvers = object('who approves, in up to two levels', {
  firstLevel: words('first level: subjects, groups, or the word owner'),
  secondLevel: words('second level'),
})

const quality = object(
  'a rule over the data, after ODCS',
  {
    id: text('stable id', { pattern: '^[A-Za-z0-9_-]{1,63}$' }),
    name: text('shown name'),
    description: text('what it checks'),
    type: choice('library (default) or sql', ['library', 'sql', 'text']),
    metric: choice('metric of the library', ['nullValues', 'missingValues', 'invalidValues', 'duplicateValues', 'rowCount']),
    arguments: object('arguments of the metric', {
      properties: words('columns'),
      validValues: list('the values allowed', { type: ['string', 'number'] }),
    }),
    query: text(`one read-only SELECT that gives one number; \${object} is the relation`),
    unit: choice('rows or percent', ['rows', 'percent']),
    severity: choice('error stops the publication', ['error', 'warning']),
    dimension: choice('dimension', [
      'accuracy',
      'completeness',
      'conformity',
      'consistency',
      'coverage',
      'timeliness',
      'uniqueness',
    ]),
    businessImpact: text('what it would cost'),
    tags: words('tags'),
    ...Object.fromEntries(
      OPERATORS.map((operator) => [
        operator,
        operator.endsWith('Between')
          ? { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2, description: 'lowest and highest' }
          : { type: 'number', description: 'the number compared with' },
      ]),
    ),
  },
  [],
)

/** Shared by both files and by hand-written contracts (`#/$defs`). */
export const DEFINITIONS = {
  column: object(
    'a column, after ODCS 3.1',
    {
      id: text('stable id'),
      name: sqlWord('name of the column'),
      logicalType: choice('type; it decides the type in every warehouse', LOGICAL_TYPES),
      logicalTypeOptions: free('length, pattern, range'),
      physicalType: text('type in the warehouse, only where logicalType does not say enough', {
        pattern: '^[A-Za-z][A-Za-z0-9_ ]{0,40}(\\([0-9]{1,4}(,\\s?[0-9]{1,4})?\\))?$',
      }),
      physicalName: sqlWord('name in the warehouse'),
      businessName: text('name people use'),
      description: text('what it holds'),
      required: flag('never null'),
      unique: flag('no value twice'),
      primaryKey: flag('part of the key'),
      primaryKeyPosition: whole('place in the key', 1, 64),
      classification: choice('how sensitive', CLASSIFICATIONS),
      criticalDataElement: flag('critical'),
      encryptedName: text('encrypted twin'),
      transformLogic: text('how it is made'),
      transformDescription: text('how it is made, in words'),
      transformSourceObjects: words('made from'),
      examples: list('examples, never of real people', {}),
      tags: words('tags such as pii, phi'),
      authoritativeDefinitions: links,
      customProperties: custom,
    },
    ['name', 'logicalType'],
  ),
  dataObject: object(
    'a table or view, after ODCS 3.1',
    {
      id: text('stable id'),
      name: sqlWord('name consumers see'),
      from: sqlWord('dbt model it comes from (default: its name)'),
      logicalType: choice('always object', ['object']),
      physicalType: choice('what it is', ['table', 'view', 'file', 'topic']),
      physicalName: sqlWord('name in the warehouse'),
      businessName: text('name people use'),
      description: text('what it holds'),
      dataGranularityDescription: text('what one row is'),
      properties: { type: 'array', items: { $ref: '#/$defs/column' }, minItems: 1, maxItems: 1600, description: 'columns' },
      relationships: list('foreign keys', free('one')),
      quality: list('quality rules', { $ref: '#/$defs/quality' }),
      tags: words('tags'),
      authoritativeDefinitions: links,
      customProperties: custom,
    },
    ['name', 'properties'],
  ),
  expected: object(
    'what a consumer relies on',
    {
      name: sqlWord('object of the upstream port'),
      properties: list(
        'columns relied on',
        object(
          'column',
          { name: sqlWord('name'), logicalType: choice('type', LOGICAL_TYPES), required: flag('relied on as never null') },
          ['name'],
        ),
      ),
    },
    ['name', 'properties'],
  ),
  quality,
  links,
  custom,
  approvers,
  exemptions: list('who is not touched', {
    ...object('a role, or subjects with an attribute', {
      role: choice('role of the product', ['consumer', 'service', 'owner']),
      attribute: text('attribute of the subject', { pattern: '^[a-z][a-z0-9_]{0,62}$' }),
      equals: text('its value'),
    }),
    minProperties: 1,
  }),
  secretRef: object(
    'name of a secret, never its value',
    {
      name: name('entry of secrets: in the deploy file'),
      key: text('key inside the secret', { pattern: '^[A-Za-z0-9_.-]{1,63}$' }),
    },
    ['name'],
  ),
} satisfies Record<string, JsonSchema>
