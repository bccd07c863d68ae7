import type { LogicalType } from './types.ts'

const POSTGRES: Record<LogicalType, string> = {
  string: 'text',
  date: 'date',
  timestamp: 'timestamptz',
  time: 'time',
  number: 'numeric',
  integer: 'bigint',
  object: 'jsonb',
  array: 'jsonb',
  boolean: 'boolean',
}

/** PostgreSQL's type of a declared column: the author's override, else what the logical type stands for. */
export function physicalType(column: { logicalType: LogicalType; physicalType: string | null }): string {
  return column.physicalType ?? POSTGRES[column.logicalType]
}
