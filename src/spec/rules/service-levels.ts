import type { Diagnostic } from '../../core/diagnostic.ts'
import { readDuration } from '../../core/duration.ts'
import { didYouMean } from '../nearest.ts'
import { array, record, records, text } from '../plain.ts'
import { readSpan } from '../span.ts'
import { componentsOf, policiesOf, type TraitView } from '../view.ts'
import { at, errorAt, type Rule, type RuleInput, warningAt } from './rule.ts'

/** SLO01 what is measured exists; SLO02 budgets that make sense; SLO03 alerts that reach somebody, and the three basic levels. */
export const serviceLevelRules: Rule = {
  ids: ['SLO01', 'SLO02', 'SLO03'],
  check(input) {
    const found: Diagnostic[] = []
    for (const component of componentsOf(input.document)) {
      const port = input.spec.outputs.find((candidate) => candidate.name === component.name)
      if (!port) continue
      const traits = component.traits.filter((trait) => trait.type === 'service-level')
      for (const trait of traits) {
        found.push(...objectsOf(input, trait, port), ...budgetsOf(input, trait), ...alertsOf(input, trait))
      }
      if (component.type !== 'sql-output-port') continue
      const kinds = new Set(port.serviceLevels.map((level) => level.kind))
      const missing = (['availability', 'completeness', 'freshness'] as const).filter((kind) => !kinds.has(kind))
      if (missing.length > 0)
        found.push(
          warningAt(
            'SPEC_SLO_MISSING',
            traits[0] ? at(input, `${traits[0].pointer}/type`) : at(input, `${component.pointer}/name`),
            {
              what: `The port ${component.name} promises no ${missing.join(', no ')}`,
              why: 'consumers expect all three',
              fix: 'Add to its traits: {type: service-level, properties: {availability: 99%, completeness: {within: 5%}, freshness: {threshold: 24h}}}',
            },
          ),
        )
    }
    return found
  },
}

type Port = RuleInput['spec']['outputs'][number]

function objectsOf(input: RuleInput, trait: TraitView, port: Port): Diagnostic[] {
  const found: Diagnostic[] = []
  const names = port.objects.map((object) => object.name)
  const written: { object: string; pointer: string; element: string | null; elementPointer: string }[] = []
  const properties = trait.properties
  const short = ['availability', 'completeness', 'freshness'].some((kind) => properties[kind] !== undefined)
  if (short || properties.object !== undefined) {
    const element = record(properties.freshness).element
    written.push({
      object: text(properties.object) || '*',
      pointer: `${trait.pointer}/properties/object`,
      element: typeof element === 'string' ? element : null,
      elementPointer: `${trait.pointer}/properties/freshness/element`,
    })
  }
  for (const [i, slo] of records(properties.slos).entries()) {
    const source = record(record(record(slo.indicator).thresholdMetric).metricSource)
    const spec = record(source.spec)
    const base = `${trait.pointer}/properties/slos/${i}`
    const pointer = `${base}/indicator/thresholdMetric/metricSource/spec`
    written.push({
      object: text(spec.object),
      pointer: `${pointer}/object`,
      element: source.type === 'freshness' && typeof spec.element === 'string' ? spec.element : null,
      elementPointer: `${pointer}/element`,
    })
    found.push(...objectiveOf(input, text(source.type), records(slo.objectives)[0] ?? {}, `${base}/objectives/0`))
  }
  for (const { object, pointer, element, elementPointer } of written) {
    if (object !== '*' && object !== '' && !names.includes(object)) {
      found.push(
        errorAt('SPEC_SLO_INVALID', at(inputAsWritten(input), pointer), {
          what: `The port ${port.name} has no object ${object}`,
          why: names.length > 0 ? `it has ${names.join(', ')}` : 'it has none',
          fix: didYouMean(object, names) ?? 'Use an object of the port, or *.',
        }),
      )
      continue
    }
    if (element === null) continue
    for (const measured of port.objects.filter((candidate) => object === '*' || candidate.name === object)) {
      const columns = measured.columns.map((column) => column.name)
      const column = measured.columns.find((candidate) => candidate.name === element)
      const where = at(inputAsWritten(input), elementPointer)
      if (!column)
        found.push(
          errorAt('SPEC_SLO_INVALID', where, {
            what: `${measured.name} has no column ${element}`,
            why: 'freshness is measured on it',
            fix:
              didYouMean(element, columns) ??
              'Use a date or timestamp of the object, or leave element out: the time of the last publication then counts.',
          }),
        )
      else if (column.logicalType !== 'date' && column.logicalType !== 'timestamp')
        found.push(
          errorAt('SPEC_SLO_INVALID', where, {
            what: `${measured.name}.${element} is of type ${column.logicalType}`,
            why: 'the age of the data is measured on a date or timestamp',
            fix: 'Use a date or timestamp.',
          }),
        )
    }
  }
  return found
}

