import type { Diagnostic } from '../../core/diagnostic.ts'
import { readDuration } from '../../core/duration.ts'
import { readCron, shortestGapMinutes } from '../cron.ts'
import { record, records, text } from '../plain.ts'
import { readSpan } from '../span.ts'
import { changedHours, isTimeZone } from '../time-zones.ts'
import { componentsOf, policiesOf, type TraitView } from '../view.ts'
import { at, errorAt, type Rule, type RuleInput, warningAt } from './rule.ts'

const SHORTEST_MINUTES = 5
/** Clock changes are looked up in a fixed year, so that the same spec always gives the same answer. */
const YEAR = 2026

/** TIM01 schedules and zones; TIM02 durations that contradict each other (each one's form is the schema's business). */
export const timeRules: Rule = {
  ids: ['TIM01', 'TIM02'],
  check(input) {
    const found: Diagnostic[] = []
    const changes = new Map<string, Set<number>>()
    for (const component of componentsOf(input.document))
      for (const trait of component.traits) {
        if (trait.type === 'trigger') found.push(...schedule(input, trait, changes), ...events(input, trait))
        if (trait.type === 'service-level') found.push(...windows(input, trait))
      }
    for (const policy of policiesOf(input.document, 'data-sharing-agreement')) {
      const duration = record(policy.properties.duration)
      const usual = readDuration(text(duration.default))
      const most = readDuration(text(duration.max))
      if (usual !== undefined && most !== undefined && usual > most)
        found.push(
          errorAt('SPEC_DURATION_ORDER', at(input, `${policy.pointer}/properties/duration/default`), {
            what: `${policy.name} lasts ${text(duration.default)} by default but ${text(duration.max)} at most`,
            fix: `Write default: ${text(duration.max)}, or raise max.`,
          }),
        )
    }
    return found
  },
}

function schedule(input: RuleInput, trait: TraitView, changes: Map<string, Set<number>>): Diagnostic[] {
  const cron = record(trait.properties.cron)
  if (typeof cron.schedule !== 'string') return []
  const found: Diagnostic[] = []
  const where = at(input, `${trait.pointer}/properties/cron/schedule`)
  const zone = typeof cron.timeZone === 'string' ? cron.timeZone : 'UTC'
  const zoneKnown = isTimeZone(zone)
  if (!zoneKnown)
    found.push(
      errorAt('SPEC_ZONE_UNKNOWN', at(input, `${trait.pointer}/properties/cron/timeZone`), {
        what: `${zone.slice(0, 60)} is not a time zone`,
        fix: 'Write an IANA name such as Europe/Vienna or UTC.',
      }),
    )
  const parsed = readCron(cron.schedule)
  if (typeof parsed === 'string')
    return [
      ...found,
      errorAt('SPEC_CRON_INVALID', where, {
        what: `The schedule cannot run: ${parsed}`,
        fix: 'Write minute hour day month weekday, for example "15 4 * * *".',
      }),
    ]
  if (shortestGapMinutes(parsed) < SHORTEST_MINUTES)
    found.push(
      warningAt('SPEC_CRON_RISKY', where, {
        what: `The schedule fires more often than every ${SHORTEST_MINUTES} minutes`,
        why: 'runs of one product wait for each other',
        fix: `Run it every ${SHORTEST_MINUTES} minutes or less often.`,
      }),
    )
  if (zoneKnown && !changes.has(zone)) changes.set(zone, changedHours(zone, YEAR))
  const changed = parsed.hour.size < 24 ? [...(changes.get(zone) ?? [])].filter((hour) => parsed.hour.has(hour)) : []
  if (changed.length > 0)
    found.push(
      warningAt('SPEC_CRON_RISKY', where, {
        what: `At ${changed.map((hour) => `${String(hour).padStart(2, '0')}:00`).join(' and ')} clocks change in ${zone}`,
        why: 'on one day of the year it is skipped, on another it comes twice',
        fix: 'Choose another hour, or timeZone: UTC.',
      }),
    )
  return found
}

function events(input: RuleInput, trait: TraitView): Diagnostic[] {
  const given = record(trait.properties.events)
  const debounce = readDuration(text(given.debounce))
  const most = readDuration(text(given.maxWait))
  if (debounce === undefined || most === undefined || debounce < most) return []
  return [
    errorAt('SPEC_DURATION_ORDER', at(input, `${trait.pointer}/properties/events/debounce`), {
      what: `It waits ${text(given.debounce)} for more events but ${text(given.maxWait)} at most`,
      fix: 'Make debounce shorter than maxWait.',
    }),
  ]
}

function windows(input: RuleInput, trait: TraitView): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const [i, slo] of records(trait.properties.slos).entries()) {
    const window = text(records(slo.timeWindow)[0]?.duration)
    const slice = text(records(slo.objectives)[0]?.timeSliceWindow)
    const windowMs = readSpan(window)
    const sliceMs = readDuration(slice)
    if (windowMs === undefined || sliceMs === undefined || /[MQY]$/.test(window)) continue
    if (windowMs % sliceMs !== 0)
      found.push(
        errorAt('SPEC_DURATION_ORDER', at(input, `${trait.pointer}/properties/slos/${i}/objectives/0/timeSliceWindow`), {
          what:
            sliceMs > windowMs
              ? `A slice of ${slice} is longer than the window of ${window}`
              : `A window of ${window} is not a whole number of slices of ${slice}`,
          fix: 'Choose a slice that divides the window, such as 1h.',
        }),
      )
  }
  return found
}
