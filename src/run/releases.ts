import { sql } from 'kysely'
import { hashOf } from '../core/canonical.ts'
import { newId } from '../core/id.ts'
import type { ProductSpec } from '../spec/types.ts'
import { json, type Queries } from '../store/control.ts'
import { DEPLOY_KINDS } from '../store/schema.ts'

export type ReleaseRow = {
  number: number
  label: string
  commit_id: string
  content: string
  spec: ProductSpec
  revision: number
  run: string
  at: Date
  /** since when, and by whom, a roll back keeps it as it is */
  pinned_at: Date | null
  pinned_by: string | null
}

const COLUMNS = ['number', 'label', 'commit_id', 'content', 'spec', 'revision', 'run', 'at', 'pinned_at', 'pinned_by'] as const

export async function currentRelease(queries: Queries, product: string, environment: string): Promise<ReleaseRow | null> {
  return (
    (await queries
      .selectFrom('release')
      .select(COLUMNS)
      .where('product', '=', product)
      .where('environment', '=', environment)
      .where('current', '=', true)
      .executeTakeFirst()) ?? null
  )
}

/** The current releases of many products, without their specs. */
export async function currentReleasesOf(
  queries: Queries,
  products: readonly string[],
): Promise<(Pick<ReleaseRow, 'number' | 'label' | 'at'> & { product: string; environment: string })[]> {
  return queries
    .selectFrom('release')
    .select(['product', 'environment', 'number', 'label', 'at'])
    .where('product', 'in', [...products])
    .where('current', '=', true)
    .execute()
}

/** Newest first. */
export async function listReleases(
  queries: Queries,
  product: string,
  environment: string,
): Promise<(ReleaseRow & { current: boolean })[]> {
  return queries
    .selectFrom('release')
    .select([...COLUMNS, 'current'])
    .where('product', '=', product)
    .where('environment', '=', environment)
    .orderBy('number', 'desc')
    .execute()
}

export type PastRelease = Pick<ReleaseRow, 'number' | 'label' | 'commit_id' | 'revision' | 'at'> & {
  environment: string
  current: boolean
  by: string
  run_number: number
}

/** What was released in every environment, and by whom, the newest first. */
export async function pastReleases(queries: Queries, product: string): Promise<PastRelease[]> {
  return queries
    .selectFrom('release')
    .innerJoin('run', 'run.id', 'release.run')
    .select([
      'release.environment',
      'release.number',
      'release.label',
      'release.commit_id',
      'release.revision',
      'release.at',
      'release.current',
      'run.by',
      'run.number as run_number',
    ])
    .where('release.product', '=', product)
    .orderBy('release.at', 'desc')
    .orderBy('release.number', 'desc')
    .execute()
}

/**
 * An earlier release becomes the current one again; a refresh and the next deploy start from it. It is pinned, unless it is the newest: then it is what main
 * gave last.
 */
export async function reinstateRelease(
  queries: Queries,
  at: { product: string; environment: string; number: number; by: string },
): Promise<void> {
  await supersedeRefreshes(queries, at)
  const all = queries.updateTable('release').where('product', '=', at.product).where('environment', '=', at.environment)
  await all.set({ current: false, pinned_at: null, pinned_by: null }).where('number', '<>', at.number).execute()
  const [newest] = await listReleases(queries, at.product, at.environment)
  const pin = newest!.number === at.number ? null : at.by
  await all
    .set({ current: true, pinned_by: pin, pinned_at: pin === null ? null : sql<Date>`clock_timestamp()` })
    .where('number', '=', at.number)
    .execute()
}

/** The release that is served is what main says, or was asked for: it is not kept against it any more. */
export async function unpinRelease(queries: Queries, product: string, environment: string): Promise<void> {
  await queries
    .updateTable('release')
    .set({ pinned_at: null, pinned_by: null })
    .where('product', '=', product)
    .where('environment', '=', environment)
    .execute()
}

/** Was the environment pinned after this run was asked for? What was on its way then does not undo the roll back. */
export async function isPinnedSince(
  queries: Queries,
  at: { product: string; environment: string; run: string },
): Promise<boolean> {
  const pinned = await queries
    .selectFrom('release')
    .innerJoin('run', (join) => join.on('run.id', '=', at.run))
    .select('release.number')
    .where('release.product', '=', at.product)
    .where('release.environment', '=', at.environment)
    .where('release.current', '=', true)
    .whereRef('release.pinned_at', '>', 'run.created_at')
    .executeTakeFirst()
  return pinned !== undefined
}

/** A refresh that waits was planned from the release before: it must not serve that again over this one, which has just read everything itself. */
async function supersedeRefreshes(queries: Queries, at: { product: string; environment: string }): Promise<void> {
  await queries
    .updateTable('run')
    .set({ state: 'superseded', ended_at: sql<Date>`clock_timestamp()` })
    .where('product', '=', at.product)
    .where('environment', '=', at.environment)
    .where('kind', '=', 'refresh')
    .where('state', '=', 'queued')
    .execute()
}

