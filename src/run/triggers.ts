import { sql } from 'kysely'
import type { News, TriggerDefinition } from '../plan/triggers.ts'
import { json, type Queries } from '../store/control.ts'

export type TriggerKey = { product: string; environment: string; component: string }
export type TriggerRow = TriggerKey & { definition: TriggerDefinition; next_due: Date | null }
export type SourceNews = { input: string; domain: string; name: string; port: string; newest: number | null; news: News }
export type Reading = { input: string; upstream: string; port: string; major: number; publication: number; revision: number }

/** The run has pinned these publications: they are nothing new to this product any more. */
export async function recordReadings(
  queries: Queries,
  run: { id: string; product: string; environment: string },
  readings: readonly Reading[],
): Promise<void> {
  if (readings.length === 0) return
  await queries
    .insertInto('reading')
    .values(readings.map((reading) => ({ run: run.id, product: run.product, environment: run.environment, ...reading })))
    .onConflict((conflict) => conflict.columns(['run', 'input']).doNothing())
    .execute()
  for (const { upstream, port, major, publication } of readings)
    await queries
      .updateTable('trigger_source')
      .set({ seen: sql<number>`greatest(seen, ${publication})` })
      .where('product', '=', run.product)
      .where('environment', '=', run.environment)
      .where('upstream', '=', upstream)
      .where('port', '=', port)
      .where('major', '=', major)
      .execute()
  await dateByReadings(queries, run.id)
}

/**
 * A replayed run counts on the day of the newest publication it has pinned of the inputs it waits for (of all, where only a clock starts it); when that is
 * one of today, the run is of today too.
 */
async function dateByReadings(queries: Queries, run: string): Promise<void> {
  await sql`
    update run r set detail = case when newest.logical is null then r.detail - 'logicalDate'
      else r.detail || jsonb_build_object('logicalDate', newest.logical) end
    from (
      select u.detail ->> 'logicalDate' as logical from reading d
      left join published_port p on p.product = d.upstream and p.environment = d.environment and p.port = d.port and p.major = d.major
        and p.publication = d.publication
      left join publication e on e.product = p.product and e.environment = p.environment and e.at = p.at
      left join run u on u.id = (e.payload ->> 'run')::uuid
      where d.run = ${run} and coalesce((
        select bool_or(t.definition -> 'events' -> 'inputs' ? d.input) from trigger t
        where t.product = d.product and t.environment = d.environment and t.definition -> 'events' <> 'null'), true)
      order by p.at desc nulls first limit 1) newest
    where r.id = ${run} and r.detail ? 'logicalDate'`.execute(queries)
}

/** Makes the trigger rows say what the release says. What was seen stays seen; a new source starts with what the last run read. */
export async function applyTriggers(
  queries: Queries,
  at: { product: string; environment: string },
  triggers: readonly (TriggerDefinition & {
    nextDue: Date | null
    sources: { input: string; upstream: string; port: string; major: number }[]
  })[],
): Promise<void> {
  await queries
    .deleteFrom('trigger')
    .where('product', '=', at.product)
    .where('environment', '=', at.environment)
    .where('component', 'not in', ['', ...triggers.map(({ component }) => component)])
    .execute()
  for (const { sources, nextDue, ...definition } of triggers) {
    const key = { ...at, component: definition.component }
    await queries
      .insertInto('trigger')
      .values({ ...key, definition: json(definition), next_due: nextDue, fired_at: null })
      .onConflict((conflict) =>
        conflict.columns(['product', 'environment', 'component']).doUpdateSet({
          // Changed or not: what was missed until now is covered by the run that applies this.
          definition: json(definition),
          next_due: nextDue,
        }),
      )
      .execute()
    for (const { input, upstream, port, major } of sources) {
      const read = await queries
        .selectFrom('reading')
        .select(({ fn }) => fn.max('publication').as('publication'))
        .where('product', '=', at.product)
        .where('environment', '=', at.environment)
        .where('upstream', '=', upstream)
        .where('port', '=', port)
        .where('major', '=', major)
        .executeTakeFirst()
      const seen = read?.publication ?? 0
      await queries
        .insertInto('trigger_source')
        .values({ ...key, input, upstream, port, major, seen })
        .onConflict((conflict) =>
          conflict.columns(['product', 'environment', 'component', 'input']).doUpdateSet({
            upstream,
            port,
            major,
            seen: sql<number>`case when (trigger_source.upstream, trigger_source.port, trigger_source.major) = (excluded.upstream, excluded.port, excluded.major)
              then greatest(trigger_source.seen, excluded.seen) else excluded.seen end`,
          }),
        )
        .execute()
    }
    await queries
      .deleteFrom('trigger_source')
      .where('product', '=', key.product)
      .where('environment', '=', key.environment)
      .where('component', '=', key.component)
      .where('input', 'not in', ['', ...sources.map(({ input }) => input)])
      .execute()
  }
}