/** Service levels are read from the document as written, where short forms still have their own lines. */
function inputAsWritten(input: RuleInput): RuleInput {
  return { ...input, expanded: input.document }
}

function objectiveOf(input: RuleInput, kind: string, objective: Record<string, unknown>, pointer: string): Diagnostic[] {
  const where = (key: string) => at(inputAsWritten(input), `${pointer}/${key}`)
  const found: Diagnostic[] = []
  const shares = ['target', 'targetPercent'].filter((key) => objective[key] !== undefined)
  if (shares.length !== 1)
    found.push(
      errorAt('SPEC_SLO_INVALID', where(shares[1] ?? ''), {
        what: shares.length === 0 ? 'The objective has no target' : 'The objective has target and targetPercent',
        fix: 'Write one of target: 0.99 and targetPercent: 99.',
      }),
    )
  const atLeast = kind === 'freshness' ? ['lte', 'lt'] : ['gte', 'gt']
  if (typeof objective.op === 'string' && kind !== '' && !atLeast.includes(objective.op))
    found.push(
      errorAt('SPEC_SLO_INVALID', where('op'), {
        what: `${kind} with op ${objective.op} is good when it is bad`,
        fix:
          kind === 'freshness'
            ? 'Write op: lte: the age is at most the value.'
            : 'Write op: gte: the share is at least the value.',
      }),
    )
  if (kind === 'completeness' && typeof objective.value === 'number' && objective.value > 1)
    found.push(
      errorAt('SPEC_SLO_INVALID', where('value'), {
        what: 'Completeness is a share between 0 and 1',
        fix: 'Write 0.95 for 95 %.',
      }),
    )
  return found
}

function budgetsOf(input: RuleInput, trait: TraitView): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const [i, slo] of records(trait.properties.slos).entries()) {
    const objective = records(slo.objectives)[0] ?? {}
    const windowMs = readSpan(text(records(slo.timeWindow)[0]?.duration))
    const sliceMs = readDuration(text(objective.timeSliceWindow))
    const target =
      typeof objective.target === 'number'
        ? objective.target
        : typeof objective.targetPercent === 'number'
          ? objective.targetPercent / 100
          : null
    if (windowMs === undefined || sliceMs === undefined || target === null) continue
    const slices = Math.floor(windowMs / sliceMs)
    // In millionths, because 10 × (1 − 0.9) is 0.9999… in floating point.
    const allowed = Math.floor((slices * (1_000_000 - Math.round(target * 1_000_000))) / 1_000_000)
    const where = at(
      inputAsWritten(input),
      `${trait.pointer}/properties/slos/${i}/objectives/0/${objective.target === undefined ? 'targetPercent' : 'target'}`,
    )
    if (allowed < 1)
      found.push(
        warningAt('SPEC_SLO_FRAGILE', where, {
          what: `${text(slo.name)} allows no bad slice among ${slices}`,
          why: 'the first miss breaks it',
          fix: 'Lower the target or lengthen the window.',
        }),
      )
    else if (slices < 5)
      found.push(
        warningAt('SPEC_SLO_FRAGILE', where, {
          what: `${text(slo.name)} is judged on ${slices} slices`,
          why: 'fewer than 5 say little',
          fix: 'Lengthen the window.',
        }),
      )
  }
  return found
}

function alertsOf(input: RuleInput, trait: TraitView): Diagnostic[] {
  const receivers = policiesOf(input.document, 'alert-receivers').flatMap((policy) => records(policy.properties.targets))
  return records(trait.properties.alertPolicies).flatMap((alert, i) => {
    const pointer = `${trait.pointer}/properties/alertPolicies/${i}`
    const found: Diagnostic[] = []
    if (array(alert.notificationTargets).length === 0)
      found.push(
        errorAt('SPEC_ALERT_UNHEARD', at(input, `${pointer}/name`), {
          what: `The alert ${text(alert.name)} notifies nobody`,
          fix:
            receivers.length > 0
              ? `Add notificationTargets: [${receivers.map((receiver) => text(receiver.name)).join(', ')}].`
              : 'Add a policy alert-receivers and name one of its targets.',
        }),
      )
    const lookback = readDuration(text(records(alert.conditions)[0]?.lookbackWindow))
    const shortest = Math.min(
      ...records(trait.properties.slos).map((slo) => readSpan(text(records(slo.timeWindow)[0]?.duration)) ?? Infinity),
      readDuration(text(trait.properties.window)) ?? Infinity,
    )
    if (lookback !== undefined && lookback > shortest)
      found.push(
        warningAt('SPEC_SLO_FRAGILE', at(input, `${pointer}/conditions/0/lookbackWindow`), {
          what: `The alert ${text(alert.name)} looks back further than a window`,
          fix: 'Shorten lookbackWindow.',
        }),
      )
    return found
  })
}
