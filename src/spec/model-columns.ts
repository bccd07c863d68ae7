import { parse } from 'yaml'
import { readSelect, type Select, type SelectColumn, type SelectRelation } from '../sql/read-select.ts'
import { type Plain, record, records, strings, text, textOr } from './plain.ts'
import type { LogicalType, ProductSpec } from './types.ts'

/** A column that a dbt model builds, as its texts tell it. */
export type BuiltColumn = {
  name: string
  /** null where the texts do not show it */
  logicalType: LogicalType | null
  tags: string[]
  description: string | null
  /** false: `meta: {served: false}` says that it is not for consumers */
  wanted: boolean
  file: string
  offset: number
}

/** The texts of the dbt projects by path in the repository, and what the spec says they read. */
export type Models = { files: Readonly<Record<string, string>>; spec: ProductSpec }

type Known = { name: string; logicalType: LogicalType | null; offset: number }
type Columns = { columns: Known[]; complete: boolean }

const DEPTH_LIMIT = 12

/** Columns of the model in the order it builds them; a type comes from a cast, from the model's .yml, or from what it is read from. Null: no such model here. */
export function builtColumns(models: Models, model: string): BuiltColumn[] | null {
  const file = fileOf(models, model)
  const described = describedColumns(models, model)
  if (file === null) return null
  const select = readSelect(models.files[file]!)
  const found = select ? columnsOf(models, select, 0) : { columns: [], complete: false }
  // What only the .yml names counts where the text alone does not tell everything.
  const more = found.complete ? [] : described.filter(({ name }) => !found.columns.some((column) => column.name === name))
  return [...found.columns, ...more.map(({ name }) => ({ name, logicalType: null, offset: 0 }))].map((column) => {
    const said = described.find(({ name }) => name === column.name)
    return {
      name: column.name,
      logicalType: said?.logicalType ?? column.logicalType,
      tags: said?.tags ?? [],
      description: said?.description ?? null,
      wanted: said?.wanted ?? true,
      file,
      offset: column.offset,
    }
  })
}

function fileOf({ files }: Models, model: string): string | null {
  return Object.keys(files).find((path) => path.endsWith(`/${model}.sql`)) ?? null
}

function columnsOf(models: Models, select: Select, depth: number): Columns {
  const columns: Known[] = []
  let complete = select.complete
  const star = (alias: string | null) => {
    for (const relation of select.relations.filter((one) => alias === null || one.alias === alias)) {
      const found = relationColumns(models, select, relation, depth)
      complete &&= found?.complete ?? false
      columns.push(...(found?.columns ?? []))
    }
  }
  for (const [i, column] of select.columns.entries()) {
    for (const { alias } of select.stars.filter(({ before }) => before === i)) star(alias)
    columns.push({ name: column.name, logicalType: typeOf(models, select, column, depth), offset: column.offset })
  }
  for (const { alias } of select.stars.filter(({ before }) => before === select.columns.length)) star(alias)
  return { columns, complete }
}

function typeOf(models: Models, select: Select, { type, of }: SelectColumn, depth: number): LogicalType | null {
  if (type !== null) return logicalTypeOf(type)
  if (!of) return null
  const from = select.relations.filter(({ alias }) => of.alias === null || alias === of.alias)
  // Without an alias and over several relations only the database knows which one is meant.
  const [relation] = from
  if (from.length !== 1 || !relation) return null
  if (relation.kind === 'source' && isText(models.spec, relation)) return 'string'
  const found = relationColumns(models, select, relation, depth)
  return found?.columns.find((column) => column.name === of.column)?.logicalType ?? null
}

function relationColumns(models: Models, select: Select, relation: SelectRelation, depth: number): Columns | null {
  if (depth > DEPTH_LIMIT) return null
  if (relation.kind === 'query') return columnsOf(models, relation.select, depth + 1)
  if (relation.kind === 'source') return sourceColumns(models.spec, relation)
  if (relation.kind === 'named') {
    const cte = Object.hasOwn(select.ctes, relation.name) ? select.ctes[relation.name] : undefined
    // A later table expression sees the earlier ones.
    return cte ? columnsOf(models, { ...cte, ctes: { ...select.ctes, ...cte.ctes } }, depth + 1) : null
  }
  if (relation.kind !== 'ref') return null
  const file = fileOf(models, relation.model)
  const inner = file === null ? null : readSelect(models.files[file]!)
  if (!inner) return null
  const { columns, complete } = columnsOf(models, inner, depth + 1)
  const described = describedColumns(models, relation.model)
  return {
    complete,
    columns: columns.map((column) => ({
      ...column,
      logicalType: described.find(({ name }) => name === column.name)?.logicalType ?? column.logicalType,
    })),
  }
}

/** File ingestion gives texts; the model makes the types. */
function isText(spec: ProductSpec, { source, table }: { source: string; table: string }): boolean {
  const writer = spec.ingestions.find(({ writes }) => writes.some((write) => write.table === table))
  return source === 'staging' && writer?.type === 'file-ingestion'
}

function sourceColumns(spec: ProductSpec, relation: { source: string; table: string }): Columns | null {
  if (!isText(spec, relation)) return null
  const from = spec.ingestions.flatMap(({ writes }) => writes).find((write) => write.table === relation.table)?.from
  const input = spec.inputs.find(({ name }) => name === from)
  if (input?.kind !== 'file' || !input.contract) return null
  return {
    complete: false,
    columns: input.contract.columns.map(({ name }) => ({ name, logicalType: 'string', offset: 0 })),
  }
}

type Described = Pick<BuiltColumn, 'name' | 'logicalType' | 'tags' | 'description' | 'wanted'>

/** What the properties files of the project say of a model's columns. */
function describedColumns({ files }: Models, model: string): Described[] {
  return Object.entries(files)
    .filter(([path, content]) => /\.ya?ml$/.test(path) && content.includes(model))
    .flatMap(([, content]) => records(readProperties(content).models))
    .filter((one) => one.name === model)
    .flatMap((one) => records(one.columns))
    .map((column) => {
      const config = record(column.config)
      return {
        name: text(column.name),
        logicalType: typeof column.data_type === 'string' ? logicalTypeOf(column.data_type) : null,
        tags: [...new Set([column.tags, config.tags].flatMap((tags) => (typeof tags === 'string' ? [tags] : strings(tags))))],
        description: textOr(column.description, null),
        wanted: record(column.meta).served !== false && record(config.meta).served !== false,
      }
    })
}

/** dbt judges these files; here a broken one says nothing. */
function readProperties(content: string): Plain {
  try {
    return record(parse(content, { logLevel: 'silent', maxAliasCount: 50 }))
  } catch {
    return {}
  }
}

const LOGICAL: [RegExp, LogicalType][] = [
  [/\[\]$|^array\b/, 'array'],
  [/^(text|string|varchar|character varying|char|character|bpchar|citext|uuid|name|inet)\b/, 'string'],
  [/^(bigint|int|integer|smallint|int2|int4|int8|serial|bigserial)\b/, 'integer'],
  [/^(numeric|decimal|real|float|float4|float8|double precision|double|number|money)\b/, 'number'],
  [/^(timestamp|timestamptz|datetime)\b/, 'timestamp'],
  [/^date\b/, 'date'],
  [/^(time|timetz)\b/, 'time'],
  [/^(boolean|bool)\b/, 'boolean'],
  [/^(json|jsonb|variant|object)\b/, 'object'],
]

function logicalTypeOf(type: string): LogicalType | null {
  const wanted = type.trim().toLowerCase()
  return LOGICAL.find(([pattern]) => pattern.test(wanted))?.[1] ?? null
}
