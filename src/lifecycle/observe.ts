import { activeAgreements } from '../access/agreements.ts'
import { type ProductRow, productById } from '../catalog/products.ts'
import { newId } from '../core/id.ts'
import {
  type IncidentRow,
  openIncident,
  openIncidents,
  PLATFORM_KEY,
  resolveIncident,
  resolveOrphans,
  updateIncident,
} from '../observe/incidents.ts'
import { dueLevels, type Judged, judgeLevels, type LevelRow, newestEvaluation, saveEvaluations } from '../observe/levels.ts'
import { measureDue } from '../observe/measure.ts'
import {
  type NotificationRow,
  notificationsOf,
  queueNotification,
  settleNotification,
  takeDue,
} from '../observe/notifications.ts'
import { beginPlannedStop, endPlannedStop, fillGaps } from '../observe/observations.ts'
import { observeUpdates, readServedSince } from '../observe/updates.ts'
import type { Destination, Notification, Sent } from '../platform/notification.ts'
import { currentRelease } from '../run/releases.ts'
import { DAY_MS } from '../slo/window.ts'
import type { ProductSpec } from '../spec/types.ts'
import type { Queries } from '../store/control.ts'
import type { LifecycleDeps } from './deps.ts'
import { explainIncident } from './explain-incident.ts'
import { incidentMessage, type Told } from './incident-message.ts'

export type ObserveDeps = Pick<LifecycleDeps, 'control' | 'clock' | 'warehouse' | 'mesh' | 'url' | 'log'> & {
  email: Notification<Extract<Destination, { kind: 'email' }>> | null
  webhook: Notification<Extract<Destination, { kind: 'webhook' }>>
  /** a product's secret by the name its spec uses; null when nobody has set it */
  secret(of: { domain: string; product: string; environment: string; name: string }): Promise<string | null>
}

const WINDOW_MS = 20 * DAY_MS

/** Measures what is due: the hour's probes, the rows of new publications, and hours that passed without anybody. @returns rows written */
export async function measure(
  deps: ObserveDeps,
  options: { confirmAfterMs?: number; signal?: AbortSignal } = {},
): Promise<number> {
  const queries = deps.control.db
  const parts = [
    () => measureDue({ queries, clock: deps.clock, warehouse: deps.warehouse }, options),
    () => observeUpdates(deps.control, deps.clock.now()),
    () => fillGaps(queries, deps.clock.now(), WINDOW_MS),
  ]
  // one that fails must not keep the others from their work
  const done = await Promise.allSettled(parts.map((part) => part()))
  for (const each of done) if (each.status === 'rejected') throw each.reason
  return done.reduce((sum, each) => sum + (each.status === 'fulfilled' ? each.value : 0), 0)
}

type Group = { product: ProductRow; environment: string; spec: ProductSpec | null; rows: LevelRow[] }

/** New verdicts where something may have changed; a level that fails opens its incident, one that holds again ends it, and the receivers are told. */
export async function evaluate(deps: ObserveDeps): Promise<{ evaluated: number; opened: number; resolved: number }> {
  const { db } = deps.control
  const now = deps.clock.now()
  await resolveOrphans(db, now)
  const due = await dueLevels(db, now)
  const groups: Group[] = []
  for (const rows of Map.groupBy(due, (row) => `${row.product} ${row.environment}`).values()) {
    const { product, environment } = rows[0]!
    const release = await currentRelease(db, product, environment)
    groups.push({ product: await productById(db, product), environment, spec: release?.spec ?? null, rows })
  }
  // who waits for others comes after them, so that a cause has its incident
  groups.sort((a, b) => inputsOf(a.spec) - inputsOf(b.spec))
  const sums = { evaluated: 0, opened: 0, resolved: 0 }
  for (const group of groups) {
    const { opened, resolved } = await deps.control.db
      .transaction()
      .execute((queries) => evaluateGroup(deps, queries, group, now))
    sums.evaluated += group.rows.length
    sums.opened += opened
    sums.resolved += resolved
  }
  return sums
}