/** A retired product has no release; its releases stay on record. */
export async function withdrawReleases(queries: Queries, product: string): Promise<void> {
  await queries.updateTable('release').set({ current: false }).where('product', '=', product).execute()
}

/** Who must approve a deploy; no approvers = nobody. */
export type DeployRule = { approvers: string[]; selfApproval: boolean; required: number }

/** The approval rule that the release served now was deployed with, or null before the first release. */
export async function standingRule(queries: Queries, product: string, environment: string): Promise<DeployRule | null> {
  const row = await queries
    .selectFrom('release')
    .innerJoin('run', 'run.id', 'release.run')
    .select('run.detail')
    .where('release.product', '=', product)
    .where('release.environment', '=', environment)
    .where('release.current', '=', true)
    .executeTakeFirst()
  return (row?.detail.rule as DeployRule | undefined) ?? null
}

/** The content of the deploy that runs now, or null. */
export async function runningContent(queries: Queries, product: string, environment: string): Promise<string | null> {
  const row = await queries
    .selectFrom('run')
    .select('detail')
    .where('product', '=', product)
    .where('environment', '=', environment)
    .where('kind', 'in', DEPLOY_KINDS)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return (row?.detail.content as string | undefined) ?? null
}

/** A commit deployed: becomes the environment's current release. Repeating it for the same run changes nothing. */
export async function recordRelease(
  queries: Queries,
  release: {
    product: string
    environment: string
    label: string
    commit: string
    content: string
    spec: ProductSpec
    revision: number
    run: string
  },
): Promise<{ number: number }> {
  const known = await queries.selectFrom('release').select('number').where('run', '=', release.run).executeTakeFirst()
  if (known) return known
  await supersedeRefreshes(queries, release)
  const last = await queries
    .selectFrom('release')
    .select(({ fn }) => fn.max('number').as('number'))
    .where('product', '=', release.product)
    .where('environment', '=', release.environment)
    .executeTakeFirst()
  const number = (last?.number ?? 0) + 1
  await queries
    .updateTable('release')
    .set({ current: false, pinned_at: null, pinned_by: null })
    .where('product', '=', release.product)
    .where('environment', '=', release.environment)
    .execute()
  await queries
    .insertInto('release')
    .values({
      id: newId(),
      product: release.product,
      environment: release.environment,
      number,
      label: release.label,
      commit_id: release.commit,
      content: release.content,
      spec: json(release.spec),
      spec_hash: hashOf(release.spec),
      revision: release.revision,
      run: release.run,
      current: true,
    })
    .execute()
  return { number }
}

/** The release stays; consumers read its next revision. */
export async function recordRefresh(
  queries: Queries,
  at: { product: string; environment: string; revision: number },
): Promise<void> {
  await queries
    .updateTable('release')
    .set({ revision: at.revision })
    .where('product', '=', at.product)
    .where('environment', '=', at.environment)
    .where('current', '=', true)
    .execute()
}

/** Revision numbers are given when a run is planned and never used again, also when the run fails. */
export async function nextRevision(queries: Queries, product: string, environment: string): Promise<number> {
  const rows = await queries
    .selectFrom('run')
    .select('detail')
    .where('product', '=', product)
    .where('environment', 'in', [environment, '*'])
    .where('kind', 'in', [...DEPLOY_KINDS, 'refresh', 'restore'])
    .execute()
  const given = rows.map(
    ({ detail }) => detail.revision ?? (detail.revisions as Record<string, number> | undefined)?.[environment],
  )
  return 1 + Math.max(0, ...given.map((revision) => Number(revision ?? 0)))
}

export async function recordBatch(
  queries: Queries,
  batch: {
    product: string
    environment: string
    component: string
    table: string
    relation: string
    rows: number
    bytes: number
    sha256: string
    run: string
  },
): Promise<void> {
  await queries
    .insertInto('batch')
    .values({
      id: newId(),
      product: batch.product,
      environment: batch.environment,
      component: batch.component,
      table_name: batch.table,
      relation: batch.relation,
      rows: batch.rows,
      bytes: batch.bytes,
      sha256: batch.sha256,
      run: batch.run,
    })
    .onConflict((conflict) => conflict.columns(['run', 'component', 'table_name']).doNothing())
    .execute()
}

/** `environment address → input hash` of what a product and its domain own. */
export async function readInventory(queries: Queries, product: string, domain: string): Promise<Record<string, string>> {
  const rows = await queries
    .selectFrom('inventory')
    .select(['environment', 'address', 'input_hash'])
    .where((where) => where.or([where('product', '=', product), where('address', 'like', `${domain}#%`)]))
    .execute()
  return Object.fromEntries(rows.map((row) => [`${row.environment} ${row.address}`, row.input_hash]))
}