/** Triggers that may have something to do: their time has come, or a source has news. */
export async function readCandidates(queries: Queries, environment: string, now: Date): Promise<TriggerKey[]> {
  const { rows } = await sql<TriggerKey>`
    select t.product, t.environment, t.component from trigger t where t.environment = ${environment} and (t.next_due <= ${now} or exists (
      select from trigger_source s join published_port p
        on p.product = s.upstream and p.environment = s.environment and p.port = s.port and p.major = s.major and p.publication > s.seen
      where s.product = t.product and s.environment = t.environment and s.component = t.component))
    order by t.product, t.component`.execute(queries)
  return rows
}

/** Holds the trigger until the transaction ends; null when somebody else does, or it is gone. */
export async function lockTrigger(queries: Queries, key: TriggerKey): Promise<TriggerRow | null> {
  const row = await queries
    .selectFrom('trigger')
    .select(['product', 'environment', 'component', 'definition', 'next_due'])
    .where('product', '=', key.product)
    .where('environment', '=', key.environment)
    .where('component', '=', key.component)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
  return row ?? null
}

/** Each source of the trigger with what it published that no run was started for. */
export async function readNews(queries: Queries, key: TriggerKey): Promise<SourceNews[]> {
  const { rows } = await sql<{
    input: string
    domain: string
    name: string
    port: string
    newest: number | null
    first: Date | null
    last: Date | null
  }>`
    select s.input, u.domain, u.name, s.port, max(p.publication) as newest, min(p.at) as first, max(p.at) as last
    from trigger_source s join product u on u.id = s.upstream
    left join published_port p on p.product = s.upstream and p.environment = s.environment and p.port = s.port and p.major = s.major and p.publication > s.seen
    where s.product = ${key.product} and s.environment = ${key.environment} and s.component = ${key.component}
    group by s.input, u.domain, u.name, s.port order by 1`.execute(queries)
  return rows.map(({ first, last, ...row }) => ({ ...row, news: first && last ? { first, last } : null }))
}

/** The day that all news of these inputs come from, when every one of them was replayed; null when one is of today. */
export async function readReplayedNews(queries: Queries, key: TriggerKey, inputs: readonly string[]): Promise<Date | null> {
  const { rows } = await sql<{ logical: Date | null }>`
    select case when bool_and(coalesce(u.detail ? 'logicalDate', false)) then max((u.detail ->> 'logicalDate')::timestamptz) end as logical
    from trigger_source s
    join published_port p on p.product = s.upstream and p.environment = s.environment and p.port = s.port and p.major = s.major and p.publication > s.seen
    left join publication e on e.product = p.product and e.environment = p.environment and e.at = p.at
    left join run u on u.id = (e.payload ->> 'run')::uuid
    where s.product = ${key.product} and s.environment = ${key.environment} and s.component = ${key.component}
      and s.input = any(${[...inputs]}::text[])`.execute(queries)
  return rows[0]!.logical
}

/**
 * Is a run on its way that will read what is newest, or may change what is triggered? It waits for its turn, or has not pinned its inputs yet, or it is a
 * deploy or a roll back.
 */
export async function isCovered(queries: Queries, key: TriggerKey): Promise<boolean> {
  const { rows } = await sql<{ covered: boolean }>`
    select exists (select from run r where r.product = ${key.product} and r.environment = ${key.environment} and (
      (r.state = 'queued' and r.kind in ('deploy', 'refresh', 'promote'))
      or (r.state = 'running' and r.kind in ('deploy', 'rollback', 'promote'))
      or (r.state = 'running' and r.kind = 'refresh' and exists (select from step s where s.run = r.id and s.id = 'pin-inputs' and s.state <> 'succeeded')))
    ) as covered`.execute(queries)
  return rows[0]!.covered
}

/** Fired, or let pass: what was new is seen, and the clock goes on from now, however many times were missed. */
export async function settleTrigger(
  queries: Queries,
  key: TriggerKey,
  change: { nextDue: Date | null; firedAt: Date | null },
): Promise<void> {
  await queries
    .updateTable('trigger')
    .set({ next_due: change.nextDue, ...(change.firedAt && { fired_at: change.firedAt }) })
    .where('product', '=', key.product)
    .where('environment', '=', key.environment)
    .where('component', '=', key.component)
    .execute()
  if (!change.firedAt) return
  // All triggers of the product: one run answers each of them.
  await sql`
    update trigger_source s set seen = greatest(s.seen, (select max(p.publication) from published_port p
      where p.product = s.upstream and p.environment = s.environment and p.port = s.port and p.major = s.major))
    where s.product = ${key.product} and s.environment = ${key.environment}`.execute(queries)
}

export async function forgetTrigger(queries: Queries, key: TriggerKey): Promise<void> {
  await queries
    .deleteFrom('trigger')
    .where('product', '=', key.product)
    .where('environment', '=', key.environment)
    .where('component', '=', key.component)
    .execute()
}
