import type { Incident } from '../api/types.ts'
import { capital } from '../text/capital.ts'

/** "Freshness of shop/orders" */
export function incidentTitle(incident: Pick<Incident, 'slo' | 'product'>): string {
  return incident.product === null ? `The platform: ${incident.slo}` : `${capital(incident.slo)} of ${incident.product}`
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
