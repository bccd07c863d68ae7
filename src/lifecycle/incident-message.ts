import type { IncidentRow } from '../observe/incidents.ts'
import type { Judged } from '../observe/levels.ts'
import type { Message } from '../platform/notification.ts'

export type Told = { incident: IncidentRow; judged: Judged }
type About = {
  address: string
  environment: string
  change: 'opened' | 'resolved'
  consumers: readonly string[]
  url: string
  now: Date
}

/** What, since when, why, who is hit, what next: the same for people and for machines. Ids, names and counts only. */
export function incidentMessage(told: readonly Told[], about: About): Omit<Message, 'id'> {
  const { address, environment, change, consumers, url, now } = about
  const first = told[0]!
  const levels = told.map(({ incident }) => incident.slo)
  const over = change === 'resolved'
  const hit = consumers.length > 0 ? consumers.join(', ') : 'nobody has an agreement'
  const lines = told.flatMap(({ incident, judged: { verdict } }) => [
    `${incident.slo}: ${over ? 'holds again' : words(verdict.state)}`,
    `  since      ${minute(incident.opened_at)}${over ? `, until ${minute(incident.resolved_at ?? now)}` : ''}`,
    `  so far     ${verdict.good} of ${verdict.evaluated} good, budget ${Math.max(0, verdict.budget.left)} of ${verdict.budget.total} left`,
    ...(over
      ? []
      : [`  cause      ${incident.cause.what}`, `  next       ${incident.cause.next}`, `  otherwise  ${verdict.next}`]),
    `  incident   ${incident.number}`,
    '',
  ])
  return {
    type: `incident.${change}`,
    thread: first.incident.id,
    at: now.toISOString(),
    subject: `[${environment}] ${address}: ${levels.join(', ')} ${over ? (told.length > 1 ? 'hold again' : 'holds again') : told.length > 1 ? 'fail' : 'fails'}`,
    text: [
      `${address} in ${environment}`,
      '',
      ...lines,
      `${over ? 'Was hit' : 'Hit'}:  ${hit}`,
      `Look:  ${url}/products/${address}   heddle slo ${address}`,
      '',
    ].join('\n'),
    data: {
      product: address,
      environment,
      url: `${url}/products/${address}`,
      consumers: [...consumers],
      incidents: told.map(({ incident, judged: { row, verdict } }) => ({
        number: incident.number,
        level: { port: row.port, object: row.object, kind: row.kind, name: row.level.name },
        state: over ? 'resolved' : verdict.state,
        severity: incident.severity,
        since: incident.opened_at.toISOString(),
        cause: incident.cause,
        good: verdict.good,
        evaluated: verdict.evaluated,
        budget: verdict.budget,
        next: over ? null : verdict.next,
      })),
    },
  }
}

function words(state: Judged['verdict']['state']): string {
  return state === 'breached' ? 'breached' : 'fails now'
}

function minute(at: Date): string {
  return `${at.toISOString().slice(0, 16)}Z`
}
