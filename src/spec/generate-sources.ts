import { stringify } from 'yaml'
import { sqlName } from '../core/names.ts'
import type { ProductSpec } from './types.ts'

/** The path of the generated file inside the dbt project. */
export const SOURCES_PATH = 'models/sources.yml'

/**
 * dbt's `sources.yml` of a product. Source `staging` holds what the product ingests; each upstream product is a source of its own name with the objects
 * it relies on. All of them are views in the private schema, whose name the run gives as the dbt var `heddle_private`; an upstream object is called
 * `<product>__<object>` there.
 */
export function generateSources(spec: ProductSpec): string {
  const sources: unknown[] = []
  const tables = spec.ingestions.flatMap((ingestion) => ingestion.writes.map((write) => write.table))
  const schema = `{{ var('heddle_private', target.schema) }}`
  if (tables.length > 0) sources.push({ name: 'staging', schema, tables: [...new Set(tables)].map((name) => ({ name })) })
  const upstream = new Map<string, { name: string; identifier: string }[]>()
  for (const input of spec.inputs) {
    if (input.kind !== 'product') continue
    const name = sourceName(input.product)
    const known = upstream.get(name) ?? []
    for (const object of input.expects)
      if (!known.some((table) => table.name === object.name))
        known.push({ name: object.name, identifier: upstreamRelation(input.product, object.name) })
    upstream.set(name, known)
  }
  for (const [name, objects] of upstream) sources.push({ name, schema, tables: objects })
  const body = sources.length === 0 ? { version: 2 } : { version: 2, sources }
  return `# Generated from data_product_spec.yml: what this project may read.\n${stringify(body, { lineWidth: 0 })}`
}

/** The relation in the private schema that stands for an object of an upstream product; long names are cut like every other of ours. */
export function upstreamRelation(product: string, object: string): string {
  return sqlName(`${sourceName(product)}__${object}`)
}

function sourceName(product: string): string {
  return product.replaceAll('-', '_')
}
