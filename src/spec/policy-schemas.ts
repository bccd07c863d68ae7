import {
  choice,
  duration,
  flag,
  free,
  type JsonSchema,
  list,
  name,
  names,
  object,
  ref,
  span,
  sqlWord,
  text,
  whole,
  words,
} from './schema-parts.ts'

export type PolicyName =
  | 'data-product'
  | 'access-control'
  | 'data-sharing-agreement'
  | 'alert-receivers'
  | 'retention'
  | 'topology'
  | 'override'

const secretName = ref('secretRef')

/** `properties` of each policy type; policies are product-wide. */
export const POLICY_SCHEMAS: Record<PolicyName, JsonSchema> = {
  'data-product': object('what the catalog shows', {
    id: text('UUID given by another system', {
      pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
      'x-expected': 'a UUID in lower case',
    }),
    title: text('shown name (default: from the name)', { maxLength: 200 }),
    status: choice('authored status', ['proposed', 'draft', 'active', 'deprecated', 'retired']),
    tenant: text('organisation'),
    description: object('in words', {
      purpose: text('what it is for'),
      limitations: text('what it is not for'),
      usage: text('how to use it'),
    }),
    tags: words('tags'),
    team: object('who makes it', {
      name: text('name'),
      description: text('what the team does'),
      members: list(
        'people',
        object('a member', { username: text('subject'), name: text('name'), role: text('role') }, ['username']),
      ),
    }),
    approvers: words('who approves access to every port, once for the product: subjects, groups, or the word owner (default)'),
    support: list(
      'where to ask',
      object(
        'a channel',
        {
          channel: text('channel'),
          tool: text('tool'),
          url: text('address'),
          description: text('what'),
          scope: choice('for what', ['interactive', 'announcements', 'issues', 'notifications']),
        },
        ['channel'],
      ),
    ),
    authoritativeDefinitions: ref('links'),
    customProperties: ref('custom'),
  }),
  'access-control': object('the three roles (default: from the domain)', {
    roles: list(
      'one each of consumer, service, owner; the missing ones default from the domain',
      object(
        'a role',
        {
          role: choice('role', ['consumer', 'service', 'owner']),
          access: choice('consumer reads, service writes, owner administers', ['read', 'write', 'admin']),
          selector: names('output ports (consumer; default all)'),
          groups: words('groups of the identity system'),
          principals: words('subjects'),
          firstLevelApprovers: words('who approves (default: approvers of the product)'),
        },
        ['role', 'access'],
      ),
    ),
  }),
  'data-sharing-agreement': object(
    'terms a consumer accepts; one agreement per grant',
    {
      selector: { ...names('output ports (default all)'), minItems: 1 },
      purpose: { ...words('purposes allowed'), minItems: 1 },
      prohibitedUses: words('uses forbidden'),
      terms: object(
        'the text',
        { url: text('address'), version: text('quoted version', { maxLength: 40 }), legalBasis: text('legal basis') },
        ['version'],
      ),
      obligations: words('what the consumer must do'),
      classification: choice('how sensitive', ['public', 'internal', 'confidential', 'restricted']),
      audience: object('for whom', {
        roles: list('roles', choice('role', ['consumer'])),
        consumers: list('kinds of consumer', choice('kind', ['team', 'data-product', 'user'])),
      }),
      howToRequest: text('how to ask'),
      approvers: ref('approvers'),
      contact: text('who answers (default: the first owner)'),
      duration: object(
        'how long',
        { default: duration('when none is asked'), max: duration('at most'), renewable: flag('can be renewed') },
        ['max'],
      ),
      retentionByConsumer: span('how long a consumer may keep a copy'),
      price: object(
        'price',
        {
          priceAmount: { type: 'number', minimum: 0, description: 'amount' },
          priceCurrency: text('ISO 4217', { pattern: '^[A-Z]{3}$' }),
          priceUnit: text('unit'),
        },
        ['priceAmount', 'priceCurrency', 'priceUnit'],
      ),
      onExpiry: choice('what happens at the end', ['revoke', 'notify']),
    },
    ['purpose', 'duration'],
  ),
  'alert-receivers': object(
    'who hears alerts',
    {
      targets: list(
        'receivers',
        object(
          'a receiver',
          {
            name: name('name'),
            target: choice('kind', ['webhook', 'email']),
            urlSecretRef: secretName,
            to: words('addresses (email)'),
          },
          ['name', 'target'],
        ),
      ),
    },
    ['targets'],
  ),
  retention: object('how long data and product live', {
    data: list(
      'data',
      object(
        'rule',
        {
          object: text('object of a port, or staging.*', { maxLength: 70 }),
          retain: span('how long'),
          element: sqlWord('column with the time'),
        },
        ['object', 'retain'],
      ),
    ),
    deprecation: object('of a major', { notice: duration('least time both majors are served') }),
    retirement: object('of the product', {
      propose: object('when retirement is proposed', {
        when: object('conditions', {
          activeUsers: object('users', { lt: whole('fewer than', 0, 1_000_000) }),
          readQueries: object('queries', { lt: whole('fewer than', 0, 1_000_000_000) }),
          window: duration('over'),
        }),
      }),
      archive: object('where the data goes', {
        location: text('address'),
        format: choice('format', ['parquet', 'csv']),
        retain: span('how long'),
      }),
      approvers: words('who approves'),
    }),
  }),
  topology: object('environments, after KubeVela', { clusters: { ...names('environments'), minItems: 1 } }, ['clusters']),
  override: object(
    'changes for an environment, after KubeVela; the result is checked as a whole',
    {
      components: list(
        'components changed',
        object(
          'a component',
          {
            name: name('component'),
            properties: free('merged into its properties: maps by key, lists and values replaced'),
            traits: list(
              'traits',
              object(
                'a trait',
                {
                  type: choice('type', ['trigger', 'service-level', 'data-policy']),
                  properties: free('merged'),
                  disable: flag('taken away'),
                },
                ['type'],
              ),
            ),
          },
          ['name'],
        ),
      ),
      selector: names('components the override is limited to'),
    },
    ['components'],
  ),
}
