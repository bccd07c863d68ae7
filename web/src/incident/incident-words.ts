import type { Incident } from '../api/types.ts'

/** "Freshness" for people; the spec writes it small. */
export function levelName({ slo }: Pick<Incident, 'slo'>): string {
  return slo.slice(0, 1).toUpperCase() + slo.slice(1)
}

/** "Freshness of shop/orders" */
export function incidentTitle(incident: Pick<Incident, 'slo' | 'product'>): string {
  return incident.product === null ? `The platform: ${incident.slo}` : `${levelName(incident)} of ${incident.product}`
}

/** "page" wakes somebody, "ticket" waits for working hours. */
export function severityWords({ severity }: Pick<Incident, 'severity'>): string {
  return severity === 'page' ? 'page: the level is breached' : 'ticket: the budget still holds'
}

export function whenOver(
  { state, openedAt, resolvedAt }: Pick<Incident, 'state' | 'openedAt' | 'resolvedAt'>,
  now: number,
): number {
  return (state === 'resolved' && resolvedAt ? Date.parse(resolvedAt) : now) - Date.parse(openedAt)
}

/** "2 of 2 told", "1 of 2 told", or that nobody is. */
export function toldWords({ messages }: Pick<Incident, 'messages'>): string {
  const opened = messages.filter((message) => message.change === 'opened')
  if (!opened.length) return 'nobody told'
  return `${opened.filter((message) => message.deliveredAt).length} of ${opened.length} told`
}
