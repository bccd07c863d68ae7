import { statusWord } from '../../../client/status-words.ts'
import type { Incident, ServiceLevel } from '../../../client/types.ts'
import { cleanLine, count, glyph, paint, type Style, showState, wrap } from './style.ts'
import { renderTable } from './table.ts'
import { ageOf } from './time.ts'

/** One character a day, so that nothing depends on colour. */
const BAR = { met: '|', 'at-risk': '!', breached: 'X', 'not-evaluated': '?', 'no-data': '.' } as const

export function renderServiceLevels(levels: readonly ServiceLevel[], style: Style): string[] {
  const several = new Set(levels.map(({ port, object }) => `${port}.${object}`)).size > 1
  const environments = new Set(levels.map(({ environment }) => environment)).size > 1
  const nameOf = (level: ServiceLevel) =>
    `${environments ? `${level.environment} ` : ''}${several ? `${cleanLine(level.object)} ` : ''}${level.kind}`
  const table = renderTable(
    [
      { title: 'SLO', value: nameOf },
      { title: 'PROMISE', optional: true, shrinkTo: 14, value: (level) => level.promise },
      { title: 'NOW', align: 'right', value: (level) => (level.value === null ? '' : showShare(level.value)) },
      { title: 'COUNTED', optional: true, value: showCounted },
      {
        title: 'BUDGET LEFT',
        value: (level) => (level.evaluated === 0 ? '' : `${Math.max(0, level.budget.left)} of ${level.budget.total}`),
      },
      { title: 'STATE', value: (level) => cellOf(statusWord('slo', level.state)) },
      { title: '20 DAYS', optional: true, value: (level) => level.days.map(({ state }) => BAR[state]).join('') },
    ],
    levels,
    style,
  )
  const sentences = levels
    .filter(({ state, failing }) => failing || state !== 'met')
    .flatMap((level) => [`${nameOf(level)}: ${level.next}${level.incident === null ? '' : `  incident ${level.incident}`}`])
  return [...table, ...sentences.flatMap((sentence) => wrap(sentence, style.width))]
}

/** 9986 → `99.86%` */
function showShare(basisPoints: number): string {
  return `${basisPoints / 100}%`
}

function showCounted({ kind, evaluated, good, unevaluated }: ServiceLevel): string {
  const one = kind === 'completeness' ? 'update' : 'hour'
  return `${count(evaluated, one)}, ${evaluated - good} bad${unevaluated > 0 ? `, ${unevaluated} unmeasured` : ''}`
}

export function renderIncidentTable(incidents: readonly Incident[], style: Style): string[] {
  return renderTable(
    [
      { title: 'INCIDENT', align: 'right', value: (incident: Incident) => String(incident.number) },
      { title: 'STATE', value: (incident) => cellOf(statusWord('incident', incident.state)) },
      { title: 'PRODUCT', shrinkTo: 14, value: (incident) => incident.product ?? 'platform' },
      { title: 'ENV', optional: true, value: (incident) => incident.environment ?? '' },
      { title: 'SLO', shrinkTo: 12, value: (incident) => incident.slo },
      { title: 'AGE', align: 'right', value: (incident) => ageOf(incident.openedAt, style) },
      { title: 'CAUSE', optional: true, shrinkTo: 10, value: (incident) => incident.cause.what },
    ],
    incidents,
    style,
  )
}

/** One incident with what to do; shown under the table when there is only one. */
export function renderIncident(incident: Incident, style: Style): string[] {
  const label = (text: string) => paint(style, 'muted', text.padEnd(7))
  const told = incident.messages.map(
    ({ receiver, kind, deliveredAt, problem }) =>
      `${cleanLine(receiver)} by ${kind}, ${deliveredAt ? `${ageOf(deliveredAt, style)} ago` : `not yet${problem ? `: ${cleanLine(problem)}` : ''}`}`,
  )
  const lines = (name: string, text: string) =>
    wrap(cleanLine(text), style.width - 7).map((line, at) => (at === 0 ? label(name) : '       ') + line)
  return [
    `incident ${incident.number}  ${showState(style, 'incident', incident.state)}${incident.acknowledgedBy ? ` by ${cleanLine(incident.acknowledgedBy)}` : ''}`,
    ...lines('cause', incident.cause.what),
    ...lines('next', incident.cause.next),
    ...lines('told', told.join('; ') || 'nobody: the spec names no receivers'),
  ]
}

function cellOf({ family, word }: ReturnType<typeof statusWord>) {
  return { text: `${glyph(family)} ${word}`, family }
}