function inputsOf(spec: ProductSpec | null): number {
  return (spec?.inputs ?? []).filter((input) => input.kind === 'product').length
}

async function evaluateGroup(deps: ObserveDeps, queries: Queries, group: Group, now: Date) {
  const { product, environment, spec, rows } = group
  const publishedAt = await readServedSince(queries, product.id, environment)
  const judged = await judgeLevels(queries, rows, { publishedAt, paused: product.state === 'retired', now })
  await saveEvaluations(queries, judged, now)
  const open = new Map((await openIncidents(queries, [product.id])).map((incident) => [incident.key, incident]))
  const opened: Told[] = []
  const resolved: Told[] = []
  for (const each of judged) {
    const key = keyOf(group, each.row)
    if (each.verdict.failing) {
      const cause = await explainIncident(queries, each, { product, environment, spec, publishedAt, now })
      const severity = severityOf(each)
      if (open.has(key)) await updateIncident(queries, key, { severity, cause })
      else {
        const slo = `${each.row.port}.${each.row.object} ${each.row.kind}`
        const facts = { key, product: product.id, environment, slo, monitor: each.row.id, severity, cause, opened_at: now }
        const incident = await openIncident(queries, facts)
        if (incident) opened.push({ incident, judged: each })
      }
    } else if (open.has(key)) {
      const incident = await resolveIncident(queries, key, now)
      if (incident) resolved.push({ incident, judged: each })
    }
  }
  // an incident that waits for an upstream's is shown, and its receivers are left alone: the upstream's are at work
  await tell(
    deps,
    queries,
    group,
    'opened',
    opened.filter(({ incident }) => incident.cause.incident === undefined),
    now,
  )
  await tell(deps, queries, group, 'resolved', await alreadyTold(queries, resolved), now)
  return { opened: opened.length, resolved: resolved.length }
}

function keyOf({ product, environment }: Group, { port, object, kind }: LevelRow): string {
  return `${product.id}/${environment}/${port}.${object}.${kind}`
}

/** Data that nobody can read, or a broken promise, wakes people; a budget that is being spent does not. */
function severityOf({ row, verdict }: Judged): 'page' | 'ticket' {
  return row.kind === 'availability' || verdict.state === 'breached' ? 'page' : 'ticket'
}

async function alreadyTold(queries: Queries, resolved: readonly Told[]): Promise<Told[]> {
  const sent = await notificationsOf(
    queries,
    resolved.map(({ incident }) => incident.id),
  )
  const known = new Set(sent.flatMap(({ incidents }) => incidents))
  return resolved.filter(({ incident }) => known.has(incident.id))
}

/** One message for each receiver, however many levels changed at once. */
async function tell(
  deps: ObserveDeps,
  queries: Queries,
  { product, environment, spec }: Group,
  change: 'opened' | 'resolved',
  told: readonly Told[],
  now: Date,
): Promise<void> {
  if (told.length === 0 || !spec) return
  const ports = new Set(told.map(({ judged }) => judged.row.port))
  const agreements = (await activeAgreements(queries, product.id, environment)).filter(({ port }) => ports.has(port))
  const consumers = [...new Set(agreements.map(({ subject }) => subject))].sort()
  const address = `${product.domain}/${product.name}`
  const message = incidentMessage(told, { address, environment, change, consumers, url: deps.url(), now })
  for (const receiver of spec.receivers) {
    const destination =
      receiver.target === 'email'
        ? ({ kind: 'email', to: receiver.to } as const)
        : ({ kind: 'webhook', urlSecret: receiver.urlSecret ?? receiver.name } as const)
    const incidents = told.map(({ incident }) => incident.id)
    const row = { product: product.id, environment, incidents, change, receiver: receiver.name, destination, message, now }
    await queueNotification(queries, row)
  }
}

/** Sends the messages that are due. A try that fails comes again later with the same id. @returns how many were delivered */
export async function deliver(deps: ObserveDeps, signal: AbortSignal): Promise<number> {
  const { db } = deps.control
  const due = await takeDue(db, deps.clock.now())
  const sent = await Promise.all(
    due.map(async (row) => {
      const outcome = await send(deps, row, signal)
      if (outcome.outcome !== 'delivered') deps.log(`message ${row.id} to ${row.receiver}: ${outcome.problem}`)
      await settleNotification(db, row, outcome, deps.clock.now())
      return outcome
    }),
  )
  return sent.filter(({ outcome }) => outcome === 'delivered').length
}

