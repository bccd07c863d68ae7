import {
  choice,
  duration,
  flag,
  type JsonSchema,
  list,
  name,
  object,
  percent,
  ref,
  span,
  sqlWord,
  text,
  whole,
  words,
} from './schema-parts.ts'

export type TraitName = 'trigger' | 'service-level' | 'data-policy'

const alertPolicies = list(
  'alerts for every service level above',
  object(
    'an OpenSLO alert policy',
    {
      name: name('name'),
      description: text('what it means'),
      alertWhenBreaching: flag('alert when the condition holds'),
      alertWhenResolved: flag('tell when it is over'),
      alertWhenNoData: flag('alert when nothing is measured'),
      notificationTargets: list('receivers', name('target of the policy alert-receivers')),
      conditions: {
        type: 'array',
        minItems: 1,
        maxItems: 1,
        description: 'exactly one',
        items: object(
          'a condition',
          {
            kind: choice('kind', ['burnrate']),
            op: choice('operator', ['gt', 'gte']),
            threshold: { type: 'number', exclusiveMinimum: 0, description: 'burn rate' },
            lookbackWindow: duration('window looked at'),
            alertAfter: duration('how long it must hold'),
            severity: choice('page wakes people', ['page', 'ticket']),
          },
          ['kind', 'threshold', 'lookbackWindow'],
        ),
      },
    },
    ['name', 'conditions'],
  ),
)

const slo = object(
  'an OpenSLO v1 service level objective',
  {
    name: name('name'),
    description: text('what it promises'),
    indicator: object(
      'what is measured',
      {
        thresholdMetric: object(
          'a metric',
          {
            metricSource: object(
              'where from',
              {
                type: choice('indicator', ['availability', 'completeness', 'freshness']),
                spec: object(
                  'of what',
                  {
                    object: text('object of the port, or *', { maxLength: 63 }),
                    element: sqlWord('column with the time of the data (freshness; default: time of the last publication)'),
                    unit: choice('unit of the objective (freshness)', ['m', 'h', 'd']),
                    of: choice('total rows, or rows added by an update (completeness)', ['total', 'delta']),
                    baseline: object('what rows are compared with (completeness)', {
                      statistic: choice('mean over the window, or the last update', ['mean', 'last']),
                      window: duration('window of the mean'),
                      minSamples: whole('updates needed before it is judged', 1, 1000),
                    }),
                  },
                  ['object'],
                ),
              },
              ['type', 'spec'],
            ),
          },
          ['metricSource'],
        ),
      },
      ['thresholdMetric'],
    ),
    budgetingMethod: choice('how good and bad is counted', ['Occurrences', 'Timeslices']),
    timeWindow: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      description: 'exactly one',
      items: object('the window', { duration: span('length'), isRolling: flag('rolling') }, ['duration']),
    },
    objectives: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      description: 'exactly one',
      items: object(
        'the objective',
        {
          displayName: text('shown name'),
          op: choice('operator', ['lte', 'gte', 'lt', 'gt']),
          value: { type: 'number', minimum: 0, description: 'threshold' },
          target: { type: 'number', minimum: 0, exclusiveMaximum: 1, description: 'share that must be good' },
          targetPercent: {
            type: 'number',
            minimum: 0,
            exclusiveMaximum: 100,
            description: 'share that must be good, in percent',
          },
          timeSliceTarget: { type: 'number', exclusiveMinimum: 0, maximum: 1, description: 'share of a slice' },
          timeSliceWindow: duration('length of a slice'),
        },
        ['op', 'value'],
      ),
    },
  },
  ['name', 'indicator', 'objectives'],
)

/** Short form (availability, completeness, freshness) or the OpenSLO list; both may stand together. */
const serviceLevel = object('what consumers may rely on', {
  object: text('object the short forms are about (default *: every object of the port)', { maxLength: 63 }),
  window: duration('window of the short forms (default 20d)'),
  availability: percent('share of hours in which the port can be read'),
  completeness: object(
    'rows after each update against earlier updates',
    {
      within: percent('how far below is still good'),
      against: choice('mean of the window (default) or the last update', ['mean', 'last']),
      of: choice('total rows (default), or rows added by an update', ['total', 'delta']),
      target: percent('share of updates that must be good (default 95%)'),
    },
    ['within'],
  ),
  freshness: object(
    'age of the data',
    {
      threshold: duration('oldest that is good'),
      element: sqlWord('column with the time of the data (default: time of the last publication)'),
      target: percent('share of time that must be good (default 95%)'),
    },
    ['threshold'],
  ),
  slos: list('long form', slo),
  alertPolicies,
})

export const TRAIT_SCHEMAS: Record<TraitName, JsonSchema> = {
  trigger: object('when it runs by itself', {
    cron: object(
      'by the clock',
      {
        schedule: text('five fields: minute hour day month weekday', { maxLength: 100 }),
        timeZone: text('IANA time zone (default UTC)', { maxLength: 64 }),
      },
      ['schedule'],
    ),
    events: object(
      'when inputs have something new; cron is then the fallback',
      {
        match: choice('all or any of the sources', ['all', 'any']),
        sources: list('components', object('one', { component: name('component') }, ['component']), { minItems: 1 }),
        debounce: duration('wait for more events'),
        maxWait: duration('run anyway after'),
      },
      ['sources'],
    ),
    concurrencyPolicy: choice('what happens while it still runs', ['Forbid']),
    startingDeadline: duration('not started later than'),
  }),
  'service-level': serviceLevel,
  'data-policy': object('row filters and masks of this port', {
    rowFilters: list(
      'readers see only rows for which the condition is true; all filters of an object apply',
      object(
        'a row filter',
        {
          name: name('name'),
          object: text('object, or * for every object of the port', { maxLength: 63 }),
          condition: text('a condition such as facility_id in subject.facility_ids', { maxLength: 2000 }),
          exempt: ref('exemptions'),
        },
        ['name', 'condition'],
      ),
    ),
    columnMasks: list(
      'what readers see instead of a value; explicit columns beat match by tag',
      object(
        'a mask',
        {
          name: name('name'),
          match: object('columns by tag', { tags: { ...words('tags, one of them is enough'), minItems: 1 } }, ['tags']),
          columns: list(
            'columns: <object>.<column>',
            text('column', { pattern: '^[A-Za-z_][A-Za-z0-9_]*\\.[A-Za-z_][A-Za-z0-9_]*$', 'x-expected': '<object>.<column>' }),
            { minItems: 1 },
          ),
          method: choice('how', ['null', 'constant', 'regex', 'hash', 'round']),
          arguments: object('of the method', {
            value: { type: ['string', 'number', 'boolean'], description: 'constant: the value shown' },
            pattern: text('regex: what is replaced', { maxLength: 200 }),
            replacement: { type: 'string', maxLength: 200, description: 'regex: by what' },
            precision: {
              enum: ['year', 'month', 10, 100, 1000],
              description: 'round: of dates year or month, of numbers 10, 100 or 1000',
            },
          }),
          exempt: ref('exemptions'),
        },
        ['name', 'method'],
      ),
    ),
  }),
}
