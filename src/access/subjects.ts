import { sql } from 'kysely'
import { fail } from '../core/fail.ts'
import { newId } from '../core/id.ts'
import { json, type Queries } from '../store/control.ts'

export type SubjectRow = {
  name: string
  kind: 'user' | 'group' | 'service'
  title: string
  email: string | null
  domain: string | null
  groups: string[]
  attributes: Record<string, string[]>
  sample: boolean
  disabled_at: Date | null
}
/** Somebody acting; `behind` is who really sits there when a sample user is played. */
export type Actor = SubjectRow & { behind?: string | null }

const COLUMNS = ['name', 'kind', 'title', 'email', 'domain', 'groups', 'attributes', 'sample', 'disabled_at'] as const

export async function findSubject(queries: Queries, name: string): Promise<SubjectRow | null> {
  return (await queries.selectFrom('subject').select(COLUMNS).where('name', '=', name).executeTakeFirst()) ?? null
}

export async function needSubject(queries: Queries, name: string): Promise<SubjectRow> {
  const found = await findSubject(queries, name)
  if (!found) throw fail('SUBJECT_UNKNOWN', { what: `There is no subject "${name}"`, fix: 'heddle ls subjects' })
  return found
}

export async function listSubjects(queries: Queries): Promise<SubjectRow[]> {
  return queries.selectFrom('subject').select(COLUMNS).orderBy('name').execute()
}

export async function upsertSubject(queries: Queries, subject: Omit<SubjectRow, 'disabled_at'>): Promise<void> {
  const values = { ...subject, attributes: json(subject.attributes) }
  await queries
    .insertInto('subject')
    .values({ id: newId(), ...values, disabled_at: null })
    // Attributes change through the identity afterwards; applying the mesh again must not put old ones back.
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({
        title: subject.title,
        email: subject.email,
        domain: subject.domain,
        groups: subject.groups,
        sample: subject.sample,
      }),
    )
    .execute()
}

export async function setAttributes(queries: Queries, name: string, attributes: Record<string, string[]>): Promise<SubjectRow> {
  const row = await queries
    .updateTable('subject')
    .set({ attributes: json(attributes) })
    .where('name', '=', name)
    .returning(COLUMNS)
    .executeTakeFirst()
  if (!row) throw fail('SUBJECT_UNKNOWN', { what: `There is no subject "${name}"` })
  return row
}

/** Names of subjects and groups as the people and services they stand for. */
export async function expandSubjects(queries: Queries, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return []
  const rows = await queries
    .selectFrom('subject')
    .select(['name', 'kind', 'groups'])
    .where(sql<boolean>`name = any(${[...names]}::text[]) or groups && ${[...names]}::text[]`)
    .execute()
  return rows
    .filter((row) => row.kind !== 'group')
    .map((row) => row.name)
    .sort()
}

/** Is the subject one of the named, by itself or by a group? */
export function isOneOf(subject: Pick<SubjectRow, 'name' | 'groups'>, names: readonly string[]): boolean {
  return names.includes(subject.name) || subject.groups.some((group) => names.includes(group))
}

export const PLATFORM_GROUP = 'platform'

export function isPlatform(subject: Pick<SubjectRow, 'name' | 'groups'>): boolean {
  return isOneOf(subject, [PLATFORM_GROUP])
}