async function send(deps: ObserveDeps, row: NotificationRow, signal: AbortSignal): Promise<Sent> {
  const { destination, message } = row
  if (destination.kind === 'email') {
    if (!deps.email)
      return { outcome: 'refused', problem: 'NOTIFY_ADAPTER_MISSING: mesh.yml names no mail server (notices.smtp)' }
    return deps.email.send({ to: destination, message, signal })
  }
  const product = await productById(deps.control.db, row.product!)
  const of = { domain: product.domain, product: product.name, environment: row.environment!, name: destination.urlSecret }
  const [url, secret] = ((await deps.secret(of)) ?? '').split('#')
  if (!url || !secret)
    return { outcome: 'refused', problem: `NOTIFY_SECRET_MISSING: ${destination.urlSecret} holds no address#whsec_ key` }
  return deps.webhook.send({ to: { kind: 'webhook', url, secret }, message, signal })
}

/**
 * The independent look at the evaluator: nothing but the age of its newest verdict. @returns whether it is silent
 * @param watchingSince when this process began to evaluate: what lies before is the time it was not there
 */
export async function watchEvaluator(
  deps: ObserveDeps,
  { maxSilenceMs, watchingSince }: { maxSilenceMs: number; watchingSince: Date },
): Promise<boolean> {
  const { db } = deps.control
  const now = deps.clock.now()
  const { at, oldestMonitor } = await newestEvaluation(db)
  const last = Math.max(at?.getTime() ?? 0, oldestMonitor?.getTime() ?? now.getTime(), watchingSince.getTime())
  const silentMs = now.getTime() - last
  if (oldestMonitor === null || silentMs <= maxSilenceMs) {
    await resolveIncident(db, PLATFORM_KEY, now)
    return false
  }
  const cause = {
    kind: 'platform',
    what: `No service level was evaluated for ${Math.round(silentMs / 60_000)} minutes.`,
    next: 'Look in logs/heddle.log for "evaluate"; heddle doctor',
  } as const
  const incident = await openIncident(db, {
    key: PLATFORM_KEY,
    product: null,
    environment: null,
    slo: 'evaluation of service levels',
    monitor: null,
    severity: 'page',
    cause,
    opened_at: now,
  })
  if (incident) {
    deps.log(`incident ${incident.number}: ${cause.what}`)
    await tellPlatform(deps, incident, now)
  } else await updateIncident(db, PLATFORM_KEY, { severity: 'page', cause })
  return true
}

async function tellPlatform(deps: ObserveDeps, incident: IncidentRow, now: Date): Promise<void> {
  const to = deps.mesh().notices.platform
  if (to.length === 0) return
  await queueNotification(deps.control.db, {
    product: null,
    environment: null,
    incidents: [incident.id],
    change: 'opened',
    receiver: 'platform',
    destination: { kind: 'email', to },
    message: {
      type: 'incident.opened',
      thread: incident.id,
      at: now.toISOString(),
      subject: `[heddle] ${incident.slo} has stopped`,
      text: `${incident.cause.what}\nNext:  ${incident.cause.next}\nUntil it goes on, every level is shown as not evaluated.\n`,
      data: { incidents: [{ number: incident.number, severity: incident.severity, cause: incident.cause }] },
    },
    now,
  })
}

/** `heddle stop` and Ctrl-C are planned: their hours are excluded. A crash writes nothing, and its hours are not evaluated. */
export async function recordStop(deps: Pick<ObserveDeps, 'control' | 'clock'>): Promise<void> {
  await beginPlannedStop(deps.control.db, { id: newId(), at: deps.clock.now() })
}

export async function recordStart(deps: Pick<ObserveDeps, 'control' | 'clock'>): Promise<void> {
  await endPlannedStop(deps.control.db, deps.clock.now())
}
