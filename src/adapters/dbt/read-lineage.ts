import type { ProjectLineage } from '../../platform/transformation.ts'
import { readForeignFile } from './read-foreign-file.ts'

const MAX_BYTES = 64 * 1024 * 1024
const MAX_NAME = 300
const MAX_MISSING = 200

/** What the job left of the lineage. A product's code ran beside it, so it is taken only in the expected shape; null when there is none. */
export async function readLineage(path: string): Promise<ProjectLineage | null> {
  const text = await readForeignFile(path, { maxBytes: MAX_BYTES })
  return text === null ? null : parseLineage(text)
}

export function parseLineage(text: string): ProjectLineage | null {
  let value: Record<string, unknown>
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { models, sources, columns, missing } = value
  if (!areRelations(models) || !areRelations(sources) || !isListOf(columns, isEdge) || !isListOf(missing, isText)) return null
  if (!models.every((model) => isListOf(model['reads'], isName))) return null
  return {
    models: models.map((model) => ({ name: model['name'], columns: model['columns'], reads: model['reads'] as string[] })),
    sources: sources.map((source) => ({ name: source['name'], columns: source['columns'] })),
    columns,
    missing: missing.slice(0, MAX_MISSING).map((line) => line.slice(0, MAX_NAME)),
  }
}

type Relation = { name: string; columns: string[]; [more: string]: unknown }

const isText = (value: unknown): value is string => typeof value === 'string'
/** Names become rows of our own: none is empty, endless, or holds what PostgreSQL does not store. */
const isName = (value: unknown): value is string =>
  isText(value) && value !== '' && value.length <= MAX_NAME && !value.includes('\u0000')
const isListOf = <T>(value: unknown, is: (each: unknown) => each is T): value is T[] => Array.isArray(value) && value.every(is)
const areRelations = (value: unknown): value is Relation[] =>
  isListOf(value, (each): each is Relation => {
    const relation = each as Relation | null
    return typeof relation === 'object' && relation !== null && isName(relation.name) && isListOf(relation.columns, isName)
  })
const isEdge = (value: unknown): value is [string, string, string, string] => isListOf(value, isName) && value.length === 4
