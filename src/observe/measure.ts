import { sql } from 'kysely'
import type { Clock } from '../core/clock.ts'
import { asHeddleError } from '../core/fail.ts'
import type { Measured, MeasureRequest, Warehouse } from '../platform/warehouse.ts'
import { sliceStart } from '../slo/window.ts'
import type { ProductSpec, ServiceLevel } from '../spec/types.ts'
import type { Queries } from '../store/control.ts'
import { type Observed, recordObservations } from './observations.ts'
import { servedSince } from './updates.ts'

export type MeasureDeps = { queries: Queries; clock: Clock; warehouse(environment: string): Pick<Warehouse, 'measure'> }
export type MeasureOptions = {
  /** an object that is not there is looked at again after this time before it counts as bad */
  confirmAfterMs?: number
  signal?: AbortSignal
}

type Sliced = Extract<ServiceLevel, { kind: 'availability' | 'freshness' }>
type Due = {
  id: string
  product: string
  domain: string
  name: string
  environment: string
  port: string
  object: string
  level: Sliced
  spec: ProductSpec
  served_since: Date | null
}

const CONFIRM_MS = 2_000
const PARALLEL = 4
/** A measurement that failed is tried again in the same hour. */
const AGAIN_SECONDS = 60

/** One probe for each product whose hour is not measured yet, for all its due monitors. @returns rows written */
export async function measureDue(deps: MeasureDeps, options: MeasureOptions = {}): Promise<number> {
  const now = deps.clock.now()
  const due = await readDue(deps.queries, now)
  const groups = Map.groupBy(due, (each) => `${each.product} ${each.environment}`)
  const waiting = [...groups.values()]
  let written = 0
  const work = async () => {
    for (let group = waiting.shift(); group && !options.signal?.aborted; group = waiting.shift())
      written += await measureGroup(deps, group, options)
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return written
}

async function readDue(queries: Queries, now: Date): Promise<Due[]> {
  const slice = new Date(sliceStart(now.getTime()))
  const { rows } = await sql<Due>`
    select m.id, m.product, p.domain, p.name, m.environment, m.port, m.object, m.level, r.spec,
      ${servedSince(sql`m.product`, sql`m.environment`)} as served_since
    from monitor m
    join product p on p.id = m.product and p.state = 'active'
    join release r on r.product = m.product and r.environment = m.environment and r.current
    left join observation o on o.monitor = m.id and o.slice_start = ${slice}::timestamptz
    where m.kind in ('availability', 'freshness')
      and (o.monitor is null or (o.outcome = 'error' and o.observed_at < ${now}::timestamptz - make_interval(secs => ${AGAIN_SECONDS})))
    order by m.product, m.environment, m.port, m.object`.execute(queries)
  return rows
}

async function measureGroup(
  deps: MeasureDeps,
  due: readonly Due[],
  { confirmAfterMs = CONFIRM_MS }: MeasureOptions,
): Promise<number> {
  const [{ product: id, domain, name, environment }] = due as [Due]
  const request = { place: { id, domain, product: name }, ports: portsOf(due) }
  const warehouse = deps.warehouse(environment)
  let problem: string | null = null
  let measured: Measured[] = []
  try {
    measured = await warehouse.measure(request)
    if (measured.some((each) => each.error === null && !each.readable)) {
      // a publication or a repair may be under way
      await new Promise((resolve) => setTimeout(resolve, confirmAfterMs))
      measured = await warehouse.measure(request)
    }
  } catch (thrown) {
    problem = asHeddleError(thrown).code
  }
  const now = deps.clock.now()
  const observed = due.flatMap((each) => {
    const found = measured.find((one) => one.port === each.port && one.object === each.object)
    return observe(each, found ?? null, problem ?? found?.error ?? null, now)
  })
  return recordObservations(deps.queries, observed, now)
}

/** Every object once, at the newest major that has it. */
function portsOf(due: readonly Due[]): MeasureRequest['ports'] {
  const wanted = new Map<string, MeasureRequest['ports'][number]>()
  for (const { port, object, level, spec } of due) {
    const majors = spec.outputs
      .filter((output) => output.port === port && output.objects.some((each) => each.name === object))
      .map((output) => output.major)
    if (majors.length === 0) continue
    const major = Math.max(...majors)
    const at = wanted.get(`${port} ${major}`) ?? { port, major, objects: [] }
    wanted.set(`${port} ${major}`, at)
    const asked = at.objects.find((each) => each.name === object) ?? { name: object, element: null, count: false }
    if (!at.objects.includes(asked)) at.objects.push(asked)
    if (level.kind === 'freshness' && level.element !== null) asked.element = level.element
  }
  return [...wanted.values()]
}

/** What one monitor makes of a probe: nothing when there is nothing yet to measure. */
function observe(due: Due, found: Measured | null, problem: string | null, now: Date): Observed[] {
  const row = {
    monitor: due.id,
    sliceStart: new Date(sliceStart(now.getTime())),
    value: null,
    observedAt: now,
    run: null,
    replayed: false,
    problem,
  }
  const { level } = due
  if (level.kind === 'availability') {
    if (problem !== null) return [{ ...row, outcome: 'error' }]
    if (!found) return []
    if (found.readable) return [{ ...row, outcome: 'good' }]
    return [{ ...row, outcome: 'bad', problem: found.exists ? 'WAREHOUSE_ACCESS_DENIED' : 'WAREHOUSE_OBJECT_MISSING' }]
  }
  const newest = level.element === null ? (due.served_since?.toISOString() ?? found?.publishedAt) : found?.newest
  if (newest === null || newest === undefined) {
    if (problem !== null || found?.publishedAt)
      return [{ ...row, outcome: 'error', problem: problem ?? 'WAREHOUSE_OBJECT_MISSING' }]
    return []
  }
  // a clock that is ahead makes nothing fresher than now
  const ageMs = Math.max(0, now.getTime() - Date.parse(newest))
  return [{ ...row, problem: null, outcome: ageMs <= level.thresholdMs ? 'good' : 'bad', value: Math.floor(ageMs / 1000) }]
}
