import { fail } from '../../core/fail.ts'
import { readForeignFile } from './read-foreign-file.ts'

export type ManifestNode = {
  uniqueId: string
  /** model, seed, snapshot, test, operation, analysis, … as dbt says */
  resource: string
  name: string
  database: string | null
  schema: string | null
  alias: string | null
  /** table, view, incremental, ephemeral, seed, snapshot, test, or the name of a custom one */
  materialized: string | null
  /** relative to the project */
  file: string | null
  /** the node has a non-empty `grants:` */
  configGrants: boolean
  /** number of pre- and post-hooks; the checks of the warehouse find what they did */
  hooks: number
  columns: string[]
  dependsOn: string[]
  checksum: string | null
}

export type Manifest = { nodes: ManifestNode[] }

const MAX_BYTES = 256 * 1024 * 1024

/**
 * Reads `target/manifest.json`. Other code than ours wrote it: it is never followed as a link, is capped in size, and unknown or missing fields do no harm.
 * @throws TRANSFORM_MANIFEST_UNREADABLE
 */
export async function readManifest(path: string): Promise<Manifest> {
  const text = await readForeignFile(path, { maxBytes: MAX_BYTES })
  if (text === null) {
    throw fail(
      'TRANSFORM_MANIFEST_UNREADABLE',
      `dbt left no manifest, or not as an ordinary file below ${MAX_BYTES / 2 ** 20} MB`,
    )
  }
  return parseManifest(text)
}

/** @throws TRANSFORM_MANIFEST_UNREADABLE when the text is not JSON with nodes */
export function parseManifest(text: string): Manifest {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The parser's message quotes the file.
    throw fail('TRANSFORM_MANIFEST_UNREADABLE', 'The manifest is not JSON')
  }
  const nodes = asRecord(asRecord(parsed)?.['nodes'])
  if (!nodes) throw fail('TRANSFORM_MANIFEST_UNREADABLE', 'The manifest has no nodes')
  return { nodes: Object.entries(nodes).map(([uniqueId, node]) => readNode(uniqueId, asRecord(node) ?? {})) }
}

function readNode(uniqueId: string, node: Record<string, unknown>): ManifestNode {
  const config = asRecord(node['config']) ?? {}
  return {
    uniqueId,
    resource: asText(node['resource_type']) ?? uniqueId.split('.')[0]!,
    name: asText(node['name']) ?? uniqueId,
    database: asText(node['database']),
    schema: asText(node['schema']),
    alias: asText(node['alias']),
    materialized: asText(config['materialized']),
    file: asText(node['original_file_path']),
    configGrants: Object.keys(asRecord(config['grants']) ?? {}).length > 0,
    hooks: asList(config['pre-hook']).length + asList(config['post-hook']).length,
    columns: Object.keys(asRecord(node['columns']) ?? {}),
    dependsOn: asList(asRecord(node['depends_on'])?.['nodes']).filter((item) => typeof item === 'string'),
    checksum: asText(asRecord(node['checksum'])?.['checksum']),
  }
}

const asText = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === null || value === undefined ? [] : [value]
const asRecord = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
