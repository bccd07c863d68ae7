import type { LineageNode } from '../api/types.ts'

export const KIND_WORDS: Record<LineageNode['kind'], string> = {
  source: 'source',
  product: 'product',
  model: 'dbt model',
  object: 'served object',
  column: 'column',
  consumer: 'consumer',
}
